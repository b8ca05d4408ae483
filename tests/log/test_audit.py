import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from recorder.log import entries
from recorder.log.audit import Audit, audit
from recorder.log.journal import Log
from recorder.log.notary import SessionRequest
from recorder.log.tiles import pack_entries, unpack_entries
from recorder.seal.keys import generate_key, public_bytes
from recorder.store.layout import Store

REQUEST = SessionRequest("alice", 1000, "local", (80, 24))
SIZE = 261


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of 261 entries: two bundles, the second one in part."""
    store = Store(tmp_path_factory.mktemp("template"))
    store.prepare()
    public = public_bytes(generate_key())
    for _ in range(3):
        store.notary.admit(REQUEST, public)
    occasion = entries.Occasion(store.host, 0, "carol", 1001)
    while store.log.checkpoint().size < SIZE:
        store.notary.append(entries.recording_accessed(entries.VIEWED, occasion, "x"))
    store.close()
    return store.root


@pytest.fixture
def log(template: Path, tmp_path: Path) -> Log:
    """A copy to damage."""
    return Store(shutil.copytree(template, tmp_path / "copy")).log


def sentences(found: Audit) -> str:
    return "\n".join(finding.sentence for finding in found.findings)


def edit_bundle(path: Path, count: int, edit: Callable[[list[bytes]], None]) -> None:
    bundle = unpack_entries(path.read_bytes(), count, "bundle")
    edit(bundle)
    path.write_bytes(pack_entries(bundle))


def test_a_whole_log_is_proved(log: Log) -> None:
    found = audit(log)
    assert (found.findings, found.holds, found.unproved) == ([], True, set())
    assert [session.number for session in found.history.sessions.values()] == [1, 2, 3]


def test_a_changed_entry_is_named(log: Log) -> None:
    def edit(bundle: list[bytes]) -> None:
        bundle[2] = bundle[2].replace(b"alice", b"malet")

    edit_bundle(log.directory / "tile/entries/000", 256, edit)
    found = audit(log)
    assert "entry 2 was changed after it was written (it says session-opened of " in sentences(found)
    assert found.unproved == {2}
    assert found.proves(1)
    assert not found.proves(2)


def test_a_dropped_entry_is_found(log: Log) -> None:
    edit_bundle(log.directory / "tile/entries/001.p/5", 5, lambda bundle: bundle.__delitem__(3))
    found = audit(log)
    assert "entries 256 to 260 cannot be read" in sentences(found)
    assert not found.proves(260)


def test_entries_in_another_order_are_found(log: Log) -> None:
    edit_bundle(log.directory / "tile/entries/000", 256, lambda bundle: bundle.insert(1, bundle.pop(2)))
    assert audit(log).unproved == {1, 2}


def test_a_damaged_tile_does_not_hide_intact_entries(log: Log) -> None:
    path = log.directory / "tile/0/000"
    path.write_bytes(bytes(32) + path.read_bytes()[32:])
    found = audit(log)
    assert "the entries are intact" in sentences(found)
    assert found.proves(0)


def test_a_damaged_upper_tile_is_found(log: Log) -> None:
    (log.directory / "tile/1/000.p/1").write_bytes(bytes(32))
    assert "tile/1/000.p/1 does not fit" in sentences(audit(log))


def test_entries_and_tiles_changed_together_do_not_lead_to_the_root(log: Log) -> None:
    edit_bundle(log.directory / "tile/entries/000", 256, lambda bundle: bundle.__setitem__(0, b"{}"))
    path = log.directory / "tile/0/000"
    path.write_bytes(bytes(32) + path.read_bytes()[32:])
    found = audit(log)
    assert not found.holds
    assert "do not lead to the root" in sentences(found)


@pytest.mark.parametrize("name", ["checkpoint", "tile/entries/000", "tile/0/000", "tile/1/000.p/1"])
def test_a_missing_file_is_named(log: Log, name: str) -> None:
    (log.directory / name).unlink()
    assert name in sentences(audit(log))


def test_another_hosts_checkpoint_is_refused(log: Log, tmp_path: Path) -> None:
    other = Store(tmp_path / "other")
    other.prepare()
    (log.directory / "checkpoint").write_bytes((other.log.directory / "checkpoint").read_bytes())
    assert not audit(log).holds


def test_a_gap_in_the_numbers_is_found(store: Store) -> None:
    """Only who holds the host key can make one, by leaving a session out and signing again."""
    public = public_bytes(generate_key())
    for _ in range(2):
        store.notary.admit(REQUEST, public)
    document = entries.decode(list(store.log.entries(0, 3))[2], "entry")
    document["sealcast"] |= {"number": 4, "session": "20261120T101502-k7f3q9xw"}
    store.notary.append(document)
    assert "session number 3 should follow, and 4 does" in sentences(audit(store.log))


def test_endings_without_openings_and_double_ones_are_found(store: Store) -> None:
    document = {"event": {"action": entries.CLOSED}, "sealcast": {"session": "20261120T101502-k7f3q9xw"}}
    store.notary.append(dict(document))
    store.notary.append(dict(document))
    found = sentences(audit(store.log))
    assert "was closed and never opened" in found
    assert "was closed 2 times" in found


def test_an_entry_that_is_no_document_is_found(store: Store) -> None:
    store.notary.append({"event": {"action": "session-closed"}, "sealcast": 3})
    assert "entry 1 cannot be read" in sentences(audit(store.log))
