import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recorder.errors import SealcastError
from recorder.log.notary import SessionRequest
from recorder.seal.keys import generate_key, public_bytes
from recorder.store.catalog import list_sessions, start_of
from recorder.store.layout import Store
from recorder.store.sealing import seal, seal_orphans
from recorder.store.state import State
from tests.store.recordings import Worker, record


def test_without_a_store_there_are_no_sessions(tmp_path: Path) -> None:
    assert list_sessions(Store(tmp_path / "none")) == []


def test_a_finished_session(store: Store) -> None:
    session_id = record(store)
    seal(store, session_id)
    (session,) = list_sessions(store)
    assert (session.id, session.number, session.host) == (session_id, 1, store.host)
    assert (session.user, session.uid, session.origin) == ("alice", 1000, "local")
    assert (session.title, session.command, session.reason) == ("a title", "bash -l", None)
    assert (session.width, session.height, session.exit_status) == (80, 24, 0)
    assert (session.live, session.in_log, session.interrupted) == (False, True, False)
    assert session.duration_s == pytest.approx(2.0)
    assert session.end is not None
    assert 0 <= (session.end - session.start).total_seconds() <= 3
    assert (session.path, session.state_hint) == (store.sealed_path(session_id), None)


def test_the_newest_comes_first(store: Store) -> None:
    ids = [record(store) for _ in range(3)]
    assert [session.id for session in list_sessions(store)] == ids[::-1]


def test_every_state_on_the_way(store: Store) -> None:
    public = public_bytes(generate_key())
    admission = store.notary.admit(SessionRequest("a", 1, "sshd", (0, 0), source={"ip": "::1"}), public)
    (session,) = list_sessions(store)
    assert (session.live, session.path, session.state_hint) == (True, None, State.LIVE)
    assert (session.source, session.origin) == ("::1", "sshd")
    os.close(store.create_live(admission.session_id))
    store.release(admission.session_id)
    (session,) = list_sessions(store)
    assert (session.live, session.state_hint) == (False, State.TRUNCATED)
    assert session.path == store.live_path(admission.session_id)
    seal_orphans(store)
    (session,) = list_sessions(store)
    assert (session.path, session.state_hint, session.interrupted) == (None, State.TRUNCATED, True)


def test_a_live_session(store: Store) -> None:
    worker = Worker(store)
    (session,) = list_sessions(store)
    worker.close()
    assert (session.live, session.state_hint, session.duration_s) == (True, State.LIVE, None)
    assert session.path == store.live_path(worker.id)


def test_a_missing_file(store: Store) -> None:
    session_id = record(store)
    seal(store, session_id)
    store.sealed_path(session_id).unlink()
    (session,) = list_sessions(store)
    assert (session.path, session.state_hint) == (None, State.MISSING)


def test_a_recording_that_the_log_does_not_know(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "other")
    session_id = record(other)
    seal(other, session_id)
    store.make_sealed_directory(session_id)
    shutil.copy(other.sealed_path(session_id), store.sealed_path(session_id))
    unreadable = store.sealed_path(session_id[:-1] + ("0" if session_id[-1] != "0" else "1"))
    unreadable.write_bytes(b"junk")
    found = {session.path: session for session in list_sessions(store)}
    assert {session.in_log for session in found.values()} == {False}
    assert {session.state_hint for session in found.values()} == {State.BAD}
    assert found[store.sealed_path(session_id)].user == "alice"
    assert found[unreadable].user == ""


def test_what_is_no_recording_is_passed_over(store: Store, tmp_path: Path) -> None:
    day = store.make_sealed_directory("20261120T101502-k7f3q9xw")
    (day / "notes.txt").write_text("x")
    (day / ".tmp-1").write_text("x")
    (day / "20261120T101502-k7f3q9xw.cast.zst").symlink_to(tmp_path)
    (store.live_directory / "notes.cast").write_text("x")
    assert list_sessions(store) == []


def test_a_damaged_log_is_an_error_that_says_what_to_do(store: Store) -> None:
    (store.log.directory / "checkpoint").write_text("x")
    with pytest.raises(SealcastError, match="checkpoint") as raised:
        list_sessions(store)
    assert "sealcast verify --all" in str(raised.value.hint)


def test_the_start_in_an_id() -> None:
    assert start_of("20261120T101502-k7f3q9xw") == datetime(2026, 11, 20, 10, 15, 2, tzinfo=UTC)
    assert start_of("20269999T101502-k7f3q9xw") == datetime(1970, 1, 1, tzinfo=UTC)
