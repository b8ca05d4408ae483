"""SFTP version 3 (draft-ietf-secsh-filexfer-02, OpenSSH's PROTOCOL) read from both sides.

Tells what became of files. Payload is skipped, not kept. Bounded whatever is sent: what does not fit raises
`NotSftpError`, and nothing is guessed after that.
"""

import base64
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

MAX_PACKET = 256 * 1024
"""OpenSSH's SFTP_MAX_MSG_LENGTH: its server ends at a longer one."""
MAX_WAITING = 4096
MAX_HANDLES = 4096
MAX_PATH = 4096
MAX_HANDLE = 256
_LENGTH_AND_TYPE = struct.Struct(">IB")
_MAX_KEPT = 16 * 1024
_MAX_KEPT_DATA = 512
"""Of WRITE and DATA: id, handle, offset and length; a handle is at most 256 bytes."""

Fact = dict[str, Any]

OPEN, CLOSE, READ, WRITE, SETSTAT, OPENDIR = 3, 4, 5, 6, 9, 11
REMOVE, MKDIR, RMDIR, RENAME, SYMLINK, EXTENDED = 13, 14, 15, 18, 20, 200
STATUS, HANDLE, DATA = 101, 102, 103
_INIT, _VERSION = 1, 2
_REQUESTS = frozenset({_INIT, *range(3, 21), EXTENDED})
_RESPONSES = frozenset({_VERSION, *range(101, 106), 201})
_WRITE_FLAG = 0x02
_OUTCOMES = {
    0: "ok",
    1: "end of file",
    2: "no such file",
    3: "permission denied",
    4: "failure",
    5: "bad message",
    6: "no connection",
    7: "connection lost",
    8: "not supported",
}
_BY_PATH = {REMOVE: "remove", MKDIR: "mkdir", RMDIR: "rmdir", SETSTAT: "setstat", OPENDIR: "list"}
_BY_TWO_PATHS = {
    b"posix-rename@openssh.com": "rename",
    b"hardlink@openssh.com": "hardlink",
}


class NotSftpError(Exception):
    """What was sent is not SFTP, or more at once than is followed."""


@dataclass(slots=True)
class _File:
    path: bytes
    writes: bool
    read: int = 0
    written: int = 0


@dataclass(slots=True)
class _Request:
    """A request that waits for its response."""

    kind: int
    action: str = ""
    path: bytes = b""
    target: bytes = b""
    handle: bytes = b""
    size: int = 0
    writes: bool = False


@dataclass(slots=True)
class Packets:
    """Cuts one direction into packets: type, and the first bytes of the body."""

    _head: bytearray = field(default_factory=bytearray)
    _skip: int = 0
    _wanted: int = 5
    """Bytes of `_head` at which it is whole: length and type first, then what is kept of the body."""
    _rest: int = 0

    def feed(self, data: memoryview) -> Iterator[tuple[int, bytes]]:
        """The packets whose kept part ends in this chunk."""
        at = 0
        while at < len(data):
            if self._skip:
                step = min(self._skip, len(data) - at)
                self._skip -= step
                at += step
                continue
            step = min(self._wanted - len(self._head), len(data) - at)
            self._head += data[at : at + step]
            at += step
            if len(self._head) == self._wanted and (self._wanted > 5 or not self._begin()):
                kind, body = self._head[4], bytes(self._head[5:])
                self._skip, self._wanted = self._rest, 5
                self._head.clear()
                yield kind, body

    def _begin(self) -> bool:
        """Length and type are known; whether there is a body to wait for."""
        length, kind = _LENGTH_AND_TYPE.unpack_from(self._head)
        if not 1 <= length <= MAX_PACKET:
            raise NotSftpError(f"a packet of {length} bytes")
        kept: int = min(length - 1, _MAX_KEPT_DATA if kind in {WRITE, DATA} else _MAX_KEPT)
        self._rest = length - 1 - kept
        self._wanted = 5 + kept
        return bool(kept)


class _Body:
    """Reads the fields of a packet; one that is too short is no packet."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self) -> int:
        if len(self._data) - self._at < 4:
            raise NotSftpError("a packet that is cut off")
        (value,) = struct.unpack_from(">I", self._data, self._at)
        self._at += 4
        return int(value)

    def skip(self, count: int) -> None:
        self._at += count

    def string(self, limit: int = MAX_PATH) -> bytes:
        length = self.number()
        if length > limit or len(self._data) - self._at < length:
            raise NotSftpError("a string that is too long")
        value = self._data[self._at : self._at + length]
        self._at += length
        return value


class SftpObserver:
    """Follows one conversation; `tell` gets a fact for each operation that has an outcome."""

    def __init__(self, tell: Callable[[Fact], None]) -> None:
        self._tell = tell
        self._from_client = Packets()
        self._from_server = Packets()
        self._waiting: dict[int, _Request] = {}
        self._files: dict[bytes, _File] = {}

    def client(self, data: memoryview) -> None:
        """A chunk of what the client sent. NotSftpError."""
        for kind, body in self._from_client.feed(data):
            if kind not in _REQUESTS:
                raise NotSftpError(f"a request of type {kind}")
            if kind != _INIT:
                self._request(kind, _Body(body))

    def server(self, data: memoryview) -> None:
        """A chunk of what the server answered. NotSftpError."""
        for kind, body in self._from_server.feed(data):
            if kind not in _RESPONSES:
                raise NotSftpError(f"a response of type {kind}")
            if kind != _VERSION:
                self._response(kind, _Body(body))

    def end(self) -> None:
        """The conversation is over: tell of what was left open."""
        for file in self._files.values():
            self._tell_file(file, "never closed")
        for request in self._waiting.values():
            if request.action:
                self._tell_request(request, "unknown")
        self._files.clear()
        self._waiting.clear()

    def _request(self, kind: int, body: _Body) -> None:
        number = body.number()
        if number in self._waiting or len(self._waiting) >= MAX_WAITING:
            raise NotSftpError("too many requests at once, or two with the same number")
        self._waiting[number] = _read_request(kind, body)

    def _response(self, kind: int, body: _Body) -> None:
        request = self._waiting.pop(body.number(), None)
        if request is None:
            raise NotSftpError("a response to no request")
        if kind == HANDLE and request.kind in {OPEN, OPENDIR}:
            self._opened(request, body.string(MAX_HANDLE))
        elif kind == DATA and request.handle in self._files:
            self._files[request.handle].read += body.number()
        elif kind == STATUS:
            self._ended(request, body.number())

    def _opened(self, request: _Request, handle: bytes) -> None:
        if request.kind == OPENDIR:
            self._tell_request(request, "ok")
            return
        if len(self._files) >= MAX_HANDLES:
            raise NotSftpError("too many open files")
        if handle in self._files:
            self._tell_file(self._files[handle], "never closed")
        self._files[handle] = _File(request.path, request.writes)

    def _ended(self, request: _Request, code: int) -> None:
        outcome = _OUTCOMES.get(code, f"status {code}")
        if request.kind == WRITE and code == 0 and request.handle in self._files:
            self._files[request.handle].written += request.size
        elif request.kind == CLOSE and request.handle in self._files:
            self._tell_file(self._files.pop(request.handle), outcome)
        elif request.action:
            self._tell_request(request, outcome)

    def _tell_file(self, file: _File, outcome: str) -> None:
        """One fact for what was written, one for what was read; one at least."""
        moves = [(name, size) for name, size in (("write", file.written), ("read", file.read)) if size]
        for action, size in moves or [("write" if file.writes else "read", 0)]:
            self._tell({"action": action, **_named("path", file.path), "size": size, "outcome": outcome})

    def _tell_request(self, request: _Request, outcome: str) -> None:
        target = _named("target", request.target) if request.target else {}
        self._tell({"action": request.action, **_named("path", request.path), **target, "outcome": outcome})


def _read_request(kind: int, body: _Body) -> _Request:
    """What is needed of a request to understand its response."""
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(kind, body)
    return _Request(kind, _BY_PATH[kind], body.string()) if kind in _BY_PATH else _Request(kind)


def _open(kind: int, body: _Body) -> _Request:
    path = body.string()
    return _Request(kind, "open", path, writes=bool(body.number() & _WRITE_FLAG))


def _by_handle(kind: int, body: _Body) -> _Request:
    return _Request(kind, handle=body.string(MAX_HANDLE))


def _write(kind: int, body: _Body) -> _Request:
    handle = body.string(MAX_HANDLE)
    body.skip(8)
    return _Request(kind, handle=handle, size=body.number())


def _rename(kind: int, body: _Body) -> _Request:
    return _Request(kind, "rename", body.string(), body.string())


def _symlink(kind: int, body: _Body) -> _Request:
    """OpenSSH takes the target first, against the draft (PROTOCOL, 4.1)."""
    target = body.string()
    return _Request(kind, "symlink", body.string(), target)


def _extended(kind: int, body: _Body) -> _Request:
    action = _BY_TWO_PATHS.get(body.string())
    return _Request(kind, action, body.string(), body.string()) if action else _Request(kind)


_READERS: dict[int, Callable[[int, _Body], _Request]] = {
    OPEN: _open,
    CLOSE: _by_handle,
    READ: _by_handle,
    WRITE: _write,
    RENAME: _rename,
    SYMLINK: _symlink,
    EXTENDED: _extended,
}


def _named(key: str, path: bytes) -> Fact:
    """A path as text; beside it the exact bytes where they are no UTF-8."""
    try:
        return {key: path.decode()}
    except UnicodeDecodeError:
        return {key: path.decode("utf-8", "replace"), f"{key}_base64": base64.b64encode(path).decode()}
