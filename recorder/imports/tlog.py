"""tlog: JSON messages, one per line, by themselves or in what journalctl exports.

A message's `timing` tells how its text is to be read: `<3` and `>3` are characters of input and output,
`[1/2` and `]1/2` one character that is no text and its two bytes, `+5` a pause in milliseconds, `=80x24` a
size.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from recorder.cast.events import INPUT, OUTPUT, RESIZE
from recorder.cast.fields import Fields
from recorder.cast.reader import iter_lines
from recorder.cast.strict_json import loads
from recorder.errors import FormatError
from recorder.imports.moments import MAX_SECONDS, Clock, Facts, Moment, terminal_size

_RECORD = re.compile(r"([<>+])(\d{1,9})|([\[\]])(\d{1,9})/(\d{1,9})|=(\d{1,9})x(\d{1,9})", re.ASCII)
_MAX_MESSAGE = 16 * 1024 * 1024
_MAX_ID = 2**53
_NEWEST = 2
_EXPORTED = re.compile(rb"[A-Z_][A-Z0-9_]{0,63}[=\n]")


@dataclass(slots=True)
class Recording:
    """Where the messages of one recording lie."""

    rec: str
    places: list[tuple[int, int, int]] = field(default_factory=list)
    """Message number, offset and length of its JSON text (in a `MESSAGE` of JSON: of the whole line)."""


def looks_like(head: bytes) -> bool:
    """Whether a file with this beginning holds tlog messages."""
    plain = b'"timing"' in head and (b'"out_txt"' in head or b'"rec"' in head)
    quoted = b'\\"timing\\"' in head and b'\\"rec\\"' in head
    return plain or quoted or b'"TLOG_REC"' in head


def find_recordings(file: BinaryIO, name: str) -> list[Recording]:
    """The recordings in a file, in the order of their first messages; reads from the start."""
    found: dict[str, Recording] = {}
    for offset, length, where in _messages(file, name):
        fields = _message(file, offset, length, where)
        rec = fields.needed_text("rec", 255)
        number = fields.needed_integer("id", 1, _MAX_ID)
        found.setdefault(rec, Recording(rec)).places.append((number, offset, length))
    if not found:
        raise FormatError("has no message of tlog", name)
    return [_in_order(recording, name) for recording in found.values()]


def read_facts(file: BinaryIO, recording: Recording, name: str) -> Facts:
    """What the first message says."""
    _, offset, length = recording.places[0]
    fields = _message(file, offset, length, name)
    time = fields.number("time", 0, 1e11)
    first = next(
        (found for found in _RECORD.finditer(fields.text("timing", _MAX_MESSAGE) or "") if found[6]), None
    )
    return Facts(
        "tlog",
        user=fields.text("user", 255),
        host=fields.text("host", 255),
        start_ms=None if time is None else int(time * 1000) - int(fields.number("pos", 0, 1e12) or 0),
        size=terminal_size(int(first[6]), int(first[7]), name) if first else None,
        term=fields.text("term", 255),
    )


def read_moments(file: BinaryIO, recording: Recording, name: str) -> Iterator[Moment]:
    """Every message of the recording, in the order of their numbers."""
    clock = Clock()
    for number, offset, length in recording.places:
        where = f"{name}: message {number}"
        yield from decode(_message(file, offset, length, where), clock, where)


def decode(fields: Fields, clock: Clock, where: str) -> Iterator[Moment]:
    """The moments of one message; `FormatError` where its timing and its text do not fit."""
    time = clock.at(fields.needed_number("pos", 0, MAX_SECONDS * 1000) / 1000, where)
    timing = fields.text("timing", _MAX_MESSAGE) or ""
    sides = {"<": _Side(fields, "in", where), ">": _Side(fields, "out", where)}
    position = 0
    while position < len(timing):
        found = _RECORD.match(timing, position)
        if found is None:
            raise FormatError(f"timing is not understood at {timing[position : position + 20]!r}", where)
        position = found.end()
        if found[1] == "+":
            time = clock.wait(int(found[2]) / 1000, where)
        elif found[6]:
            size = terminal_size(int(found[6]), int(found[7]), where)
            if size is not None:
                yield Moment(time, RESIZE, b"%dx%d" % size)
        else:
            sign = found[1] or ("<" if found[3] == "[" else ">")
            data = sides[sign].take(int(found[2] or found[4]), found[5])
            yield Moment(time, OUTPUT if sign == ">" else INPUT, data)
    for side in sides.values():
        side.refuse_rest()


class _Side:
    """Input or output of one message: its text, and the bytes that are none."""

    def __init__(self, fields: Fields, side: str, where: str) -> None:
        self._name = side
        self._where = where
        self._text = fields.text(f"{side}_txt", _MAX_MESSAGE) or ""
        self._bytes = _byte_list(fields, f"{side}_bin")
        self._characters = 0
        self._taken = 0

    def take(self, characters: int, count: str | None) -> bytes:
        """The next characters, or the bytes that they stand for."""
        start = self._characters
        self._characters += characters
        if self._characters > len(self._text):
            raise FormatError(f"timing asks for more than {self._name}_txt holds", self._where)
        if count is None:
            return self._text[start : self._characters].encode()
        first = self._taken
        self._taken += int(count)
        if self._taken > len(self._bytes):
            raise FormatError(f"timing asks for more than {self._name}_bin holds", self._where)
        return self._bytes[first : self._taken]

    def refuse_rest(self) -> None:
        if self._characters != len(self._text) or self._taken != len(self._bytes):
            raise FormatError(
                f"timing leaves out a part of {self._name}_txt or {self._name}_bin", self._where
            )


def _byte_list(fields: Fields, key: str) -> bytes:
    values = fields.values.get(key, [])
    if not isinstance(values, list) or not all(type(value) is int and 0 <= value < 256 for value in values):
        raise fields.refuse(key, "is not an array of bytes")
    return bytes(values)


def _in_order(recording: Recording, name: str) -> Recording:
    recording.places.sort()
    for expected, (number, _, _) in enumerate(recording.places, 1):
        if number != expected:
            what = "is there twice" if number == expected - 1 else f"is missing: {number} follows"
            wrong = number if number == expected - 1 else expected
            sentence = f"message {wrong} of recording {recording.rec[:80]} {what}"
            raise FormatError(sentence, name, "export the whole recording: journalctl -o json TLOG_REC=…")
    return recording


# ── the files that messages stand in ──────────────────────────────────────────


def _messages(file: BinaryIO, name: str) -> Iterator[tuple[int, int, str]]:
    """Offset, length and place of every message: in lines of JSON, or in journalctl's export format."""
    file.seek(0)
    if _EXPORTED.match(file.read(80)):
        yield from _exported(file, name)
        return
    file.seek(0)
    offset = 0
    for number, line in enumerate(iter_lines(file, _MAX_MESSAGE, name), 1):
        if line.strip():
            start = line.find(b"{")
            if start < 0:
                raise FormatError("no JSON in this line", f"{name}:{number}")
            if not line.endswith(b"}") and not line.endswith(b"\n"):
                raise FormatError("is cut", f"{name}:{number}", "it was cut: look for a whole copy")
            yield offset + start, len(line) - start, f"{name}:{number}"
            file.seek(offset + len(line))
        offset += len(line)


def _exported(file: BinaryIO, name: str) -> Iterator[tuple[int, int, str]]:
    """`KEY=text` lines, or `KEY`, a 64-bit length and bytes; entries are separated by empty lines."""
    file.seek(0)
    entry = 1
    while line := file.readline(_MAX_MESSAGE + 64):
        where = f"{name}: journal entry {entry}"
        if line == b"\n":
            entry += 1
            continue
        if not line.endswith(b"\n"):
            raise FormatError("is cut", where, "it was cut: look for a whole copy")
        key, equals, value = line.rstrip(b"\n").partition(b"=")
        place, length = file.tell() - len(value) - 1, len(value)
        if not equals:
            length = int.from_bytes(file.read(8), "little")
            place = file.tell()
            if length > _MAX_MESSAGE:
                raise FormatError(f"a field of {length:,} bytes; the limit is {_MAX_MESSAGE:,}", where)
            if len(file.read(length + 1)) != length + 1:
                raise FormatError("is cut", where, "it was cut: look for a whole copy")
        after = file.tell()
        if key == b"MESSAGE":
            yield place, length, where
        file.seek(after)


def _message(file: BinaryIO, offset: int, length: int, where: str) -> Fields:
    """The message at a place; in a line of journalctl -o json it is the string called MESSAGE."""
    file.seek(offset)
    value: Any = loads(file.read(length).rstrip(b"\n"), where)
    if isinstance(value, dict) and "timing" not in value and "MESSAGE" in value:
        value = loads(_text_of(value["MESSAGE"], where), where)
    fields = Fields(value, where)
    version = fields.text("ver", 32) or str(fields.values.get("ver", ""))
    if not re.fullmatch(r"\d{1,6}(?:\.\d{1,6})?", version) or int(version.partition(".")[0]) > _NEWEST:
        raise FormatError(f"tlog's format {json.dumps(version)}; this program reads up to {_NEWEST}", where)
    return fields


def _text_of(message: object, where: str) -> bytes:
    """journalctl gives an array of bytes where a message holds control characters."""
    if isinstance(message, str):
        return message.encode()
    if isinstance(message, list) and all(type(value) is int and 0 <= value < 256 for value in message):
        return bytes(message)
    raise FormatError("MESSAGE is not text", where, "export it with journalctl --all -o json")
