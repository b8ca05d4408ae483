"""The holder of the host key: certifies session keys, signs what is left of broken recordings, logs.

It reads nothing that a session wrote. Several processes may each have a notary on one log: the log's
writer lock, held only for an append, makes session numbers gap-free.
"""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from recorder.errors import FormatError
from recorder.log import entries
from recorder.log.entries import CROCKFORD, Document, Opening, value_at
from recorder.log.journal import Log, LogDamagedError, Writer
from recorder.seal import certificate, sshsig
from recorder.seal.keys import fingerprint, public_blob, public_bytes

ID_BYTES = 5
_SESSION = re.compile(rb'"session":"(\d{8}T\d{6}-[0-9a-z]{8})"')
"""In canonical bytes the last of these is the one under `sealcast`."""
_SESSION_MARK = b'"action":"session-opened"'
_LIFE_MARK = b'"action":"session-'


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What the log and the header must know of a session before it may start."""

    user: str
    uid: int
    origin: str
    """`local` or `sshd`, as the kernel shows it."""
    terminal: tuple[int, int]
    """Columns and rows as the terminal says; 0 by 0 without one."""
    command: str | None = None
    command_base64: str | None = None
    """See `SessionHeader`; not in the log."""
    title: str | None = None
    reason: str | None = None
    source: dict[str, Any] | None = None
    """`ip` and `port`."""
    authentication: dict[str, Any] | None = None
    interactive: bool = True
    env: dict[str, str] = field(default_factory=dict)
    """For the recording's header; not in the log."""
    marks: str | None = None
    """The digest of the shell marks' secret, likewise."""


@dataclass(frozen=True, slots=True)
class Admission:
    """A session that is in the log and may start."""

    session_id: str
    number: int
    host: str
    certificate: str
    """The session key's OpenSSH certificate: type, space, base64."""
    start_ms: int
    """Wall clock in milliseconds since 1970."""

    @property
    def origin(self) -> str:
        """The name of the recording's tree and of the session key: `<host>/<session id>`."""
        return f"{self.host}/{self.session_id}"


class Marks(Protocol):
    """Marks sessions before the log hears of them.

    A mark outlives a crash: so a session that was logged and never got its file can be told from one
    whose file was taken away.
    """

    def reserve(self, session_id: str) -> None:
        """Make the mark, and hold it."""

    def release(self, session_id: str) -> None:
        """Let go of the mark, which stays."""


class Notary:
    """Speaks for `host` with its key and writes its log."""

    def __init__(self, log: Log, key: Ed25519PrivateKey, host: str, marks: Marks | None = None) -> None:
        self.log = log
        self.host = host
        self._key = key
        self._marks = marks

    def admit(self, request: SessionRequest, session_public: bytes) -> Admission:
        """Number, certify and log a session; when this returns, its opening is durable."""
        start_ms = time.time_ns() // 1_000_000
        session_id = new_session_id(start_ms)
        self.reserve(session_id)  # before the lock: it waits for the disk, and everyone waits for the lock
        try:
            with self.batch() as batch:
                return batch.admit_marked(request, session_id, start_ms, session_public)
        except BaseException:
            self.release(session_id)
            raise

    def append(self, document: Document) -> int:
        """Append one entry durably; its index."""
        with self.batch() as batch:
            return batch.append(document)

    def append_ending(self, session_id: str, document: Document) -> Document:
        """Append a session's closing entry unless the log has one; returns the one that the log has then."""
        with self.batch() as batch:
            return batch.append_ending(session_id, document)

    @contextmanager
    def batch(self) -> Iterator["Batch"]:
        """Entries that get one checkpoint. Only when the block has ended is any of them durable.

        The log's lock is held for the block: keep it short. A block that fails leaves the log as it was.
        """
        with self.log.writing(self._key) as writer:
            batch = Batch(self, writer)
            try:
                yield batch
                writer.append_all(batch.entries)
            except BaseException:
                batch.release_marks()
                raise

    def reserve(self, session_id: str) -> None:
        """Mark a session that is about to be logged."""
        if self._marks is not None:
            self._marks.reserve(session_id)

    def release(self, session_id: str) -> None:
        """Let go of a mark whose session was not logged."""
        if self._marks is not None:
            self._marks.release(session_id)

    def certify(self, session_public: bytes, session_id: str, number: int, start_ms: int) -> str:
        """The session key's certificate: type, space, base64."""
        return certificate.issue(
            self._key, session_public, session_id, self.host, start_ms // 1000, serial=number
        )

    def sign_file(self, digest: bytes) -> str:
        """The host key's armored SSH signature over the file with this SHA-256."""
        return sshsig.sign(self._key, digest, public_blob(public_bytes(self._key)))


class Batch:
    """Collects entries for one checkpoint of the log whose lock is held."""

    def __init__(self, notary: Notary, writer: Writer) -> None:
        self.entries: list[bytes] = []
        """Canonical bytes, in the order of the log."""
        self._notary = notary
        self._writer = writer
        self._number: int | None = None
        self._marked: list[str] = []
        self._lives = _Lives(writer)

    def admit(self, request: SessionRequest, session_public: bytes) -> Admission:
        """Number and certify a session. It may start when the block has ended."""
        start_ms = time.time_ns() // 1_000_000
        session_id = new_session_id(start_ms)
        self._notary.reserve(session_id)
        self._marked.append(session_id)
        return self.admit_marked(request, session_id, start_ms, session_public)

    def admit_marked(
        self, request: SessionRequest, session_id: str, start_ms: int, session_public: bytes
    ) -> Admission:
        """The same for a session that has its mark already."""
        number = self._next_number()
        line = self._notary.certify(session_public, session_id, number, start_ms)
        opening = _opening(request, session_id, number, start_ms, session_public)
        self.append(entries.session_opened(self._notary.host, opening))
        self._lives.note(session_id, self.entries[-1])
        return Admission(session_id, number, self._notary.host, line, start_ms)

    def append(self, document: Document) -> int:
        """Add one entry; the index it will have."""
        index = self._writer.size + len(self.entries)
        document["event"] |= {"sequence": index, "id": f"{self._notary.log.origin}/{index}"}
        self.entries.append(entries.encode(document))
        return index

    def append_ending(self, session_id: str, document: Document) -> Document:
        """Add a session's closing entry unless the log has one; returns the one that the log has then."""
        found = self._lives.last(session_id)
        if found is not None and entries.action(found) != entries.OPENED:
            return found
        self.append(document)
        self._lives.note(session_id, self.entries[-1])
        return document

    def release_marks(self) -> None:
        """Let go of the marks of sessions that the log does not have."""
        for session_id in self._marked:
            self._notary.release(session_id)

    def _next_number(self) -> int:
        self._number = (last_number(self._writer) if self._number is None else self._number) + 1
        return self._number


class _Lives:
    """The last entry about each session's life, read from the end of the log only as far as needed."""

    def __init__(self, writer: Writer) -> None:
        self._entries = writer.back(writer.size)
        self._last: dict[str, bytes] = {}

    def last(self, session_id: str) -> Document | None:
        """The session's last entry; None where it has none."""
        while session_id not in self._last:
            entry = next(self._entries, None)
            if entry is None:
                return None
            self._read(entry)
        return entries.decode(self._last[session_id], "log")

    def note(self, session_id: str, entry: bytes) -> None:
        """An entry that is about to be appended."""
        self._last[session_id] = entry

    def _read(self, entry: bytes) -> None:
        """By its bytes alone: it may be ten thousand entries back, and everyone waits for the lock."""
        named = _SESSION.findall(entry) if _LIFE_MARK in entry else None
        if named:
            self._last.setdefault(named[-1].decode(), entry)


def last_number(writer: Writer) -> int:
    """The number of the session that opened last; 0 in a log without any."""
    for entry in writer.back(writer.size):
        if _SESSION_MARK in entry:
            return _number(entry)
    return 0


def _number(entry: bytes) -> int:
    try:
        number = value_at(entries.decode(entry, "log"), ("sealcast", "number"))
    except FormatError:
        number = None
    if type(number) is not int:
        raise LogDamagedError("the last session-opened entry of the log has no session number")
    return number


def new_session_id(start_ms: int) -> str:
    """`20261120T101502-k7f3q9xw`: the UTC second, and 40 random bits in Crockford's base32."""
    return session_id_of(start_ms, os.urandom(ID_BYTES))


def session_id_of(start_ms: int, distinct: bytes) -> str:
    """The id of a session that started then; `distinct` are the 5 bytes that tell it from others."""
    moment = time.strftime("%Y%m%dT%H%M%S", time.gmtime(start_ms // 1000))
    bits = int.from_bytes(distinct, "big")
    characters = (CROCKFORD[bits >> shift & 31] for shift in range(0, 8 * ID_BYTES, 5))
    return f"{moment}-{''.join(characters)}"


def _opening(
    request: SessionRequest, session_id: str, number: int, start_ms: int, session_public: bytes
) -> Opening:
    source = request.source or {}
    return Opening(
        session=session_id,
        number=number,
        start_ms=start_ms,
        user=request.user,
        uid=request.uid,
        origin=request.origin,
        interactive=request.interactive,
        columns=request.terminal[0],
        rows=request.terminal[1],
        command=request.command,
        title=request.title,
        reason=request.reason,
        source_ip=source.get("ip"),
        source_port=source.get("port"),
        authentication=request.authentication,
        session_key=fingerprint(session_public),
    )
