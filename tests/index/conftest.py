"""A store of its own for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder.index.indexing import build
from recorder.store.layout import Store
from tests.index.recorded import ALONE, record


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "store")
    made.prepare()
    yield made
    made.close()


@pytest.fixture
def ids(store: Store) -> list[str]:
    """Three sessions, in the index and in their order."""
    made = [record(store, [(f"echo {name}", f"{name}\r\n")]) for name in ("alpha", "beta", "gamma")]
    build(store, ALONE)
    return made
