"""Every tampering with a store gets its own true sentence; nothing that was tampered with is verified."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from recorder.errors import ExitCode
from recorder.log.tiles import pack_entries, unpack_entries
from recorder.seal.keys import generate_key, public_bytes
from recorder.store import trust
from recorder.store.checking import Checker, check_all, log_findings
from recorder.store.compression import compressed
from recorder.store.layout import Store
from recorder.store.sealing import seal, seal_orphans
from recorder.store.state import State
from recorder.store.targets import Target
from recorder.store.verdict import Verdict
from tests.store.recordings import (
    REQUEST,
    Worker,
    record,
    rewrite,
    text_of,
    verdict_of,
    verdict_of_file,
)

Edit = Callable[[list[bytes]], list[bytes]]


@pytest.fixture
def sealed_id(store: Store) -> str:
    """A closed recording: header, 20 lines of output, a seal after every fifth, exit status, final seal."""
    session_id = record(store)
    seal(store, session_id)
    return session_id


def after_edit(store: Store, session_id: str, edit: Edit) -> Verdict:
    lines = text_of(store, session_id).splitlines(keepends=True)
    rewrite(store, session_id, b"".join(edit(lines)))
    return verdict_of(store, session_id)


def test_an_untouched_recording_is_verified(store: Store, sealed_id: str) -> None:
    verdict = verdict_of(store, sealed_id)
    assert (verdict.state, verdict.word, verdict.sign, verdict.exit_code) == (
        State.VERIFIED,
        "verified",
        "✓",
        0,
    )
    assert verdict.completeness == "entries 1 and 2 of the log match: 27 lines"
    assert (verdict.verified_to_s, verdict.bad_from_s) == (2.0, None)
    assert [row.name for row in verdict.rows] == ["signature", "seals", "closed", "log entry", "clock"]
    assert {row.sign for row in verdict.rows} == {"✓"}


# Line 1 is the header; 2 to 6 output, 7 a seal; 8 to 12, 13; 14 to 18, 19; 20 to 24, 25; 26 exit, 27 final.
TAMPERINGS: list[tuple[str, Edit, str]] = [
    (
        "changed",
        lambda at: [*at[:9], at[9].replace(b"line 7", b"line X"), *at[10:]],
        "altered, replaced or moved",
    ),
    ("dropped", lambda at: [*at[:9], *at[10:]], "at least 1 line missing"),
    ("doubled", lambda at: [*at[:10], at[9], *at[10:]], "line 11 stands there twice"),
    ("reordered", lambda at: [*at[:9], at[10], at[9], *at[11:]], "lines 10 and 11 changed places"),
    ("added", lambda at: [*at[:9], b'[0.800000, "o", "new"]\n', *at[9:]], "line 10 did not stand there"),
    ("seal altered", lambda at: [*at[:12], at[12].replace(b"20", b"30", 1), *at[13:]], "line 13"),
    ("header changed", lambda at: [at[0].replace(b"alice", b"malet"), *at[1:]], "lines 1 to 6"),
]


@pytest.mark.parametrize(("name", "edit", "sentence"), TAMPERINGS, ids=[item[0] for item in TAMPERINGS])
def test_changed_lines(store: Store, sealed_id: str, name: str, edit: Edit, sentence: str) -> None:
    verdict = after_edit(store, sealed_id, edit)
    assert (verdict.state, verdict.word, verdict.exit_code) == (State.BAD, "BAD SIGNATURE", ExitCode.BAD)
    assert sentence in verdict.integrity
    assert verdict.completeness == "it is not the file that the log describes"
    assert verdict.bad_from_s is not None
    assert any(row.sign == "✗" and row.advice for row in verdict.rows)


@pytest.mark.parametrize(("kept", "gone"), [(26, 1), (25, 2), (24, 3), (13, 14), (10, 17), (1, 26)])
def test_a_tail_cut_at_and_between_seals(store: Store, sealed_id: str, kept: int, gone: int) -> None:
    verdict = after_edit(store, sealed_id, lambda lines: lines[:kept])
    assert (verdict.state, verdict.word) == (State.BAD, "CUT")
    noun = "line" if gone == 1 else "lines"
    assert f"cut after it was sealed: {gone} {noun} of 27 missing from its end" in verdict.completeness
    assert verdict.integrity.startswith("00:00 to")


def test_a_tail_cut_within_a_line(store: Store, sealed_id: str) -> None:
    rewrite(store, sealed_id, text_of(store, sealed_id)[:-30])
    verdict = verdict_of(store, sealed_id)
    assert verdict.word == "CUT"
    assert "1 line of 27" in verdict.completeness


def test_lines_behind_the_final_seal(store: Store, sealed_id: str) -> None:
    verdict = after_edit(store, sealed_id, lambda lines: [*lines, b'[9.000000, "o", "more"]\n'])
    assert verdict.state is State.BAD
    assert "line 28 after the final seal" in verdict.integrity


def test_a_seal_of_another_session(store: Store, sealed_id: str) -> None:
    other = record(store)
    seal(store, other)
    foreign = text_of(store, other).splitlines(keepends=True)[12]
    verdict = after_edit(store, sealed_id, lambda lines: [*lines[:12], foreign, *lines[13:]])
    assert verdict.state is State.BAD
    assert "not this recording" in verdict.integrity


def test_a_recording_forged_with_the_host_key(store: Store, sealed_id: str, tmp_path: Path) -> None:
    """Who has the host key can certify a new session key for an old session; the log still knows better."""
    copy = Store(shutil.copytree(store.root, tmp_path / "forger"))
    forger = Worker(copy)
    for number in range(20):
        forger.show(f"line {number if number != 12 else 'X'}\r\n")
        if number % 5 == 4:
            forger.seal()
    forger.finish()
    forger.close()
    seal(copy, forger.id)
    shutil.copy(copy.sealed_path(forger.id), store.sealed_path(sealed_id))
    shutil.copy(copy.sealed_signature_path(forger.id), store.sealed_signature_path(sealed_id))
    verdict = verdict_of(store, sealed_id)
    assert (verdict.state, verdict.word) == (State.BAD, "REPLACED")
    assert verdict.integrity.startswith("00:00 to")
    assert "it is signed, and differs between line 1 and line 6" in verdict.completeness


def test_a_missing_file(store: Store, sealed_id: str) -> None:
    store.sealed_path(sealed_id).unlink()
    verdict = verdict_of(store, sealed_id)
    assert (verdict.state, verdict.sign, verdict.exit_code) == (State.MISSING, "∅", ExitCode.TARGET)
    assert "the file is missing: the log says it was sealed at" in verdict.completeness
    assert str(store.sealed_path(sealed_id)) in verdict.rows[0].advice[0]
    assert "SHA-256" in verdict.rows[0].advice[0]


def test_a_live_file_that_was_taken_away(store: Store) -> None:
    session_id = record(store)
    store.live_path(session_id).unlink()
    seal_orphans(store)
    verdict = verdict_of(store, session_id)
    assert verdict.state is State.MISSING
    assert "its file is gone: it was removed before it was sealed" in verdict.completeness


def test_a_missing_and_a_foreign_signature_file(store: Store, sealed_id: str) -> None:
    other = record(store)
    seal(store, other)
    shutil.copy(store.sealed_signature_path(other), store.sealed_signature_path(sealed_id))
    verdict = verdict_of(store, sealed_id)
    assert verdict.state is State.BAD
    assert "is of other bytes than these" in verdict.rows[0].result
    store.sealed_signature_path(sealed_id).unlink()
    verdict = verdict_of(store, sealed_id)
    assert verdict.state is State.VERIFIED
    assert (verdict.rows[0].sign, "no signature file" in verdict.rows[0].result) == ("~", True)


def test_a_damaged_compressed_file(store: Store) -> None:
    session_id = record(store, 20_000)
    seal(store, session_id)
    path = store.sealed_path(session_id)
    path.write_bytes(path.read_bytes()[:-20])
    verdict = verdict_of(store, session_id)
    assert verdict.state is State.BAD
    assert "the compressed file is damaged" in verdict.integrity
    assert verdict.verified_to_s is not None
    assert verdict.verified_to_s > 100


def test_an_interrupted_recording_is_truncated_and_not_bad(store: Store) -> None:
    session_id = record(store, 18, finished=False)
    before = verdict_of(store, session_id)
    assert before.state is State.TRUNCATED
    assert "not sealed yet" in before.completeness
    seal_orphans(store)
    verdict = verdict_of(store, session_id)
    assert (verdict.state, verdict.exit_code) == (State.TRUNCATED, ExitCode.UNVERIFIED)
    assert "it was interrupted at 00:01.8" in verdict.completeness
    assert "lines 20 to 22 under no seal" in verdict.integrity


def test_an_interrupted_recording_changed_behind_its_last_seal(store: Store) -> None:
    session_id = record(store, 18, finished=False)
    seal_orphans(store)
    verdict = after_edit(store, session_id, lambda lines: [*lines[:-1], b'[1.800000, "o", "X"]\n'])
    assert (verdict.state, verdict.word) == (State.BAD, "CHANGED")
    assert "changed behind its last seal: from line 20 on" in verdict.completeness


def test_a_live_recording_is_partial(store: Store) -> None:
    worker = Worker(store)
    worker.show("one")
    worker.seal()
    worker.show("two")
    worker.write_raw(b"[0.3")
    verdict = verdict_of(store, worker.id)
    worker.close()
    assert (verdict.state, verdict.word, verdict.sign, verdict.exit_code) == (State.LIVE, "partial", "…", 5)
    assert verdict.verified_to_s == pytest.approx(0.1)


def test_a_recording_that_the_log_does_not_have(store: Store, tmp_path: Path) -> None:
    other = Store(shutil.copytree(store.root, tmp_path / "other"))
    session_id = record(other)
    seal(other, session_id)
    store.make_sealed_directory(session_id)
    shutil.copy(other.sealed_path(session_id), store.sealed_path(session_id))
    verdict = verdict_of(store, session_id)
    assert (verdict.state, verdict.word) == (State.BAD, "NOT IN THE LOG")
    assert "the log ends with session 0, and this is session 1: the log was cut back" in verdict.completeness
    seal(store, record(store))
    assert "does not have this session" in verdict_of(store, session_id).completeness


def test_a_log_put_back_to_an_older_state(store: Store, sealed_id: str, tmp_path: Path) -> None:
    shutil.copytree(store.log.directory, tmp_path / "old")
    later = record(store)
    seal(store, later)
    shutil.rmtree(store.log.directory)
    shutil.copytree(tmp_path / "old", store.log.directory)
    assert verdict_of(store, sealed_id).state is State.VERIFIED
    verdict = verdict_of(store, later)
    assert verdict.word == "NOT IN THE LOG"
    assert "the log was cut back" in verdict.completeness


def edit_entry(store: Store, index: int, old: bytes, new: bytes) -> None:
    size = store.log.checkpoint().size
    path = store.log.directory / f"tile/entries/000.p/{size}"
    bundle = unpack_entries(path.read_bytes(), size, "bundle")
    bundle[index] = bundle[index].replace(old, new)
    path.write_bytes(pack_entries(bundle))


def test_a_changed_log_entry(store: Store, sealed_id: str) -> None:
    other = record(store)
    seal(store, other)
    edit_entry(store, 2, b'"exit_code":0', b'"exit_code":7')
    verdict = verdict_of(store, sealed_id)
    assert (verdict.state, verdict.word) == (State.BAD, "BAD LOG")
    assert "the log's entry 2 for this session was changed" in verdict.completeness
    assert verdict_of(store, other).state is State.VERIFIED
    assert "entry 2 was changed" in log_findings(store)[0].sentence


@pytest.mark.parametrize("name", ["checkpoint", "tile/entries/000.p/3"])
def test_a_log_that_lost_a_file(store: Store, sealed_id: str, name: str) -> None:
    session = Checker(store).sessions[0]
    shutil.rmtree(store.log.directory / "tile/0")
    (store.log.directory / name).unlink()
    verdict = Checker(store).check(Target(session.path, session))
    assert verdict.state is State.BAD
    assert verdict.word in {"NOT IN THE LOG", "BAD LOG"}
    assert log_findings(store)


def test_another_hosts_log(store: Store, sealed_id: str, tmp_path: Path) -> None:
    other = Store(tmp_path / "other")
    other.prepare()
    session = Checker(store).sessions[0]
    shutil.rmtree(store.log.directory)
    shutil.copytree(other.log.directory, store.log.directory)
    verdict = Checker(store).check(Target(session.path, session))
    assert (verdict.state, verdict.word) == (State.BAD, "BAD LOG")
    assert "the log proves nothing" in verdict.completeness


def test_another_hosts_recording_and_its_key(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "other")
    session_id = record(other)
    seal(other, session_id)
    path = other.sealed_path(session_id)
    verdict = verdict_of_file(store, path)
    assert (verdict.state, verdict.word, verdict.sign) == (State.UNKNOWN_KEY, "key not trusted", "?")
    assert verdict.exit_code == ExitCode.UNVERIFIED
    offered = trust.parse_offered((other.key_directory / "host.pub").read_bytes(), "host.pub")
    trust.add_keys(store.trusted_path, offered)
    verdict = verdict_of_file(store, path)
    assert (verdict.state, verdict.exit_code) == (State.UNCONFIRMED, ExitCode.UNVERIFIED)
    assert "nothing is cut off its end" in verdict.completeness
    assert "no log here" in verdict.completeness


def test_a_key_trusted_for_one_host_does_not_speak_for_another(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "other")
    session_id = record(other)
    seal(other, session_id)
    offered = trust.parse_offered((other.key_directory / "host.pub").read_bytes(), "host.pub", "elsewhere")
    trust.add_keys(store.trusted_path, offered)
    verdict = verdict_of_file(store, other.sealed_path(session_id))
    assert verdict.state is State.BAD
    assert "certified by the key of elsewhere, but it says it is from" in verdict.integrity


def test_a_copy_elsewhere_is_found_in_the_log(store: Store, sealed_id: str, tmp_path: Path) -> None:
    plain = tmp_path / "copy.cast"
    plain.write_bytes(text_of(store, sealed_id))
    assert verdict_of_file(store, plain).state is State.VERIFIED
    packed = tmp_path / "copy.cast.zst"
    packed.write_bytes(b"".join(compressed([text_of(store, sealed_id)])))
    assert verdict_of_file(store, packed).state is State.VERIFIED
    plain.write_bytes(b"".join(text_of(store, sealed_id).splitlines(keepends=True)[:20]))
    assert verdict_of_file(store, plain).word == "CUT"


def test_what_was_never_signed_and_cannot_be_read_on_is_not_called_badly_signed(
    store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "long.cast"
    header = b'{"version": 2, "width": 80, "height": 24}\n'
    path.write_bytes(header + b'[1, "o", "' + b"x" * (16 * 1024 * 1024) + b'"]\n')
    verdict = Checker(store).check(Target(path, None))
    assert (verdict.state, verdict.exit_code) == (State.UNREADABLE, ExitCode.FORMAT)
    assert "long.cast:2: line longer than" in verdict.integrity


def test_a_file_without_seals_is_unsigned(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "plain.cast"
    path.write_text('{"version": 2, "width": 80, "height": 24}\n[0.1, "o", "x"]\n')
    verdict = verdict_of_file(store, path)
    assert (verdict.state, verdict.sign, verdict.exit_code) == (State.UNSIGNED, "–", ExitCode.UNVERIFIED)
    assert verdict.verified_to_s is None


@pytest.mark.parametrize("data", [b"", b"notes\n", b"\x00" * 100, b'{"version": 9}\n', b'{"version": 2'])
def test_a_file_that_is_no_recording(store: Store, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(data)
    verdict = verdict_of_file(store, path)
    assert (verdict.state, verdict.exit_code) == (State.UNREADABLE, ExitCode.FORMAT)


def test_a_store_is_not_needed_to_check_a_file(tmp_path: Path, sealed_id: str, store: Store) -> None:
    verdict = verdict_of_file(Store(tmp_path / "none"), store.sealed_path(sealed_id))
    assert verdict.state is State.UNKNOWN_KEY
    assert not (tmp_path / "none").exists()


def test_everything_at_once(store: Store, sealed_id: str) -> None:
    interrupted = record(store, finished=False)
    gone = record(store)
    seal_orphans(store)
    store.sealed_path(gone).unlink()
    found = {session.id: verdict.state for session, verdict in check_all(store)}
    assert found == {sealed_id: State.VERIFIED, interrupted: State.TRUNCATED, gone: State.MISSING}
    assert log_findings(store) == []
    assert list(check_all(Store(store.root / "none"))) == []
    assert log_findings(Store(store.root / "none")) == []


def test_a_session_before_its_first_line(store: Store) -> None:
    admission = store.notary.admit(REQUEST, public_bytes(generate_key()))
    verdict = verdict_of(store, admission.session_id)
    assert (verdict.state, "about to start" in verdict.completeness) == (State.LIVE, True)
    descriptor = store.create_live(admission.session_id)
    os.write(descriptor, b'{"version"')
    assert verdict_of(store, admission.session_id).state is State.LIVE
    os.close(descriptor)
    store.release(admission.session_id)
    verdict = verdict_of(store, admission.session_id)
    assert (verdict.state, "not sealed yet" in verdict.completeness) == (State.TRUNCATED, True)
