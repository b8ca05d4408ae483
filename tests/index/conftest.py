"""A store of its own for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder.store.layout import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "store")
    made.prepare()
    yield made
    made.close()
