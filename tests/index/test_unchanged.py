"""Whether an index holds its store as it is."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from recorder.index.database import NAME
from recorder.index.indexing import Wish, build
from recorder.index.status import status_of
from recorder.index.unchanged import count_if_unchanged
from recorder.log.journal import Log
from recorder.store.layout import Store
from tests.index.recorded import ALONE, record
from tests.store.recordings import Worker


def _touch(store: Store, ids: list[str]) -> None:
    os.utime(store.sealed_path(ids[0]), (1, 1))


def _remove(store: Store, ids: list[str]) -> None:
    store.sealed_path(ids[1]).unlink()


def _record(store: Store, _ids: list[str]) -> None:
    record(store, [("true", "")])


def _make_old(store: Store, _ids: list[str]) -> None:
    with closing(sqlite3.connect(store.root / NAME)) as connection, connection:
        connection.execute("UPDATE sessions SET extractor = 1 WHERE key = 2")


def test_an_index_of_all_there_is_has_nothing_to_do(
    store: Store, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert count_if_unchanged(store, with_output=True) == len(ids)
    monkeypatch.setattr(Log, "entries", None)  # read by whoever looks at the log before the last build
    assert build(store, ALONE).total == len(ids)
    assert not status_of(store).stale


@pytest.mark.parametrize("change", [_touch, _remove, _record, _make_old])
def test_a_change_is_seen(store: Store, ids: list[str], change: Callable[[Store, list[str]], None]) -> None:
    change(store, ids)
    assert count_if_unchanged(store, with_output=True) is None
    assert status_of(store).stale
    build(store, ALONE)
    assert count_if_unchanged(store, with_output=True) is not None
    assert not status_of(store).stale


def test_output_that_is_not_indexed_yet_is_something_to_do(store: Store) -> None:
    record(store, [("echo alpha", "alpha\r\n")])
    build(store, Wish())
    assert count_if_unchanged(store, with_output=False) == 1
    assert count_if_unchanged(store, with_output=True) is None
    build(store, ALONE)
    assert count_if_unchanged(store, with_output=True) == 1


def test_a_session_that_goes_on_is_looked_at(store: Store, ids: list[str]) -> None:
    worker = Worker(store)
    build(store, ALONE)
    assert count_if_unchanged(store, with_output=True) is None
    assert status_of(store).live == 1
    worker.finish()
    worker.close()
