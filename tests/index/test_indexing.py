"""The index of a store: what is new, changed or gone, and what can go wrong on the way."""

import os
import random
import shutil
import signal
import sqlite3
import stat
from pathlib import Path

import pytest

from recorder.errors import ExitCode, SealcastError
from recorder.index import database, indexing, writing
from recorder.index.blocks import unpack_text
from recorder.index.database import NAME, IndexDamagedError, open_index, writer_lock
from recorder.index.indexing import Wish, build, rebuild
from recorder.index.schema import APPLICATION_ID, VERSION
from recorder.store.compression import compressed
from recorder.store.layout import Store
from tests.index.recorded import ALONE, BOTH, build_alone, check_whole, record, rows, texts
from tests.index.test_changes import content, content_of_the_log
from tests.store.recordings import Worker


@pytest.fixture
def ids(store: Store) -> list[str]:
    """Three sessions of two commands each."""
    return [
        record(store, [(f"echo {name}", f"{name} was here\r\n"), ("rm -rf /tmp/x", "")])
        for name in ("alpha", "beta", "gamma")
    ]


@pytest.mark.parametrize("wish", [ALONE, BOTH])
def test_commands_and_output_of_all_sessions_are_found(store: Store, ids: list[str], wish: Wish) -> None:
    outcome = build(store, wish)
    assert (outcome.total, outcome.indexed, outcome.broken) == (3, 3, 0)
    assert len(texts(store)) == 6
    found = """SELECT s.id, c.text FROM outputs_fts f JOIN outputs o ON o.id = f.rowid
        JOIN commands c ON c.id = o.stretch JOIN sessions s ON s.key = c.session
        WHERE outputs_fts MATCH 'beta'"""
    assert rows(store, found) == [(ids[1], "echo beta")]
    commands = "SELECT count(*) FROM commands_fts WHERE commands_fts MATCH '\"rm -rf\"'"
    assert rows(store, commands) == [(3,)]
    check_whole(store)


def test_a_session_is_told_as_the_log_knows_it(store: Store, ids: list[str]) -> None:
    build(store, ALONE)
    columns = "id, number, user, state, exit_status, command_count, last_command, live, has_output"
    found = rows(store, f"SELECT {columns} FROM sessions ORDER BY number")
    assert found[0] == (ids[0], 1, "alice", "closed", 0, 2, "rm -rf /tmp/x", 0, 1)


def test_output_is_read_with_the_shell_of_sqlite(store: Store, ids: list[str]) -> None:
    build(store, ALONE)
    data, size = rows(store, "SELECT data, size FROM output_blocks LIMIT 1")[0]
    assert b"was here\n" in unpack_text(data, size)


def test_only_what_is_new_is_read(store: Store, ids: list[str]) -> None:
    build(store, ALONE)
    assert build(store, ALONE).indexed == 0
    record(store, [("uptime", "")])
    assert build(store, ALONE).indexed == 1
    assert len(texts(store)) == 7


def test_a_recording_that_changed_is_read_again(store: Store, ids: list[str]) -> None:
    build(store, ALONE)
    path = store.sealed_path(ids[0])
    path.write_bytes(path.read_bytes()[:-20])
    assert build(store, ALONE).broken == 1
    assert rows(store, "SELECT id FROM broken") == [(ids[0],)]
    assert len(texts(store)) >= 4
    check_whole(store)


def test_what_is_gone_leaves_no_word_behind(store: Store, ids: list[str]) -> None:
    build(store, ALONE)
    store.sealed_path(ids[1]).unlink()
    build(store, ALONE)
    assert rows(store, "SELECT state, file FROM sessions WHERE id = ?", ids[1]) == [("missing", None)]
    assert rows(store, "SELECT count(*) FROM outputs_fts WHERE outputs_fts MATCH 'beta'") == [(0,)]
    assert "echo beta" not in texts(store)
    check_whole(store)


def test_a_recording_that_no_log_knows_comes_and_goes(store: Store, ids: list[str]) -> None:
    strange = f"20260101T000000-{ids[0][-8:]}"
    path = store.make_sealed_directory(strange) / f"{strange}.cast.zst"
    path.write_bytes(store.sealed_path(ids[0]).read_bytes())
    build(store, ALONE)
    assert rows(store, "SELECT state FROM sessions WHERE id = ?", strange) == [("unlogged",)]
    path.unlink()
    assert build(store, ALONE).gone == 1
    assert len(texts(store)) == 6
    check_whole(store)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "header"),
        (b"no cast\n", "header"),
        (b'{"version":2,"width":80,"height":24}\n' + b"x" * 17_000_000, "longer"),
    ],
)
def test_a_broken_recording_is_named_and_the_rest_goes_on(
    store: Store, ids: list[str], content: bytes, reason: str
) -> None:
    store.sealed_path(ids[1]).write_bytes(b"".join(compressed([content])))
    assert build(store, BOTH).broken == 1
    ((broken, why),) = rows(store, "SELECT id, reason FROM broken")
    assert broken == ids[1]
    assert reason in why or "line" in why
    assert [text for text in texts(store) if text.startswith("echo")] == ["echo alpha", "echo gamma"]
    assert build(store, ALONE).indexed == 0


def test_hostile_text_is_data(store: Store) -> None:
    texts_typed = ['"; DROP TABLE commands; --', "NEAR(a b) OR *", "tab\there", "naïve 日本 \U0001f600"]
    record(store, [(text, "a\x00b\x1b]8;;x\x07 \u202eNEAR\r\n" * 3) for text in texts_typed])
    build(store, ALONE)
    assert len(texts(store)) == 4
    build_alone(store)
    check_whole(store)


def test_commands_first_and_output_on_request(store: Store, ids: list[str]) -> None:
    build(store, Wish())
    assert rows(store, "SELECT count(*) FROM output_blocks") == [(0,)]
    assert build(store, ALONE).indexed == 3
    record(store, [("id", "uid=0\r\n")])
    assert build(store, Wish()).indexed == 1
    assert rows(store, "SELECT count(*) FROM sessions WHERE has_output") == [(4,)]


def test_since_leaves_older_sessions_alone(store: Store, ids: list[str]) -> None:
    assert build(store, Wish(since=4e9)).indexed == 0
    build(store, ALONE)
    assert build(store, Wish(since=4e9)).gone == 0
    assert len(texts(store)) == 6


def test_the_command_of_a_session_without_a_shell_is_its_command(store: Store) -> None:
    worker = Worker(store)
    worker.show("3 files changed\r\n")
    worker.finish(4)
    worker.close()
    record(store, [("ls", "")])
    build(store, ALONE)
    found = "SELECT text, exit_status, evidence FROM commands WHERE evidence = 'request'"
    assert rows(store, found) == [("bash -l", 4, "request")]
    words = """SELECT c.evidence FROM outputs_fts f JOIN outputs o ON o.id = f.rowid
        JOIN commands c ON c.id = o.stretch WHERE outputs_fts MATCH 'changed'"""
    assert rows(store, words) == [("request",)]
    assert rows(store, "SELECT count(*) FROM asides WHERE id NOT IN (SELECT stretch FROM outputs)") == [(0,)]


# ── the file ──────────────────────────────────────────────────────────────────


def test_the_index_is_for_its_owner_alone(store: Store, ids: list[str]) -> None:
    build(store, ALONE)
    for name in (NAME, "index.lock"):
        assert stat.S_IMODE((store.root / name).stat().st_mode) == 0o600


def test_a_link_is_not_followed(store: Store, ids: list[str], tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.touch()
    (store.root / NAME).symlink_to(target)
    for action in (build_alone, lambda store: open_index(store.root / NAME)):
        with pytest.raises(SealcastError, match="no regular file"):
            action(store)
    assert target.read_bytes() == b""


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_index_is_said_to_be_damaged(store: Store, ids: list[str], content: bytes) -> None:
    (store.root / NAME).write_bytes(content)
    for action in (build_alone, lambda store: open_index(store.root / NAME)):
        with pytest.raises(IndexDamagedError) as caught:
            action(store)
        assert caught.value.code == ExitCode.FORMAT
        assert "sealcast index rebuild" in (caught.value.hint or "")
    rebuild(store, ALONE)
    assert len(texts(store)) == 6


def test_a_page_of_noise_in_the_index_is_damage(store: Store, ids: list[str]) -> None:
    build(store, ALONE)
    path = store.root / NAME
    data = bytearray(path.read_bytes())
    data[32768:] = os.urandom(len(data) - 32768)
    path.write_bytes(data)
    with pytest.raises(IndexDamagedError):
        build(store, ALONE)
    rebuild(store, BOTH)
    check_whole(store)


def test_an_index_of_a_newer_program_is_left_alone(store: Store, ids: list[str]) -> None:
    build(store, ALONE)
    with sqlite3.connect(store.root / NAME) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    for action in (build_alone, lambda store: open_index(store.root / NAME)):
        with pytest.raises(SealcastError, match="newer sealcast") as caught:
            action(store)
        assert caught.value.code == ExitCode.FORMAT


def test_a_database_of_another_program_is_left_alone(store: Store, ids: list[str]) -> None:
    with sqlite3.connect(store.root / NAME) as connection:
        connection.execute("CREATE TABLE precious (x)")
    connection.close()
    with pytest.raises(IndexDamagedError, match="another program"):
        build(store, ALONE)
    assert APPLICATION_ID


def test_one_writes_at_a_time(store: Store, ids: list[str]) -> None:
    with writer_lock(store.root), pytest.raises(SealcastError, match=f"by process {os.getpid()}"):
        build(store, ALONE)


def test_a_store_of_somebody_else_is_not_written(
    store: Store, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
    with pytest.raises(SealcastError, match="belongs to another account"):
        build(store, ALONE)
    assert not (store.root / NAME).exists()


def test_a_full_disk_is_no_damage(store: Store, ids: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    build(store, ALONE)
    noise = random.Random(1)
    record(store, [(f"echo {number}", noise.randbytes(9000).hex() + "\r\n") for number in range(40)])
    opened = database.open_for_writing

    def small(path: Path) -> object:
        made = opened(path)
        pages = made.execute("PRAGMA page_count").fetchone()[0]
        made.execute(f"PRAGMA max_page_count = {pages}")
        return made

    monkeypatch.setattr("recorder.index.writing.open_for_writing", small)
    with pytest.raises(SealcastError, match="cannot use the index") as caught:
        build(store, ALONE)
    assert caught.value.code == ExitCode.RECORDING
    monkeypatch.undo()
    build(store, ALONE)
    assert len(texts(store)) == 46


def test_readers_go_on_while_it_is_written_and_rebuilt(store: Store, ids: list[str]) -> None:
    build(store, ALONE)
    reader = open_index(store.root / NAME)
    try:
        reader.execute("BEGIN")
        count = reader.execute("SELECT count(*) FROM sessions").fetchone()
        record(store, [("uptime", "")])
        build(store, ALONE)
        rebuild(store, ALONE)
        assert reader.execute("SELECT count(*) FROM sessions").fetchone() == count
    finally:
        reader.close()
    assert len(texts(store)) == 7


# ── killed ────────────────────────────────────────────────────────────────────


def _killed(action: object, store: Store, moment: int) -> bool:
    """Runs `build` or `rebuild` in a process that is killed at its n-th statement; whether it was."""
    pid = os.fork()
    if pid == 0:
        calls = 0

        def count(_event: str) -> None:
            nonlocal calls
            calls += 1
            if calls == moment:
                os.kill(os.getpid(), signal.SIGKILL)

        opened = database.open_for_writing

        def traced(path: Path) -> object:
            database = opened(path)
            database.conn.set_trace_callback(count)
            return database

        vars(writing)["open_for_writing"] = traced
        writing._COMMIT_S = 0.0
        try:
            action(Store(store.root), ALONE)  # type: ignore[operator]
        except BaseException:
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status in {0, -signal.SIGKILL}
    return status != 0


@pytest.mark.slow
@pytest.mark.parametrize("action", [indexing.build, indexing.rebuild])
def test_killed_at_any_moment_it_goes_on_where_it_was(
    store: Store, ids: list[str], action: object, tmp_path: Path
) -> None:
    moment = 1
    while _killed(action, store, moment):
        build(store, ALONE)
        assert len(texts(store)) == 6
        check_whole(store)
        (store.root / NAME).unlink()
        moment += 7
    assert moment > 50


@pytest.mark.slow
def test_killed_while_it_takes_in_what_is_new_it_loses_nothing(
    store: Store, ids: list[str], tmp_path: Path
) -> None:
    worker = Worker(store)
    build(store, ALONE)
    kept = shutil.copy(store.root / NAME, tmp_path / "kept")
    worker.finish(3)
    worker.close()
    os.utime(store.sealed_path(ids[0]), (1, 1))
    store.sealed_path(ids[1]).unlink()
    record(store, [("true", "")])
    expected = content_of_the_log(store)
    moment = 1
    while _killed(indexing.build, store, moment):
        build(store, ALONE)
        assert content(store.root / NAME) == expected
        check_whole(store)
        database.remove_files(store.root / NAME)
        shutil.copy(kept, store.root / NAME)
        moment += 5
    assert moment > 50
