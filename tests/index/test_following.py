"""Sessions that are being recorded are in the index while they go on."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from recorder.index.database import NAME
from recorder.index.following import Follower, follow
from recorder.index.indexing import build
from recorder.index.writing import IndexWriter
from recorder.store.layout import Store
from recorder.store.sealing import seal_orphans
from tests.e2e.sessions import DEADLINE_SECONDS, wait_for
from tests.index.casts import PROMPT, session, show
from tests.index.recorded import ALONE, check_whole, record, rows, texts
from tests.index.test_changes import changes, content, content_of_the_log
from tests.store.recordings import Worker

_TAIL = "SELECT count(*) FROM outputs_fts WHERE outputs_fts MATCH ?"


@pytest.fixture
def follower(store: Store) -> Iterator[Follower]:
    with following(store) as made:
        yield made


@contextmanager
def following(store: Store) -> Iterator[Follower]:
    with IndexWriter(store.root / NAME) as writer:
        made = Follower(store, writer, ALONE)
        catch_up(made)
        yield made
        made.close()


def catch_up(follower: Follower) -> None:
    follower.catch_up(lambda _done, _total: None)


@pytest.fixture
def worker(store: Store) -> Iterator[Worker]:
    made = Worker(store)
    yield made
    made.close()


def _steps(follower: Follower) -> None:
    """Two looks: the last output of the first may still have wanted its exact bytes."""
    follower.step()
    follower.step()


def test_a_live_session_is_there_with_what_it_runs(store: Store, follower: Follower, worker: Worker) -> None:
    show(worker, session([("ls", "a\r\n")]))
    show(worker, session([("tail -f log", "first\r\n")])[1:-1])
    _steps(follower)
    assert texts(store) == ["ls", "tail -f log"]
    assert rows(store, "SELECT live, state, last_command FROM sessions") == [(1, "live", "tail -f log")]
    assert rows(store, "SELECT duration IS NULL FROM commands ORDER BY ordinal") == [(0,), (1,)]
    worker.show("second needle\r\n" * 40)
    _steps(follower)
    assert rows(store, _TAIL, "needle") != [(0,)]
    assert rows(store, "SELECT sum(lines) FROM output_blocks") == [(1 + 1 + 1 + 40,)]
    check_whole(store)


def test_the_end_of_a_session_ends_its_rows(store: Store, follower: Follower) -> None:
    worker = Worker(store)
    show(worker, session([("ls", "a\r\n")]))
    _steps(follower)
    show(worker, session([("exit", "logout\r\n")])[1:])
    worker.finish(3)
    worker.close()
    seal_orphans(store)
    _steps(follower)
    columns = "live, state, exit_status, command_count, file_size IS NOT NULL"
    assert rows(store, f"SELECT {columns} FROM sessions") == [(0, "closed", 3, 2, 1)]
    assert texts(store) == ["ls", "exit"]
    assert rows(store, _TAIL, "logout") == [(1,)]
    check_whole(store)


def test_a_line_that_was_given_up_leaves_no_command(store: Store, follower: Follower, worker: Worker) -> None:
    show(worker, [*session([])])
    worker.show("for i in 1 2")
    worker.show("\r\n\x1b[?2004l\r\x1b[?2004h> ")
    _steps(follower)
    worker.show("^C\r\n\x1b[?2004l\r\r\n\x1b[?2004h" + PROMPT)
    worker.show("true")
    worker.show("\r\n\x1b[?2004l\r\x1b[?2004h" + PROMPT)
    _steps(follower)
    assert "true" in texts(store)
    check_whole(store)


def test_sessions_that_end_between_two_looks_are_taken_in(store: Store, follower: Follower) -> None:
    record(store, [("id", "uid=0\r\n")])
    follower.step()
    assert texts(store) == ["id"]


def test_a_live_recording_that_cannot_be_read_is_named(
    store: Store, follower: Follower, worker: Worker
) -> None:
    follower.step()
    other = record(store, [("id", "")])
    worker.write_raw(b"x" * 17_000_000)
    for _ in range(20):
        follower.step()
    assert rows(store, "SELECT id FROM broken") == [(worker.id,)]
    assert rows(
        store, "SELECT count(*) FROM commands c JOIN sessions s ON s.key = c.session WHERE s.id = ?", other
    )


def test_a_live_recording_that_could_not_be_read_ends(store: Store, follower: Follower) -> None:
    worker = Worker(store)
    show(worker, session([("ls", "a\r\n")]))
    _steps(follower)
    worker.write_raw(b"x" * 17_000_000)
    for _ in range(20):
        follower.step()
    worker.close()
    seal_orphans(store)
    _steps(follower)
    assert rows(store, "SELECT state FROM sessions") == [("interrupted",)]
    assert texts(store) == ["ls"]
    check_whole(store)


# ── sessions that began before the follower came ──────────────────────────────


@pytest.fixture
def older(store: Store) -> Iterator[Worker]:
    """A session that goes on, and that the index has taken in."""
    record(store, [("id", "uid=0\r\n")])
    made = Worker(store)
    show(made, session([("ls", "a\r\n")]))
    build(store, ALONE)
    yield made
    with suppress(OSError):
        made.close()


_OLDER = "SELECT state, live, exit_status, user, number, command_count FROM sessions WHERE id = ?"


def test_it_is_followed(store: Store, older: Worker) -> None:
    with following(store) as follower:
        _steps(follower)
        show(older, session([("uptime", "up\r\n")])[1:])
        _steps(follower)
        assert texts(store) == ["id", "ls", "uptime"]
        assert rows(store, _OLDER, older.id) == [("live", 1, None, "alice", 2, 2)]


@pytest.mark.parametrize("rescans", [False, True])
def test_its_end_is_taken_in(store: Store, older: Worker, rescans: bool) -> None:
    """Also where the end came just before all of the store is looked at again."""
    with following(store) as follower:
        _steps(follower)
        older.finish(3)
        older.close()
        seal_orphans(store)
        if rescans:
            catch_up(follower)
            assert rows(store, _OLDER, older.id) == [("closed", 0, 3, "alice", 2, 1)]
        _steps(follower)
        assert rows(store, _OLDER, older.id) == [("closed", 0, 3, "alice", 2, 1)]
    assert changes(store) == {}
    assert content(store.root / NAME) == content_of_the_log(store)


def test_its_end_without_a_word_in_the_log_is_seen(store: Store, older: Worker) -> None:
    with following(store) as follower:
        older.close()
        new = Worker(store)
        _steps(follower)
        assert rows(store, "SELECT state FROM sessions WHERE id = ?", older.id) == [("open",)]
        new.close()
        seal_orphans(store)
        _steps(follower)
        assert rows(store, "SELECT DISTINCT state FROM sessions") == [("closed",), ("interrupted",)]
    assert content(store.root / NAME) == content_of_the_log(store)


def test_a_log_that_was_put_back_is_read_from_its_beginning(
    store: Store, follower: Follower, tmp_path: Path
) -> None:
    kept = shutil.copytree(store.log.directory, tmp_path / "log")
    lost = record(store, [("id", "")])
    _steps(follower)
    shutil.rmtree(store.log.directory)
    shutil.copytree(kept, store.log.directory)
    other = record(store, [("true", "")])
    _steps(follower)
    found = "SELECT id, state FROM sessions"
    assert dict(rows(store, found)) == {lost: "unlogged", other: "closed"}


def test_a_damaged_log_is_read_once(
    store: Store, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(store, [("id", "")])
    shutil.rmtree(store.log.directory / "tile" / "0")
    passes: list[None] = []
    monkeypatch.setattr(follower, "catch_up", lambda _said: passes.append(None))
    _steps(follower)
    assert passes == [None]


def test_following_ends_when_it_is_told(store: Store) -> None:
    record(store, [("id", "")])
    waits = iter([False, False, True])
    follow(store, ALONE, lambda _seconds: next(waits))
    assert texts(store) == ["id"]


# ── as a process ──────────────────────────────────────────────────────────────


def _start(store: Store) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "recorder.cli", "index", "build", "--output", "--follow", "--store"]
    return subprocess.Popen([*command, str(store.root)])


def _has(store: Store, text: str) -> bool:
    return (store.root / NAME).exists() and text in texts(store)


@pytest.mark.slow
def test_a_follower_that_is_killed_loses_nothing(store: Store, worker: Worker) -> None:
    show(worker, session([("ls", "a\r\n")]))
    process = _start(store)
    try:
        wait_for(lambda: (store.root / NAME).exists() and _ready(store), "the index is built")
        show(worker, session([("uptime", "up\r\n")])[1:])
        wait_for(lambda: _has(store, "uptime"), lambda: f"uptime is indexed: {texts(store)}")
    finally:
        process.kill()
        process.wait()
    show(worker, session([("id", "uid=0\r\n")])[1:])
    build(store, ALONE)
    assert texts(store) == ["ls", "uptime", "id"]
    check_whole(store)


def _ready(store: Store) -> bool:
    try:
        return bool(rows(store, "SELECT 1 FROM meta WHERE key = 'built_at'"))
    except Exception:
        return False


@pytest.mark.slow
def test_a_follower_ends_at_sigterm(store: Store) -> None:
    record(store, [("id", "")])
    process = _start(store)
    try:
        wait_for(lambda: (store.root / NAME).exists() and _ready(store), "the index is built")
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_SECONDS) == 0
    finally:
        process.kill()
        process.wait()
    assert texts(store) == ["id"]
