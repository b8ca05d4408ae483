import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from recorder.errors import ExitCode, SealcastError
from recorder.log.history import read_history
from recorder.seal.merkle import leaf_hash, root_of
from recorder.store.layout import Store
from recorder.store.sealing import Outcome, Sealed, seal, seal_all, seal_orphans
from recorder.store.state import State
from tests.marks import needs
from tests.store.recordings import REQUEST, Worker, record, text_of, verdict_of


def test_a_finished_recording_is_closed(store: Store) -> None:
    session_id = record(store)
    plain = store.live_path(session_id).read_bytes()
    sealed = seal(store, session_id)
    assert (sealed.verdict, sealed.exit_status, sealed.path) == (
        Outcome.CLOSED,
        0,
        store.sealed_path(session_id),
    )
    assert (sealed.lines, sealed.size_bytes) == (plain.count(b"\n"), len(plain))
    assert text_of(store, session_id) == plain
    assert store.live_ids() == []


def test_the_log_says_what_was_sealed(store: Store) -> None:
    session_id = record(store, 400)
    plain = store.live_path(session_id).read_bytes()
    seal(store, session_id)
    history = read_history(store.log).sessions[session_id]
    assert history.ending("file", "hash", "sha256") == hashlib.sha256(plain).hexdigest()
    assert history.ending("file", "size") == len(plain)
    assert history.ending("file", "path") == str(store.sealed_path(session_id).relative_to(store.root))
    leaves = [leaf_hash(line) for line in plain.splitlines(keepends=True)]
    assert history.ending("sealcast", "lines") == len(leaves)
    assert history.ending("sealcast", "root") == root_of(leaves).hex()
    assert history.ending("sealcast", "seals") == 81
    landmarks = history.ending("sealcast", "landmarks")
    assert isinstance(landmarks, list)
    assert 16 <= len(landmarks) <= 32
    for size, root in landmarks:
        assert root_of(leaves[:size]).hex() == root


def test_what_a_killed_worker_leaves_is_interrupted(store: Store) -> None:
    session_id = record(store, finished=False)
    lines = store.live_path(session_id).read_bytes()
    with open(store.live_path(session_id), "ab") as file:
        file.write(b'[9.1, "o", "never sho')
    (sealed,) = seal_orphans(store)
    assert sealed.verdict is Outcome.INTERRUPTED
    assert text_of(store, session_id) == lines
    history = read_history(store.log).sessions[session_id]
    assert history.ending("sealcast", "dropped") == {
        "bytes": 21,
        "sha256": hashlib.sha256(b'[9.1, "o", "never sho').hexdigest(),
    }


def test_many_are_sealed_under_one_checkpoint(store: Store) -> None:
    session_ids = [record(store, 2, finished=number % 7 > 0) for number in range(20)]
    size = store.log.checkpoint().size
    done = seal_all(store, session_ids)
    assert [sealed.session_id for sealed in done] == session_ids
    assert [sealed.verdict is Outcome.CLOSED for sealed in done] == [number % 7 > 0 for number in range(20)]
    assert store.log.checkpoint().size == size + 20
    assert store.live_ids() == []
    assert verdict_of(store, session_ids[1]).state is State.VERIFIED


def test_large_recordings_do_not_keep_others_waiting(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handful stays locked until all of it is done."""
    session_ids = [record(store, 2) for _ in range(5)]
    size = store.live_path(session_ids[0]).stat().st_size
    monkeypatch.setattr("recorder.store.sealing._HANDFUL_BYTES", size * 5 // 2)
    handfuls: list[int] = []

    def counted(of: Store, session_ids: Sequence[str]) -> list[Sealed]:
        handfuls.append(len(session_ids))
        return seal_all(of, session_ids)

    monkeypatch.setattr("recorder.store.sealing.seal_all", counted)
    assert len(seal_orphans(store)) == 5
    assert handfuls == [2, 2, 1]


def test_what_cannot_be_sealed_keeps_out_nothing_else(store: Store) -> None:
    worker = Worker(store)
    stranger = "20260101T000000-00000000"
    store.live_path(stranger).write_bytes(b"not recorded here\n")
    waiting = store.notary.admit(REQUEST, bytes(32)).session_id
    store.release(waiting)
    session_id = record(store)
    done = seal_all(store, [worker.id, stranger, session_id, waiting])
    assert [sealed.session_id for sealed in done] == [session_id, waiting]
    assert store.live_ids() == sorted([worker.id, stranger])
    worker.close()


def test_a_live_recording_is_left_alone(store: Store) -> None:
    worker = Worker(store)
    worker.show("one")
    assert seal_orphans(store) == []
    assert store.live_path(worker.id).exists()
    worker.close()
    assert [sealed.session_id for sealed in seal_orphans(store)] == [worker.id]


def test_an_admitted_session_that_has_no_file_yet_is_left_alone(store: Store) -> None:
    worker = Worker(store)
    os.rename(store.live_path(worker.id), store.opening_path(worker.id))
    assert seal_orphans(store) == []
    worker.close()


def test_a_closing_signature_of_other_bytes_is_not_taken(store: Store) -> None:
    worker = Worker(store)
    worker.show("one")
    early = worker.file_signature()
    worker.seal(final=True)
    store.write_signature(worker.id, early)
    worker.close()
    assert seal(store, worker.id).verdict is Outcome.INTERRUPTED
    verdict = verdict_of(store, worker.id)
    assert verdict.state is State.VERIFIED
    assert "the host signed the file as it was left" in verdict.rows[0].result


def test_a_changed_live_file_is_kept_and_called_bad(store: Store) -> None:
    session_id = record(store)
    path = store.live_path(session_id)
    path.write_bytes(path.read_bytes().replace(b"line 7", b"line X"))
    sealed = seal(store, session_id)
    assert sealed.verdict is Outcome.INTERRUPTED
    assert "does not match" in str(sealed.finding)
    assert verdict_of(store, session_id).state is State.BAD


def test_sealing_again_gives_the_same(store: Store) -> None:
    session_id = record(store)
    first = seal(store, session_id)
    size = store.log.checkpoint().size
    assert seal(store, session_id) == first
    assert store.log.checkpoint().size == size


def test_a_session_that_never_was(store: Store) -> None:
    with pytest.raises(SealcastError, match="nothing is left of session") as raised:
        seal(store, "20261120T101502-k7f3q9xw")
    assert raised.value.code == ExitCode.RECORDING


def test_a_file_that_was_not_recorded_here_is_not_entered(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "other")
    session_id = record(other)
    os.rename(other.live_path(session_id), store.live_path(session_id))
    size = store.log.checkpoint().size
    with pytest.raises(SealcastError, match="is not in the log"):
        seal(store, session_id)
    assert seal_orphans(store) == []
    assert store.live_path(session_id).exists()
    assert store.log.checkpoint().size == size


def test_several_processes_seal_each_recording_once(store: Store) -> None:
    ids = [record(store, 50) for _ in range(6)]
    script = (
        "import sys; from pathlib import Path; from recorder.store.layout import Store;"
        "from recorder.store.sealing import seal; store = Store(Path(sys.argv[1]));"
        "[print(seal(store, name).verdict) for name in sys.argv[2:]]"
    )
    sealers = [
        subprocess.Popen([sys.executable, "-c", script, str(store.root), *order], stdout=subprocess.PIPE)
        for order in (ids, ids[::-1], ids)
    ]
    for sealer in sealers:
        assert sealer.communicate()[0].split() == [b"closed"] * 6
    history = read_history(store.log)
    assert [history.sessions[name].endings for name in ids] == [1] * 6


def test_links_planted_in_live_and_sealed_are_not_followed(store: Store, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"untouched")
    planted = store.live_directory / "20261120T101502-k7f3q9xw.cast"
    planted.symlink_to(victim)
    session_id = record(store)
    store.make_sealed_directory(session_id)
    store.sealed_path(session_id).symlink_to(victim)
    store.sealed_signature_path(session_id).symlink_to(victim)
    assert [sealed.session_id for sealed in seal_orphans(store)] == [session_id]
    assert victim.read_bytes() == b"untouched"
    assert not store.sealed_path(session_id).is_symlink()
    assert planted.is_symlink()


def test_a_linked_day_is_refused_and_the_recording_kept(store: Store, tmp_path: Path) -> None:
    session_id = record(store)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (store.sealed_directory / session_id[:4]).symlink_to(elsewhere)
    with pytest.raises(SealcastError, match="not a directory"):
        seal(store, session_id)
    assert store.live_path(session_id).exists()
    assert not list(elsewhere.iterdir())


LIMITED = """
import resource, signal, sys
from pathlib import Path
from recorder.store.layout import Store
from recorder.store.sealing import seal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
seal(Store(Path(sys.argv[1])), sys.argv[2])
"""


@pytest.mark.parametrize("room", [10, 400, 3000])
def test_a_full_disk_loses_nothing(store: Store, room: int) -> None:
    """A limit on file size stands in for it: at the recording, at its signature, at the log."""
    session_id = record(store, 1000)
    plain = store.live_path(session_id).read_bytes()
    failed = subprocess.run(
        [sys.executable, "-c", LIMITED, str(store.root), session_id, str(room)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "SealcastError: cannot" in failed.stderr
    assert "file too large" in failed.stderr
    assert store.live_path(session_id).read_bytes() == plain
    assert seal(store, session_id).verdict is Outcome.CLOSED
    assert verdict_of(store, session_id).state is State.VERIFIED
    assert not list(store.sealed_directory.rglob(".tmp-*"))


def test_waiting_for_another_sealer(store: Store) -> None:
    """`seal` while someone holds the file waits, then goes on."""
    worker = Worker(store)
    worker.show("one")
    worker.finish()
    waiting = threading.Thread(target=seal, args=(Store(store.root), worker.id))
    waiting.start()
    assert waiting.is_alive()
    worker.close()
    waiting.join(20)
    assert verdict_of(store, worker.id).state is State.VERIFIED


@needs("ssh-keygen", "zstd")
@pytest.mark.parametrize("finished", [True, False])
def test_stock_tools_check_the_signature(store: Store, finished: bool) -> None:
    session_id = record(store, finished=finished)
    seal(store, session_id)
    command = f"zstd -dc '{store.sealed_path(session_id)}' | ssh-keygen -Y verify -f '{store.trusted_path}'"
    command += f" -I {store.host} -n sealcast -s '{store.sealed_signature_path(session_id)}'"
    good = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert good.stdout.startswith(f'Good "sealcast" signature for {store.host}'), good.stderr
    bad = subprocess.run(
        ["sh", "-c", command.replace("| ssh", "| sed 's/line 3/line X/' | ssh")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert bad.returncode != 0
    other = subprocess.run(
        ["sh", "-c", command.replace(f"-I {store.host}", "-I other")], capture_output=True, check=False
    )
    assert other.returncode != 0
