import re
import subprocess
import sys
from pathlib import Path

import pytest

from recorder.errors import ExitCode, SealcastError
from recorder.log import entries
from recorder.log.history import read_history
from recorder.log.notary import SessionRequest
from recorder.seal import certificate
from recorder.seal.keys import generate_key, public_bytes
from recorder.store.layout import Store
from tests.log.naive_reader import read_log

REQUEST = SessionRequest("alice", 1000, "local", (80, 24), command="bash -l", title="t", reason="r")
PUBLIC = public_bytes(generate_key())


def test_an_admission_is_certified_and_in_the_log(store: Store) -> None:
    admission = store.notary.admit(REQUEST, PUBLIC)
    assert re.fullmatch(r"\d{8}T\d{6}-[0-9abcdefghjkmnpqrstvwxyz]{8}", admission.session_id)
    assert admission.number == 1
    issued = certificate.parse(admission.certificate, "certificate")
    issued.verify()
    assert (issued.public_key, issued.key_id, issued.serial) == (PUBLIC, admission.session_id, 1)
    assert (issued.principals, issued.ca_public) == ((store.host,), store.host_key.public)
    history = read_history(store.log).sessions[admission.session_id]
    assert history.number == 1
    assert history.opening("process", "command_line") == "bash -l"
    assert history.opening("event", "sequence") == history.opened_index == 1


def test_the_first_entry_is_the_key(store: Store) -> None:
    first = entries.decode(next(store.log.entries(0, 1)), "entry 0")
    assert entries.action(first) == entries.KEY_CREATED


def test_numbers_go_on_behind_many_other_entries(store: Store) -> None:
    store.notary.admit(REQUEST, PUBLIC)
    occasion = entries.Occasion(store.host, 0, "carol", 1001)
    for _ in range(300):
        store.notary.append(entries.recording_accessed(entries.VIEWED, occasion, "x"))
    assert store.notary.admit(REQUEST, PUBLIC).number == 2


def test_an_ending_is_logged_once(store: Store) -> None:
    admission = store.notary.admit(REQUEST, PUBLIC)
    document = {"event": {"action": entries.CLOSED}, "sealcast": {"session": admission.session_id}}
    first = store.notary.append_ending(admission.session_id, document)
    size = store.log.checkpoint().size
    assert store.notary.append_ending(admission.session_id, {"event": {}}) == first
    assert store.log.checkpoint().size == size


def test_a_batch_is_one_checkpoint_and_nothing_before_it(store: Store) -> None:
    size = store.log.checkpoint().size
    with store.notary.batch() as batch:
        admitted = [batch.admit(REQUEST, PUBLIC) for _ in range(300)]
        assert store.log.checkpoint().size == size
    assert [admission.number for admission in admitted] == list(range(1, 301))
    assert store.log.checkpoint().size == size + 300
    history = read_history(store.log)
    assert list(history.sessions) == [admission.session_id for admission in admitted]
    assert history.sessions[admitted[-1].session_id].opening("event", "sequence") == size + 299


def test_a_batch_that_fails_leaves_no_entry_and_holds_no_mark(store: Store) -> None:
    size = store.log.checkpoint().size
    with pytest.raises(SealcastError, match="limit is"):
        _admit_beside_an_empty_entry(store)
    assert store.log.checkpoint().size == size
    assert len(store.live_ids()) == 1
    assert not store.is_starting(store.live_ids()[0])


def _admit_beside_an_empty_entry(store: Store) -> None:
    with store.notary.batch() as batch:
        batch.admit(REQUEST, PUBLIC)
        batch.entries.append(b"")


def test_a_batch_ends_each_session_once(store: Store) -> None:
    first, second = (store.notary.admit(REQUEST, PUBLIC).session_id for _ in range(2))
    ended = {name: _closing(name) for name in (first, second)}
    store.notary.append_ending(first, ended[first])
    with store.notary.batch() as batch:
        assert batch.append_ending(first, _closing(first)) == ended[first]
        assert batch.append_ending(second, ended[second]) == ended[second]
        assert batch.append_ending(second, _closing(second)) == ended[second]
        third = batch.admit(REQUEST, PUBLIC).session_id
        batch.append_ending(third, _closing(third))
    found = read_history(store.log).sessions
    assert [found[name].endings for name in (first, second, third)] == [1, 1, 1]


def _closing(session_id: str) -> entries.Document:
    return {"event": {"action": entries.CLOSED}, "sealcast": {"session": session_id}}


ADMITTER = """
import sys
from pathlib import Path
from recorder.log.notary import SessionRequest
from recorder.seal.keys import generate_key, public_bytes
from recorder.store.layout import Store
store = Store(Path(sys.argv[1]))
store.prepare()
request = SessionRequest("alice", 1000, "local", (80, 24))
for _ in range(int(sys.argv[2])):
    print(store.notary.admit(request, public_bytes(generate_key())).number, flush=True)
"""


def start_admitter(store: Store, count: int) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", ADMITTER, str(store.root), str(count)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def test_numbers_have_no_gap_when_many_start_at_once_in_a_new_store(tmp_path: Path) -> None:
    store = Store(tmp_path / "new")
    admitters = [start_admitter(store, 20) for _ in range(5)]
    numbers = [int(line) for admitter in admitters for line in admitter.communicate()[0].split()]
    assert sorted(numbers) == list(range(1, 101))
    logged = read_log(store.log.directory, store.log.origin, store.host_key.public)
    documents = [entries.decode(entry, "entry") for entry in logged]
    actions = [entries.action(document) for document in documents]
    assert actions == [entries.KEY_CREATED, *[entries.OPENED] * 100]
    assert [document["sealcast"]["number"] for document in documents[1:]] == list(range(1, 101))


def test_a_session_that_cannot_be_logged_leaves_no_gap(store: Store) -> None:
    """The disk is full at the moment of the append: a limit on file size stands in for it."""
    store.notary.admit(REQUEST, PUBLIC)
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
    failed = subprocess.run(
        [sys.executable, "-c", limit + ADMITTER, str(store.root), "1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "SealcastError" in failed.stderr
    assert "too large" in failed.stderr
    assert store.notary.admit(REQUEST, PUBLIC).number == 2
    read_log(store.log.directory, store.log.origin, store.host_key.public)


def test_a_log_without_numbers_is_not_continued(store: Store) -> None:
    store.notary.append({"event": {"action": entries.OPENED}, "sealcast": {"number": "seven"}})
    with pytest.raises(SealcastError, match="no session number") as raised:
        store.notary.admit(REQUEST, PUBLIC)
    assert raised.value.code == ExitCode.BAD
