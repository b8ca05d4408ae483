"""A store, or an index in memory, of its own for every test."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder.index.indexing import build
from recorder.store.layout import Store
from tests.index.recorded import ALONE, record
from tests.index.searching import STORE
from tests.index.stores import index_of


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


@pytest.fixture
def index() -> Iterator[sqlite3.Connection]:
    """An index of `searching.STORE`."""
    connection = index_of(STORE)
    yield connection
    connection.close()
