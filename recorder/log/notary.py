"""The holder of the host key: certifies session keys, signs what is left of broken recordings, logs.

It reads nothing that a session wrote. Several processes may each have a notary on one log: the log's
writer lock, held only for an append, makes session numbers gap-free.
"""

import os
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

_ID_BYTES = 5
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
    title: str | None = None
    reason: str | None = None
    source: dict[str, Any] | None = None
    """`ip` and `port`."""
    authentication: dict[str, Any] | None = None
    interactive: bool = True
    env: dict[str, str] = field(default_factory=dict)
    """For the recording's header; not in the log."""


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
        with self._marked(session_id):
            return self._open(request, session_id, start_ms, session_public)

    @contextmanager
    def _marked(self, session_id: str) -> Iterator[None]:
        """The mark, held on to unless the block fails."""
        if self._marks is None:
            yield
            return
        self._marks.reserve(session_id)
        try:
            yield
        except BaseException:
            self._marks.release(session_id)
            raise

    def _open(
        self, request: SessionRequest, session_id: str, start_ms: int, session_public: bytes
    ) -> Admission:
        with self.log.writing(self._key) as writer:
            number = last_number(writer) + 1
            line = self._certify(session_public, session_id, number, start_ms)
            opening = _opening(request, session_id, number, start_ms, session_public)
            self._append(writer, entries.session_opened(self.host, opening))
        return Admission(session_id, number, self.host, line, start_ms)

    def append(self, document: Document) -> int:
        """Append one entry durably; its index."""
        with self.log.writing(self._key) as writer:
            return self._append(writer, document)

    def append_ending(self, session_id: str, document: Document) -> Document:
        """Append a session's closing entry unless the log has one; returns the one that the log has then."""
        with self.log.writing(self._key) as writer:
            found = _last_of_session(writer, session_id)
            if found is not None and entries.action(found) != entries.OPENED:
                return found
            self._append(writer, document)
            return document

    def sign_file(self, digest: bytes) -> str:
        """The host key's armored SSH signature over the file with this SHA-256."""
        return sshsig.sign(self._key, digest, public_blob(public_bytes(self._key)))

    def _append(self, writer: Writer, document: Document) -> int:
        document["event"] |= {"sequence": writer.size, "id": f"{self.log.origin}/{writer.size}"}
        return writer.append(entries.encode(document))

    def _certify(self, session_public: bytes, session_id: str, number: int, start_ms: int) -> str:
        return certificate.issue(
            self._key, session_public, session_id, self.host, start_ms // 1000, serial=number
        )


def last_number(writer: Writer) -> int:
    """The number of the session that opened last; 0 in a log without any."""
    for entry in writer.back(writer.size):
        if _SESSION_MARK in entry:
            return _number(entry)
    return 0


def _last_of_session(writer: Writer, session_id: str) -> Document | None:
    """The session's last entry about its life; None where it has none."""
    mark = session_id.encode()
    for entry in writer.back(writer.size):
        if mark in entry and _LIFE_MARK in entry:
            document = entries.decode(entry, "log")
            if value_at(document, ("sealcast", "session")) == session_id:
                return document
    return None


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
    moment = time.strftime("%Y%m%dT%H%M%S", time.gmtime(start_ms // 1000))
    bits = int.from_bytes(os.urandom(_ID_BYTES), "big")
    characters = (CROCKFORD[bits >> shift & 31] for shift in range(0, 8 * _ID_BYTES, 5))
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
