"""Reading recordings of every asciicast version, line by line, in bounded memory."""

from base64 import b64decode
from binascii import Error
from collections.abc import Iterable, Iterator
from itertools import count
from typing import BinaryIO

from recorder.cast.events import BYTES, EXIT, INPUT, MAX_LINE, OUTPUT, Event
from recorder.cast.header import Header, header_object, parse_header
from recorder.cast.v1 import parse_v1
from recorder.cast.v2 import parse_event
from recorder.errors import FormatError

_V3_EXIT = "x"
_TEXTS = frozenset({OUTPUT, INPUT})


def iter_lines(file: BinaryIO, limit: int = MAX_LINE, name: str = "recording") -> Iterator[bytes]:
    """Lines with their newline, which the last one may lack; FormatError at a line longer than `limit`."""
    readline = file.readline
    for number in count(1):
        line = readline(limit + 1)
        if len(line) > limit:
            raise FormatError(f"line longer than {limit} bytes", f"{name}:{number}")
        if not line:
            return
        yield line


class EventReader(Iterator[Event]):
    """The events after a header, times absolute and never going back.

    Strict, it raises FormatError at the first line that is no event; lenient, it counts those and goes on.
    """

    def __init__(self, lines: Iterator[bytes], header: Header, name: str, lenient: bool = False) -> None:
        self.skipped = 0
        """Lines passed over so far because they could not be read."""
        self._lines = enumerate(lines, 2)
        self._relative = header.version == 3
        self._name = name
        self._lenient = lenient
        self._time = 0.0

    def __next__(self) -> Event:
        for number, line in self._lines:
            if self._relative and _is_comment(line):
                continue
            try:
                event = parse_event(line, f"{self._name}:{number}")
            except FormatError:
                if not self._lenient:
                    raise
                self.skipped += 1
                continue
            if self._relative or event.time <= self._time:
                return self._placed(event)
            self._time = event.time
            return event
        raise StopIteration

    def _placed(self, event: Event) -> Event:
        """The event in version 2's terms: absolute time, and its code for the exit status."""
        time, code, data = event
        self._time = self._time + time if self._relative else max(self._time, time)
        if self._relative and code == _V3_EXIT:
            code = EXIT
        return Event(self._time, code, data)


def _is_comment(line: bytes) -> bool:
    """Version 3 allows comments and blank lines between events."""
    return line.startswith(b"#") or not line.strip()


def open_events(file: BinaryIO, name: str, lenient: bool = False) -> tuple[Header, Iterator[Event]]:
    """The header and the events of the recording called `name`; the iterator is an EventReader or, for
    version 1, one over events already read.
    """
    lines = iter_lines(file, name=name)
    first = next(lines, b"")
    try:
        version = header_object(first, name).get("version")
    except FormatError as error:
        return _open_multiline(first, file, name, error)
    if version == 1:
        return parse_v1(first, name)
    header = parse_header(first, name)
    return header, EventReader(lines, header, name, lenient)


def _open_multiline(
    first: bytes, file: BinaryIO, name: str, error: FormatError
) -> tuple[Header, Iterator[Event]]:
    """A version 1 recording spread over lines, else the error that its first line made."""
    if not first.lstrip().startswith(b"{"):
        raise error
    whole = first + file.read(MAX_LINE)
    if file.read(1):
        raise error
    try:
        return parse_v1(whole, name)
    except FormatError:
        raise error from None


def merge_bytes(events: Iterable[Event]) -> Iterator[tuple[Event, bytes]]:
    """Every event but `B`; with each `o` and `i` its exact bytes, with all others none."""
    text: Event | None = None
    for event in events:
        if text is not None:
            yield text, text.data.encode() if event.code != BYTES else _exact(text, event)
            text = None
        if event.code in _TEXTS:
            text = event
        elif event.code != BYTES:
            yield event, b""
    if text is not None:
        yield text, text.data.encode()


def _exact(text: Event, following: Event) -> bytes:
    """What `following`, a `B`, says."""
    try:
        return b64decode(following.data, validate=True)
    except (Error, ValueError):
        return text.data.encode()


def iter_output(events: Iterable[Event]) -> Iterator[tuple[float, bytes]]:
    """What was shown: time and exact bytes of every `o` event."""
    return ((event.time, data) for event, data in merge_bytes(events) if event.code == OUTPUT)


def iter_input(events: Iterable[Event]) -> Iterator[tuple[float, bytes]]:
    """What was sent to the session: time and exact bytes of every `i` event."""
    return ((event.time, data) for event, data in merge_bytes(events) if event.code == INPUT)
