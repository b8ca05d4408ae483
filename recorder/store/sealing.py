"""The one way to finish a recording, after its worker has ended or was killed.

What lies in `live/` is judged, signed, compressed, entered in the log, and only then taken out of `live/`.
Every step may be the last before a crash: the next call does them all again and comes to the same end.
"""

import hashlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from recorder.errors import ExitCode, SealcastError
from recorder.log import durable, entries
from recorder.log.entries import Document, Ending, value_at
from recorder.log.history import SessionHistory, read_history
from recorder.safe_text import safe
from recorder.seal import sshsig
from recorder.seal.identity import KeyState
from recorder.seal.merkle import EMPTY_ROOT
from recorder.seal.verify import Progress
from recorder.store.catalog import start_of
from recorder.store.compression import compressed
from recorder.store.layout import Store, locked_file
from recorder.store.reading import open_stored
from recorder.store.survey import Survey, chunks, survey

_PATIENCE_SECONDS = 30.0
_RETRY_SECONDS = 0.005
_MAX_SIGNATURE = 64 * 1024
_CHUNK = 1024 * 1024
_HANDFUL = 100
"""Recordings that are finished under one checkpoint, at most, …"""
_HANDFUL_BYTES = 16 * 1024 * 1024
"""… and how large they may be together."""


class Outcome(StrEnum):
    """How a recording ended."""

    CLOSED = "closed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A finished recording."""

    session_id: str
    verdict: Outcome
    path: Path | None
    """None where the session ended before its first line: no file is kept then."""
    duration_s: float
    lines: int
    size_bytes: int
    exit_status: int | None
    finding: str | None
    """What the verifier found wrong with it, if anything."""


@dataclass(frozen=True, slots=True)
class Closing:
    """What is known of an ending besides what the recording says."""

    left_running: tuple[Document, ...] = ()
    ended: Document | None = None


NOTHING = Closing()


class _Stored(NamedTuple):
    """The compressed recording in `sealed/`, and the hash of its text."""

    path: Path
    size: int
    sha256: bytes


def seal(
    store: Store, session_id: str, closing: Closing = NOTHING, progress: Progress | None = None
) -> Sealed:
    """Finish the recording of a session whose worker has let go of its file.

    If another process is at it, wait for that and give its result. `SealcastError` (`RECORDING`) where the
    disk is full or the file is still being written; everything recorded stays in `live/` then.
    """
    store.release(session_id)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        sealed = _seal_if_free(store, session_id, closing, progress)
        if sealed is not None:
            return sealed
        time.sleep(_RETRY_SECONDS)
    raise SealcastError(f"session {session_id} is still being recorded", None, ExitCode.RECORDING)


def seal_orphans(store: Store) -> list[Sealed]:
    """Finish every recording that its worker left behind. What cannot be finished stays where it is."""
    done = []
    for session_ids in _handfuls(store):
        with suppress(SealcastError):
            done += seal_all(store, session_ids)
    return done


def seal_all(
    store: Store, session_ids: Sequence[str], closings: "Mapping[str, Closing] | None" = None
) -> list[Sealed]:
    """Finish those recordings that nobody holds, with one checkpoint of the log for all of them.

    What cannot be finished stays where it is, and is not in the result. At most a few hundred at once: each
    takes a descriptor. `SealcastError` where the log cannot be written; nothing is lost then.
    """
    done = []
    with ExitStack() as locks:
        judged = dict(_judged(store, session_ids, locks, closings or {}))
        with store.notary.batch() as batch:
            for session_id, document in judged.items():
                judged[session_id] = batch.append_ending(session_id, document)
        for session_id, document in judged.items():
            _empty_live(store, session_id)
            done.append(_sealed(store, session_id, document))
    for session_id in session_ids:
        if session_id not in judged and not store.live_path(session_id).exists():
            with suppress(SealcastError):
                sealed = _seal_if_free(store, session_id, NOTHING, None)
                done += [] if sealed is None else [sealed]
    return done


def _handfuls(store: Store) -> Iterator[list[str]]:
    """Few and small ones: all stay locked until the last one is done, and others wait for each of them."""
    handful: list[str] = []
    total = 0
    for session_id in store.live_ids():
        size = _size(store.live_path(session_id))
        if handful and (total + size > _HANDFUL_BYTES or len(handful) == _HANDFUL):
            yield handful
            handful, total = [], 0
        handful.append(session_id)
        total += size
    if handful:
        yield handful


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _judged(
    store: Store, session_ids: Sequence[str], locks: ExitStack, closings: Mapping[str, Closing]
) -> Iterator[tuple[str, Document]]:
    """The closing entries of those that lie in `live/` whole and free; their locks are kept in `locks`."""
    for session_id in session_ids:
        store.release(session_id)
        if store.is_starting(session_id):
            continue
        path = store.live_path(session_id)
        with suppress(SealcastError, FileNotFoundError), _errors(path):
            descriptor = locks.enter_context(locked_file(path))
            if descriptor is not None:
                yield (
                    session_id,
                    _judge(store, session_id, descriptor, closings.get(session_id, NOTHING), None),
                )


def _seal_if_free(
    store: Store, session_id: str, closing: Closing, progress: Progress | None
) -> Sealed | None:
    """None where another process holds the session.

    The mark of a session that is about to start is looked at first: who makes the live file removes it last.
    """
    if store.is_starting(session_id):
        return None
    try:
        with _errors(store.live_path(session_id)), locked_file(store.live_path(session_id)) as descriptor:
            if descriptor is None:
                return None
            document = _judge(store, session_id, descriptor, closing, progress)
            document = store.notary.append_ending(session_id, document)
            _empty_live(store, session_id)
    except FileNotFoundError:
        return _without_live_file(store, session_id)
    return _sealed(store, session_id, document)


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    """`durable.writing`, but a file that is not there is the caller's business."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise durable.store_error(error, f"seal {safe(str(path))}") from error


def _judge(
    store: Store, session_id: str, descriptor: int, closing: Closing, progress: Progress | None
) -> Document:
    """Judge, sign and compress, in that order; the closing entry, which has to be logged next."""
    found = survey(descriptor, {store.host_key.public: store.host}, progress)
    facts = _facts(store, session_id, found)
    armor = _closing_signature(store, session_id, found)
    stored = _store_sealed(store, session_id, descriptor, found, armor) if found.integrity.lines else None
    ending = _ending(store, facts, found, stored, _modified_ms(descriptor), closing)
    kind = entries.INTERRUPTED if armor is None else entries.CLOSED
    return entries.session_ended(store.host, kind, ending)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the closing entry repeats of the session."""

    session_id: str
    number: int
    user: str
    uid: int
    start_ms: int


def _facts(store: Store, session_id: str, found: Survey) -> _Facts:
    """From the header where the host's own certificate vouches for it, else from the log."""
    header = found.integrity.header
    if found.integrity.key is KeyState.TRUSTED and header is not None and header.session is not None:
        session = header.session
        if session.session == session_id:
            start_ms = (header.timestamp or 0) * 1000
            return _Facts(session_id, session.number, session.user, session.uid, start_ms)
    return _facts_in_log(store, session_id)


def _facts_in_log(store: Store, session_id: str) -> _Facts:
    history = read_history(store.log).sessions.get(session_id)
    if history is None or history.opened_entry is None:
        raise SealcastError(
            f"{safe(str(store.live_path(session_id)))} is not in the log: it was not recorded here",
            "keep it, and find out who put it there",
            ExitCode.RECORDING,
        )
    user, uid = history.opening("user", "name"), history.opening("user", "id")
    return _Facts(
        session_id,
        history.number,
        user if isinstance(user, str) else "",
        int(uid) if isinstance(uid, str) and uid.isdecimal() and len(uid) < 12 else 0,
        int(start_of(session_id).timestamp() * 1000),
    )


def _closing_signature(store: Store, session_id: str, found: Survey) -> str | None:
    """The worker's own signature over the whole file; None where it or the final seal is missing or wrong."""
    integrity = found.integrity
    if not integrity.final or integrity.bad or integrity.certificate is None or found.dropped_size:
        return None
    try:
        armor = durable.read_file(store.signature_path(session_id), _MAX_SIGNATURE).decode()
        signature = sshsig.parse(armor, "the closing signature")
        signature.verify(lambda algorithm: integrity.sha256 if algorithm == "sha256" else b"")
    except (FileNotFoundError, UnicodeDecodeError, SealcastError):
        return None
    return armor if signature.public_blob == integrity.certificate.blob else None


def _store_sealed(
    store: Store, session_id: str, descriptor: int, found: Survey, armor: str | None
) -> _Stored:
    """Put the signature and the compressed recording, read back and compared, into `sealed/`."""
    store.make_sealed_directory(session_id)
    path = store.sealed_path(session_id)
    digest = sha256()
    lines = _hashed(chunks(descriptor, 0, found.end), digest)
    temporary = durable.write_temporary(path, compressed(lines))
    try:
        if digest_of(temporary) != digest.digest():
            raise SealcastError(
                f"{safe(str(temporary))} does not read back as written", None, ExitCode.RECORDING
            )
        signature = armor or store.notary.sign_file(digest.digest())
        durable.replace_file(store.sealed_signature_path(session_id), signature.encode())
        stored = _Stored(path, temporary.stat().st_size, digest.digest())
        durable.publish(temporary, stored.path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return stored


def _hashed(parts: Iterator[bytes], digest: "hashlib._Hash") -> Iterator[bytes]:
    for part in parts:
        digest.update(part)
        yield part


def digest_of(path: Path) -> bytes:
    """SHA-256 of the recording in a compressed file."""
    digest = sha256()
    with open_stored(path) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()


def _ending(  # noqa: PLR0913, PLR0917 what an ending is made of
    store: Store,
    facts: _Facts,
    found: Survey,
    stored: _Stored | None,
    modified_ms: int,
    closing: Closing,
) -> Ending:
    integrity = found.integrity
    end = integrity.wall_end
    return Ending(
        session=facts.session_id,
        number=facts.number,
        user=facts.user,
        uid=facts.uid,
        start_ms=facts.start_ms,
        end_ms=max(facts.start_ms, modified_ms if end is None else int(end.timestamp() * 1000)),
        duration_s=integrity.duration,
        lines=integrity.lines,
        root=found.integrity.root,
        sha256=stored.sha256 if stored else sha256().digest(),
        size=found.end,
        path=str(stored.path.relative_to(store.root)) if stored else None,
        stored_size=stored.size if stored else 0,
        final=integrity.final,
        exit_status=integrity.exit_status,
        seals=integrity.seals,
        landmarks=found.landmarks,
        dropped_size=found.dropped_size,
        dropped_sha256=found.dropped_sha256,
        finding=integrity.bad[0].sentence if integrity.bad and integrity.lines else None,
        left_running=closing.left_running,
        ended=closing.ended,
        streams=found.ledger.as_document(),
    )


def _modified_ms(descriptor: int) -> int:
    return os.fstat(descriptor).st_mtime_ns // 1_000_000


def _empty_live(store: Store, session_id: str) -> None:
    """The recording first: without its signature it would look interrupted to a second try."""
    for path in _live_paths(store, session_id):
        path.unlink(missing_ok=True)


def _live_paths(store: Store, session_id: str) -> tuple[Path, Path, Path]:
    return (store.live_path(session_id), store.signature_path(session_id), store.opening_path(session_id))


def _without_live_file(store: Store, session_id: str) -> Sealed | None:
    """There is no live file: it is sealed already, or the session died before it had one."""
    history = read_history(store.log).sessions.get(session_id)
    ended = None if history is None else history.ended
    if ended is not None:
        _empty_live(store, session_id)
        return _sealed(store, session_id, ended)
    try:
        with _errors(store.opening_path(session_id)), locked_file(store.opening_path(session_id)) as mark:
            return None if mark is None else _never_started(store, session_id, history)
    except FileNotFoundError:
        message = f"nothing is left of session {session_id} in {safe(str(store.live_directory))}"
        raise SealcastError(message, f"sealcast verify {session_id}", ExitCode.RECORDING) from None


def _never_started(store: Store, session_id: str, history: SessionHistory | None) -> Sealed:
    """A session that was marked. If it was logged too, the log is told that nothing came of it."""
    if history is None:
        _empty_live(store, session_id)
        return _nothing(session_id)
    facts = _facts_in_log(store, session_id)
    ending = Ending(
        session=session_id,
        number=facts.number,
        user=facts.user,
        uid=facts.uid,
        start_ms=facts.start_ms,
        end_ms=facts.start_ms,
        duration_s=0.0,
        lines=0,
        root=EMPTY_ROOT,
        sha256=sha256().digest(),
        size=0,
        path=None,
    )
    document = entries.session_ended(store.host, entries.INTERRUPTED, ending)
    document = store.notary.append_ending(session_id, document)
    _empty_live(store, session_id)
    return _sealed(store, session_id, document)


def _nothing(session_id: str) -> Sealed:
    return Sealed(session_id, Outcome.INTERRUPTED, None, 0.0, 0, 0, None, None)


def _sealed(store: Store, session_id: str, document: Document) -> Sealed:
    """The result as the log has it."""
    path = store.sealed_path(session_id)
    closed = entries.action(document) == entries.CLOSED
    finding = value_at(document, ("sealcast", "finding"))
    return Sealed(
        session_id=session_id,
        verdict=Outcome.CLOSED if closed else Outcome.INTERRUPTED,
        path=path if path.exists() else None,
        duration_s=_integer(value_at(document, ("event", "duration"))) / 1e9,
        lines=_integer(value_at(document, ("sealcast", "lines"))),
        size_bytes=_integer(value_at(document, ("file", "size"))),
        exit_status=_exit_status(value_at(document, ("process", "exit_code"))),
        finding=finding if isinstance(finding, str) else None,
    )


def _integer(value: object) -> int:
    return value if isinstance(value, int) else 0


def _exit_status(value: object) -> int | None:
    return value if isinstance(value, int) else None
