"""The list of sessions from the index says what the catalog says, whatever happened since it was written."""

import os
import shutil
import sqlite3
from contextlib import suppress
from types import SimpleNamespace

import pytest

from recorder.index.database import NAME, IndexDamagedError
from recorder.index.indexing import Wish, build
from recorder.index.listing import Counts, current_listing
from recorder.index.query import parse
from recorder.store.catalog import Session, list_sessions
from recorder.store.layout import SEALED_SUFFIX, Store
from recorder.store.sealing import seal_orphans
from recorder.store.state import State
from tests.index.recorded import ALONE, record
from tests.index.test_changes import execute
from tests.store.recordings import Worker

STRANGE = "20200102T030405-aaaaaaaa"


def listed(store: Store) -> list[Session] | None:
    with current_listing(store) as listing:
        return None if listing is None else list(listing.newest())


def counts(store: Store) -> Counts | None:
    with current_listing(store) as listing:
        return None if listing is None else listing.counts()


def test_it_says_what_the_catalog_says(store: Store, ids: list[str]) -> None:
    expected = list_sessions(store)
    assert listed(store) == expected
    assert [one.size_bytes for one in expected].count(None) == 0
    assert counts(store) == Counts(3, 0, 0)


def test_sessions_that_came_ended_and_go_on(store: Store, ids: list[str]) -> None:
    one = Worker(store)
    build(store, ALONE)
    two = Worker(store)
    expected = list_sessions(store)
    assert [session.live for session in expected] == [True, True, False, False, False]
    assert listed(store) == expected
    assert counts(store) == Counts(5, 2, 0)
    one.finish()
    one.close()
    record(store, [("true", "")])
    assert listed(store) == list_sessions(store)
    two.finish()
    two.close()


def test_a_recorder_that_was_killed_is_not_live(store: Store, ids: list[str]) -> None:
    worker = Worker(store)
    build(store, ALONE)
    worker.close()
    expected = list_sessions(store)
    assert expected[0].state_hint is State.TRUNCATED
    assert listed(store) == expected


def test_a_file_that_is_gone_and_one_that_came_back(store: Store, ids: list[str]) -> None:
    path = store.sealed_path(ids[1])
    kept = path.rename(store.root / "kept")
    assert listed(store) == list_sessions(store)
    assert counts(store) == Counts(3, 0, 1)
    build(store, ALONE)
    assert listed(store) == list_sessions(store)
    kept.rename(path)
    assert listed(store) == list_sessions(store)
    shutil.rmtree(path.parent)
    assert listed(store) == list_sessions(store)
    assert counts(store) == Counts(3, 0, 3)


def test_what_was_interrupted_and_came_back_is_that_again(store: Store, ids: list[str]) -> None:
    worker = Worker(store)
    worker.close()
    seal_orphans(store)
    path = store.sealed_path(worker.id)
    kept = path.rename(store.root / "kept")
    build(store, ALONE)
    kept.rename(path)
    expected = list_sessions(store)
    assert (expected[0].id, expected[0].state_hint) == (worker.id, State.TRUNCATED)
    assert listed(store) == expected


def test_a_recording_that_the_log_does_not_know(store: Store, ids: list[str]) -> None:
    directory = store.make_sealed_directory(STRANGE)
    shutil.copy(store.sealed_path(ids[0]), directory / f"{STRANGE}{SEALED_SUFFIX}")
    expected = list_sessions(store)
    assert (expected[-1].id, expected[-1].state_hint) == (STRANGE, State.BAD)
    assert listed(store) == expected
    assert counts(store) == Counts(4, 0, 1)
    build(store, ALONE)
    assert listed(store) == list_sessions(store)
    assert counts(store) == Counts(4, 0, 1)
    (directory / f"{STRANGE}{SEALED_SUFFIX}").unlink()
    assert listed(store) == list_sessions(store)
    assert counts(store) == Counts(3, 0, 0)


@pytest.mark.parametrize(
    ("moments", "is_seen"),
    [((0, 100), True), ((60, 100), False), ((60, 30), True)],
    ids=["before it changed", "after that", "after that, and the clock was put back"],
)
def test_files_are_looked_for_where_directories_changed(
    store: Store, ids: list[str], monkeypatch: pytest.MonkeyPatch, moments: tuple[float, float], is_seen: bool
) -> None:
    """What the directory says of its time is what an archive or a copy said."""
    path = store.sealed_path(ids[0])
    changed_at = path.parent.stat().st_ctime
    looked_at, now = (changed_at + moment for moment in moments)
    path.unlink()
    os.utime(path.parent, (0, 0))
    execute(store.root / NAME, "UPDATE meta SET value = ? WHERE key = 'looked_at'", looked_at)
    monkeypatch.setattr("recorder.index.news.time", SimpleNamespace(time=lambda: now))
    with current_listing(store) as listing:
        assert listing is not None
        assert list(listing.changed) == [ids[0]] * is_seen


def test_queries_about_facts(store: Store, ids: list[str]) -> None:
    new = record(store, [("true", "")])
    for text in ("", "user:alice", "user:bob", f"id:{ids[1]}", f"id:{new}", "alice -is:live", "len:>1h"):
        query = parse(text)
        with current_listing(store) as listing:
            assert listing is not None
            found = list(listing.sessions(listing.fitting(query)))
        assert found == [one for one in list_sessions(store) if query.matches(one)], text


def test_a_partial_index_does_not_list(store: Store) -> None:
    record(store, [("true", "")])
    assert listed(store) is None
    build(store, Wish(since=4e9))
    assert listed(store) is None
    build(store, ALONE)
    assert listed(store) == list_sessions(store)


def test_an_index_that_lacks_a_session_does_not_list(store: Store, ids: list[str]) -> None:
    connection = sqlite3.connect(store.root / NAME)
    connection.execute("DELETE FROM sessions WHERE id = ?", (ids[1],))
    connection.commit()
    connection.close()
    assert listed(store) is None


@pytest.mark.parametrize(
    "statement",
    [
        "PRAGMA user_version = 1",
        "PRAGMA user_version = 99",
        "UPDATE meta SET value = 1000000 WHERE key = 'log_size'",
        "UPDATE meta SET value = 'many' WHERE key = 'log_size'",
    ],
)
def test_an_index_of_another_time_or_log_does_not_list(store: Store, ids: list[str], statement: str) -> None:
    connection = sqlite3.connect(store.root / NAME)
    connection.execute(statement)
    connection.commit()
    connection.close()
    assert listed(store) is None


@pytest.mark.parametrize("data", [b"", b"no database at all" * 100])
def test_a_file_that_is_no_index_does_not_list(store: Store, ids: list[str], data: bytes) -> None:
    for name in (NAME, f"{NAME}-wal", f"{NAME}-shm"):
        (store.root / name).unlink(missing_ok=True)
    (store.root / NAME).write_bytes(data)
    assert listed(store) is None


@pytest.mark.parametrize(
    "change",
    ["started = 1e300", "id = 'x'", "file = '/etc/passwd'", "user = x'ff00'", "file = 'sealed/../../x'"],
)
def test_a_row_that_is_no_session_is_damage(store: Store, ids: list[str], change: str) -> None:
    connection = sqlite3.connect(store.root / NAME)
    connection.execute(f"UPDATE sessions SET {change} WHERE number = 2")
    connection.commit()
    connection.close()
    with suppress(IndexDamagedError):
        assert listed(store) is None
