"""Recordings of other programs in the store: whole or not at all, once, and never called verified."""

import gzip
import hashlib
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from recorder.cast.reader import merge_bytes, open_events
from recorder.errors import ExitCode, FormatError, SealcastError
from recorder.log import entries
from recorder.log.audit import audit
from recorder.log.entries import Occasion, value_at
from recorder.store.catalog import Session, list_sessions
from recorder.store.checking import check_all
from recorder.store.compression import compressed
from recorder.store.import_sources import find_sources, opened
from recorder.store.importing import Imported, importing, read, told_otherwise
from recorder.store.layout import Store
from recorder.store.reading import open_stored
from recorder.store.sealing import seal, seal_orphans
from recorder.store.state import State
from tests.log.naive_reader import read_log
from tests.store.killing import killed_everywhere
from tests.store.recordings import record, text_of, verdict_of

START = 1_788_264_005


def ttyrec(*frames: tuple[float, bytes]) -> bytes:
    """Frames at seconds after the start."""
    return b"".join(
        struct.pack("<III", START + int(time), round(time % 1 * 1e6), len(data)) + data
        for time, data in frames
    )


def take(store: Store, *paths: Path | str, form: str | None = None) -> list[Imported]:
    """Import what is found; the first error is raised."""
    done = []
    with importing(store, Occasion(store.host, (START + 5000) * 1000, "carol", 1001)) as importer:
        for found in find_sources([str(path) for path in paths], form):
            if isinstance(found, SealcastError):
                raise found
            done.append(importer.take(found))
    return done


def only(store: Store) -> Session:
    (session,) = list_sessions(store)
    return session


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "old.ttyrec"
    path.write_bytes(ttyrec((0, b"$ make\r\n"), (1.5, b"caf\xc3\xa9 \xff\r\n"), (62.25, b"done\r\n")))
    return path


def test_an_import_is_a_session_without_a_signature(store: Store, file: Path) -> None:
    (done,) = take(store, file)
    session = only(store)
    assert (session.id, session.state_hint, session.number) == (done.session_id, State.UNSIGNED, 0)
    assert (session.user, session.host, session.uid, session.origin) == ("", "", None, "imported")
    assert (session.start.timestamp(), session.duration_s) == (START, 62.25)
    verdict = verdict_of(store, session.id)
    assert (verdict.state, verdict.exit_code, verdict.sign) == (State.UNSIGNED, ExitCode.UNVERIFIED, "–")
    assert verdict.completeness.startswith("imported from ttyrec on 2026-09-01 by carol, and unchanged since")
    assert verdict.verified_to_s is None
    (advice,) = verdict.rows[3].advice
    assert advice == f"source {file}, SHA-256 {hashlib.sha256(file.read_bytes()).hexdigest()}"
    assert not store.sealed_signature_path(session.id).exists()
    assert text_of(store, session.id).splitlines()[1:] == [
        b'[0.000000, "o", "$ make\\r\\n"]',
        '[1.500000, "o", "café "]'.encode(),
        '[1.500000, "o", "\ufffd\\r\\n"]'.encode(),
        b'[1.500000, "B", "/w0K"]',
        b'[62.250000, "o", "done\\r\\n"]',
    ]


def test_the_log_names_source_hash_format_and_who(store: Store, file: Path) -> None:
    (done,) = take(store, file)
    document = entries.decode(list(store.log.entries(0, 2))[-1], "log")
    assert entries.action(document) == entries.IMPORTED
    assert value_at(document, ("user", "name")) == "carol"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert value_at(document, ("sealcast", "source")) == {
        "bytes": file.stat().st_size,
        "format": "ttyrec",
        "name": str(file),
        "sha256": digest,
    }
    stored = hashlib.sha256(text_of(store, done.session_id)).hexdigest()
    assert value_at(document, ("related", "hash")) == [stored, digest]


def test_imports_leave_no_gap_in_the_numbers(store: Store, file: Path) -> None:
    before = record(store)
    take(store, file)
    after = record(store)
    assert {sealed.session_id for sealed in seal_orphans(store)} == {before, after}
    assert [item.number for item in list_sessions(store) if item.number] == [2, 1]
    assert audit(store.log).findings == []
    states = {session.id: verdict.state for session, verdict in check_all(store)}
    assert sorted(states.values()) == [State.UNSIGNED, State.VERIFIED, State.VERIFIED]


def test_the_same_content_is_imported_once(store: Store, file: Path, tmp_path: Path) -> None:
    (first,) = take(store, file)
    copy = tmp_path / "copy.bin"
    shutil.copyfile(file, copy)
    size = store.log.checkpoint().size
    (second,) = take(store, copy)
    assert (second.new, second.session_id) == (False, first.session_id)
    assert store.log.checkpoint().size == size


def test_a_changed_import_is_bad_and_a_removed_one_missing(store: Store, file: Path) -> None:
    (done,) = take(store, file)
    path = store.sealed_path(done.session_id)
    path.write_bytes(b"".join(compressed([text_of(store, done.session_id).replace(b"done", b"DONE")])))
    verdict = verdict_of(store, done.session_id)
    assert (verdict.state, verdict.word) == (State.BAD, "CHANGED")
    assert "changed after it was imported from ttyrec on 2026-09-01 by carol" in verdict.completeness
    path.unlink()
    assert verdict_of(store, done.session_id).state is State.MISSING
    (again,) = take(store, file)
    assert (again.new, again.session_id) == (True, done.session_id)
    assert verdict_of(store, done.session_id).state is State.UNSIGNED
    assert audit(store.log).findings == []


def test_what_was_said_of_it_first_counts_when_it_is_put_back(store: Store, file: Path) -> None:
    """Its bytes hold the start that the importing person gave."""
    by = Occasion(store.host, START * 1000, "carol", 1001)
    (found,) = find_sources([str(file)], None)
    assert not isinstance(found, SealcastError)
    with importing(store, by) as importer:
        first = importer.take(told_otherwise(found, "bob", "db-1", 1_600_000_000_123))
    store.sealed_path(first.session_id).unlink()
    (again,) = take(store, file)
    assert (again.session_id, again.new) == (first.session_id, True)
    session = only(store)
    assert (session.user, session.host, session.start.timestamp()) == ("bob", "db-1", 1_600_000_000.123)
    assert verdict_of(store, session.id).state is State.UNSIGNED


def test_a_signed_recording_in_the_place_of_an_import_is_bad(store: Store, file: Path) -> None:
    """Nor can an import be made to look verified."""
    (done,) = take(store, file)
    signed = record(store)
    seal(store, signed)
    shutil.copyfile(store.sealed_path(signed), store.sealed_path(done.session_id))
    assert verdict_of(store, done.session_id).state is State.BAD
    shutil.copyfile(store.sealed_path(done.session_id), store.sealed_path(signed))
    assert verdict_of(store, signed).state is State.VERIFIED


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"just a text\n" * 99, "is not a tlog, ttyrec or script recording"),
        (bytes(range(255, 0, -1)) * 9, "is not a tlog, ttyrec or script recording"),
        (ttyrec((0, b"a"), (1, b"b"), (2, b"c"), (3, b"long"))[:-1], "frame 4: ends 1 byte too early"),
        (ttyrec((0, b"a"), (1, b"b"), (2, b"c")) + b"abc", "frame 4: is cut"),
        (b'{"version": 2, "width": 80, "height": 24}\n[1, "o", "cut', "not JSON"),
        (b'{"version": 9}\n', "asciicast version 9"),
        (b"Script started on 2026-09-01 14:00:05+02:00\n", None),
        (gzip.compress(ttyrec((0, b"packed")), mtime=0)[:-6], "the compressed file is damaged"),
        (gzip.compress(b"\0" * 100_000, mtime=0), "is not a tlog"),
    ],
)
def test_what_is_no_recording_leaves_nothing(
    store: Store, tmp_path: Path, content: bytes, said: str | None
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    size = store.log.checkpoint().size
    if said is None:
        assert take(store, path)[0].duration_s == 0.0
        return
    with pytest.raises(FormatError, match=said):
        take(store, path)
    assert store.log.checkpoint().size == size
    assert list_sessions(store) == []
    assert not list(store.sealed_directory.rglob(".tmp-*"))


def test_unpacking_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.store.import_sources.MAX_BYTES", 10_000)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b"\0" * 10_001))
    with pytest.raises(FormatError, match="more than 10,000 bytes when unpacked"), opened(path):
        pass


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: b"".join(compressed([data]))])
def test_packed_files_are_read(store: Store, tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "old.ttyrec.packed"
    path.write_bytes(pack(ttyrec((0, b"a"), (1, b"packed"))))
    take(store, path)
    assert b"packed" in text_of(store, only(store).id)


def test_a_fifo_does_not_make_us_wait(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    (found,) = find_sources([str(path)], None)
    assert isinstance(found, SealcastError)
    assert "not a regular file" in found.message


def test_reading_alone_changes_nothing(tmp_path: Path, file: Path) -> None:
    (found,) = find_sources([str(file)], None)
    assert not isinstance(found, SealcastError)
    assert read(found).duration_s == 62.25


def test_a_long_run_of_control_characters_stays_within_a_line(store: Store, tmp_path: Path) -> None:
    """Each is written as six characters."""
    path = tmp_path / "zeros"
    path.write_bytes(ttyrec((0, b"\x01" * 5_000_000)))
    (done,) = take(store, path)
    longest = max(map(len, text_of(store, done.session_id).splitlines()))
    assert longest < 1024 * 1024
    assert verdict_of(store, done.session_id).state is State.UNSIGNED


def test_what_was_typed_is_kept_byte_for_byte(store: Store, tmp_path: Path) -> None:
    """Input and output each split their own characters."""
    (tmp_path / "log").write_bytes(b"1788264005:alice:root::/dev/pts/3:24:80\n/\n/bin/cat\n")
    (tmp_path / "timing").write_bytes(b"3 0.5 2\n4 0.5 1\n3 0.5 1\n4 0.5 1\n")
    (tmp_path / "ttyin").write_bytes("\u20ac".encode())
    (tmp_path / "ttyout").write_bytes("\u00e9".encode())
    (done,) = take(store, tmp_path)
    with open_stored(store.sealed_path(done.session_id)) as stored:
        events = list(merge_bytes(open_events(stored, "x")[1]))
    shown = b"".join(data for event, data in events if event.code == "o")
    typed = b"".join(data for event, data in events if event.code == "i")
    assert (shown.decode(), typed.decode(), done.inputs) == ("\u00e9", "\u20ac", 2)


def test_importing_killed_anywhere(store: Store, tmp_path: Path, file: Path) -> None:
    """Nothing is ever called bad; the next import of the file puts right what a crash left."""

    def run(root: Path) -> None:
        take(Store(root), file)

    moments = 0
    for root in killed_everywhere(
        run, lambda moment: Path(shutil.copytree(store.root, tmp_path / str(moment)))
    ):
        again = Store(root)
        assert {session.state_hint for session in list_sessions(again)} <= {State.UNSIGNED, State.MISSING}
        take(again, file)
        session = only(again)
        assert verdict_of(again, session.id).state is State.UNSIGNED
        assert audit(again.log).findings == []
        read_log(again.log.directory, again.log.origin, again.host_key.public)
        assert not list(root.rglob(".tmp-*"))
        shutil.rmtree(root)
        moments += 1
    assert moments > 15


def test_times_and_typescript_find_each_other(tmp_path: Path) -> None:
    script = (
        b"Script started on 2026-09-01 14:00:05+02:00\nhi\r\n\nScript done on 2026-09-01 14:00:06+02:00\n"
    )
    for name in ("a.ts", "b", "c.script", "typescript"):
        (tmp_path / name).write_bytes(script)
    for name in ("a.tm", "b.timing", "somewhere", "timing"):
        (tmp_path / name).write_bytes(b"0.5 4\n")
    for names in (
        ["a.ts"],
        ["a.tm"],
        ["b"],
        ["c.script", "somewhere"],
        ["somewhere", "c.script"],
        ["timing"],
    ):
        found = list(find_sources([str(tmp_path / name) for name in names], None))
        assert [read(item).duration_s for item in found if not isinstance(item, SealcastError)] == [0.5], (
            names
        )
    (tmp_path / "lonely").mkdir()
    (tmp_path / "lonely" / "times").write_bytes(b"0.5 4\n")
    (found_error,) = find_sources([str(tmp_path / "lonely" / "times")], None)
    assert isinstance(found_error, FormatError)
    assert "its typescript is not beside it" in found_error.message


def test_damaged_times_are_an_error_of_their_recording_alone(tmp_path: Path) -> None:
    (tmp_path / "good.ts").write_bytes(b"Script started on 2026-09-01 14:00:05+02:00\nhi\r\n")
    (tmp_path / "good.tm").write_bytes(b"0.5 4\n")
    (tmp_path / "bad.ts").write_bytes(b"Script started on 2026-09-01 14:00:05+02:00\nhi\r\n")
    (tmp_path / "bad.tm").write_bytes(b"0.5 2\nO zero 2\n")
    found = list(find_sources([str(tmp_path / name) for name in ("bad.tm", "good.tm")], None))
    assert isinstance(found[0], FormatError)
    assert "bad.tm:2: the delay is not a number" in found[0].message
    assert not isinstance(found[1], SealcastError)


def test_only_logs_beside_the_times_are_read(tmp_path: Path) -> None:
    """A file of times from elsewhere may name any file of this machine as its log."""
    (tmp_path / "secret").write_bytes(b"secret")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "x.tm").write_bytes(b"H 0.0 OUTPUT_LOG ../secret\nO 0.5 6\n")
    (found,) = find_sources([str(inner / "x.tm")], None)
    assert isinstance(found, FormatError)
