"""What a recording says beside its output: transfers, operations on files, and what it does not hold."""

from base64 import b64decode
from binascii import Error
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from recorder.cast.events import ELISION, FILE, INPUT, SEAL, TRANSFER, Event
from recorder.cast.ledger import Ledger, LeftOut
from recorder.cast.reader import merge_bytes
from recorder.cast.strict_json import loads
from recorder.errors import FormatError


class Operation(NamedTuple):
    """One operation on a file by a transfer. Every text is foreign."""

    action: str
    path: str
    """Bytes that are not UTF-8 stand as `\\xNN`."""
    target: str
    size: int | None
    outcome: str

    def __str__(self) -> str:
        """In one line."""
        target = f" to {self.target}" if self.target else ""
        size = "" if self.size is None else f", {self.size:,} bytes"
        return f"{self.action} {self.path}{target}{size}: {self.outcome}"


@dataclass(slots=True)
class Survey:
    """What one reading of a recording tells of what its pictures do not show; bounded."""

    protocol: str = ""
    """`scp`, `sftp`, `rsync` or `git`; empty where it is no transfer."""
    direction: str = ""
    executed: tuple[str, ...] = ()
    """The program of a transfer and its arguments."""
    left_out: dict[str, LeftOut] = field(default_factory=dict)
    """By stream: bytes that the recording does not hold."""
    operations: int = 0
    """`F` lines: operations on files, and problems in following them."""
    input_bytes: int = 0
    seals: int = 0
    unread: int = 0
    """Lines that could not be read."""

    def losses(self) -> Iterator[str]:
        """What is not there, a sentence each; not made safe."""
        for name, found in self.left_out.items():
            yield f"{found.bytes:,} bytes of {name} are not stored; their SHA-256 is {found.sha256}"
        if self.unread:
            yield f"{self.unread:,} lines of the recording could not be read"


def survey(events: Iterable[Event]) -> Survey:
    """Goes through all events once. `unread` is for those to count who read the lines."""
    found, ledger = Survey(), Ledger()
    for event, data in merge_bytes(events):
        if event.code == INPUT:
            found.input_bytes += len(data)
        found.seals += event.code == SEAL
        found.operations += event.code == FILE
        if event.code == TRANSFER:
            found.executed = _executed(event)
        if event.code in (TRANSFER, ELISION):
            ledger.add(event)
    found.protocol, found.direction, found.left_out = ledger.transfer, ledger.direction, ledger.left_out
    return found


def operation_of(event: Event) -> Operation | None:
    """The operation in an `F` event; None where it tells of a problem, or is malformed."""
    data = _data(event)
    if event.code != FILE or not isinstance(data.get("action"), str):
        return None
    size = data.get("size")
    counted = isinstance(size, int) and not isinstance(size, bool)
    return Operation(
        _text(data, "action"),
        _path(data, "path"),
        _path(data, "target"),
        size if counted else None,
        _text(data, "outcome") or "unknown",
    )


def remark_of(event: Event) -> str:
    """A `T`, `L` or `F` event in one line; not made safe. What is malformed is told as it is."""
    data = _data(event)
    if event.code == FILE:
        return f"file: {operation_of(event) or data.get('problem') or event.data}"
    if event.code == TRANSFER and "protocol" in data:
        executed = " ".join(_executed(event))
        return f"transfer: {_text(data, 'protocol')}, {_text(data, 'direction')}, by {executed}"
    if event.code == ELISION and "sha256" in data:
        count, stream = data.get("bytes"), _text(data, "stream")
        return f"left out: {count} bytes of {stream}, SHA-256 {_text(data, 'sha256')}"
    return f"{event.code}: {event.data}"


def _data(event: Event) -> dict[str, Any]:
    with suppress(FormatError, UnicodeEncodeError):
        data = loads(event.data.encode(), "event")
        if isinstance(data, dict):
            return data
    return {}


def _executed(event: Event) -> tuple[str, ...]:
    data = _data(event)
    arguments = data.get("arguments")
    listed = arguments[1:] if isinstance(arguments, list) else []  # the first is the program's own name
    return (_text(data, "program"), *(str(argument) for argument in listed))


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""


def _path(data: dict[str, Any], name: str) -> str:
    with suppress(Error, ValueError):
        return b64decode(_text(data, f"{name}_base64"), validate=True).decode(
            "utf-8", "backslashreplace"
        ) or _text(data, name)
    return _text(data, name)
