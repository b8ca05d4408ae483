"""Killed at every file operation: what is left is repaired by the next command, and verifies."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from recorder.log.audit import audit
from recorder.log.history import read_history
from recorder.store.layout import Store
from recorder.store.sealing import seal, seal_all, seal_orphans
from recorder.store.state import State
from tests.log.naive_reader import read_log
from tests.store.killing import killed_everywhere
from tests.store.recordings import Worker, record, verdict_of


def copies_of(root: Path, tmp_path: Path) -> Callable[[int], Path]:
    return lambda moment: Path(shutil.copytree(root, tmp_path / str(moment)))


def assert_repaired(store: Store, session_id: str, state: State) -> None:
    """One ending, nothing in `live/`, a log that holds for an independent reader too, and a true verdict."""
    assert store.live_ids() == []
    assert not list(store.root.rglob(".tmp-*"))
    found = audit(store.log)
    assert (found.findings, found.holds) == ([], True)
    read_log(store.log.directory, store.log.origin, store.host_key.public)
    assert found.history.sessions[session_id].endings == 1
    assert verdict_of(store, session_id).state is state


@pytest.mark.parametrize(("finished", "state"), [(True, State.VERIFIED), (False, State.TRUNCATED)])
def test_sealing_killed_anywhere(store: Store, tmp_path: Path, finished: bool, state: State) -> None:
    session_id = record(store, finished=finished)
    moments = 0
    for root in killed_everywhere(
        lambda root: seal(Store(root), session_id), copies_of(store.root, tmp_path)
    ):
        again = Store(root)
        before = verdict_of(again, session_id)
        assert before.state in {State.TRUNCATED, state}, before
        seal_orphans(again)
        assert_repaired(again, session_id, state)
        shutil.rmtree(root)
        moments += 1
    assert moments > 30


def test_sealing_several_killed_anywhere(store: Store, tmp_path: Path) -> None:
    """One checkpoint for all of them: whoever comes next finds each one sealed or as it lay there."""
    states = {record(store, 3): State.VERIFIED, record(store, 3, finished=False): State.TRUNCATED}
    moments = 0
    for root in killed_everywhere(
        lambda root: seal_all(Store(root), list(states)), copies_of(store.root, tmp_path)
    ):
        again = Store(root)
        seal_orphans(again)
        for session_id, state in states.items():
            assert_repaired(again, session_id, state)
        shutil.rmtree(root)
        moments += 1
    assert moments > 50


def test_starting_a_session_killed_anywhere(tmp_path: Path) -> None:
    """From an empty directory to the first lines of a session."""

    def start(root: Path) -> None:
        worker = Worker(Store(root))
        worker.show("one")
        worker.seal()

    moments = 0
    for root in killed_everywhere(start, lambda moment: tmp_path / str(moment)):
        store = Store(root)
        store.prepare()
        seal_orphans(store)
        history = read_history(store.log)
        for session_id in history.sessions:
            assert_repaired(store, session_id, State.TRUNCATED)
        assert store.live_ids() == []
        session_id = record(store)
        seal(store, session_id)
        assert read_history(store.log).sessions[session_id].number == len(history.sessions) + 1
        assert_repaired(store, session_id, State.VERIFIED)
        shutil.rmtree(root)
        moments += 1
    assert moments > 50


def test_an_empty_live_file_is_entered_and_not_kept(store: Store) -> None:
    """Killed after the live file was made and before its first line."""
    worker = Worker(store)
    store.live_path(worker.id).write_bytes(b"")
    worker.close()
    (sealed,) = seal_orphans(store)
    assert (sealed.lines, sealed.path) == (0, None)
    assert_repaired(store, worker.id, State.TRUNCATED)
    assert "before anything was recorded" in verdict_of(store, worker.id).completeness
