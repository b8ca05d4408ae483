"""What `index status` counts, with a look at all of the log and with one at what is new in it."""

import os
import sqlite3
from collections.abc import Callable

import pytest

from recorder.index.database import NAME, IndexDamagedError
from recorder.index.indexing import build
from recorder.index.status import status_of
from recorder.store.layout import Store
from tests.index.recorded import ALONE, record
from tests.store.recordings import Worker

Counts = dict[str, int]


def counts(store: Store) -> Counts:
    """What is not 0."""
    status = status_of(store)
    names = ("live", "missing", "changed", "gone")
    return {name: getattr(status, name) for name in names if getattr(status, name)}


def set_log_size(store: Store, size: int) -> None:
    set_fact(store, "log_size", str(size))


def set_fact(store: Store, key: str, value: str) -> None:
    connection = sqlite3.connect(store.root / NAME)
    connection.execute("UPDATE meta SET value = ? WHERE key = ?", (value, key))
    connection.commit()
    connection.close()


def _remove(store: Store, session: str) -> None:
    store.sealed_path(session).unlink()


def _touch(store: Store, session: str) -> None:
    os.utime(store.sealed_path(session), (1, 1))


def _add(store: Store, _session: str) -> None:
    record(store, [("id", "")])


def _add_stranger(store: Store, session: str) -> None:
    strange = f"20260101T000000-{session[-8:]}"
    path = store.make_sealed_directory(strange) / f"{strange}.cast.zst"
    path.write_bytes(store.sealed_path(session).read_bytes())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda _store, _session: None, {}),
        (_remove, {"changed": 1}),
        (_touch, {"changed": 1}),
        (_add, {"missing": 1}),
        (_add_stranger, {"missing": 1}),
    ],
)
def test_what_has_happened_is_counted(
    store: Store, ids: list[str], change: Callable[[Store, str], None], expected: Counts
) -> None:
    change(store, ids[1])
    assert counts(store) == expected
    for size in (0, 1_000_000):  # all of the log is looked at, also where it has become shorter
        set_log_size(store, size)
        assert counts(store) == expected


def test_what_is_gone_and_what_came_back_is_counted(store: Store, ids: list[str]) -> None:
    _add_stranger(store, ids[0])
    text = store.sealed_path(ids[1]).read_bytes()
    _remove(store, ids[1])
    build(store, ALONE)
    assert counts(store) == {}
    _remove(store, f"20260101T000000-{ids[0][-8:]}")
    store.sealed_path(ids[1]).write_bytes(text)
    assert counts(store) == {"changed": 1, "gone": 1}


def test_live_sessions_are_counted_apart(store: Store, ids: list[str]) -> None:
    worker = Worker(store)
    assert counts(store) == {"live": 1}
    build(store, ALONE)
    assert counts(store) == {"live": 1}
    worker.close()
    assert counts(store) == {"changed": 1}


def test_sums_are_those_of_the_tables(store: Store, ids: list[str]) -> None:
    status = status_of(store)
    assert (status.sessions, status.commands) == (3, 3)
    assert status.text_bytes == len("Welcome to web\n" * 3 + "alpha\nbeta\ngamma\n")


@pytest.mark.parametrize("key", ["log_size", "built_at"])
@pytest.mark.parametrize("value", ["", "many", "-1", "nan", "1e999", "9" * 400, "\N{SUPERSCRIPT TWO}"])
def test_a_fact_that_is_no_number_is_damage(store: Store, ids: list[str], key: str, value: str) -> None:
    set_fact(store, key, value)
    _touch(store, ids[0])  # else the log is not looked at
    with pytest.raises(IndexDamagedError, match=f"{key} is no number"):
        status_of(store)


@pytest.mark.parametrize("value", ["", "root", "G" * 64, "0" * 63])
def test_a_root_that_is_no_hash_is_damage(store: Store, ids: list[str], value: str) -> None:
    set_fact(store, "log_root", value)
    with pytest.raises(IndexDamagedError, match="log_root is no hash"):
        status_of(store)
