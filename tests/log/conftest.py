"""A store of its own for every test."""

from pathlib import Path

import pytest

from recorder.store.layout import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "store")
    made.prepare()
    return made
