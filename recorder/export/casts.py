"""Unsigned copies of a recording as asciicast, with one marker per command."""

import heapq
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from recorder.cast.events import EXIT, INPUT, MARKER, OUTPUT, RESIZE, Event
from recorder.cast.header import Header, encode_header
from recorder.cast.v2 import encode_event
from recorder.commands import Command
from recorder.safe_text import safe

_COPIED = frozenset({OUTPUT, INPUT, RESIZE, MARKER})
_LONGEST_LABEL = 200


def copy_v2(header: Header, events: Iterable[Event], commands: Iterable[Command]) -> Iterator[bytes]:
    """Lines of asciicast v2. Without seals and certificate: a copy must not look sealed."""
    yield encode_header(replace(header, title=copy_title(header), session=None, other={}))
    for event in _marked(events, commands):
        if event.code in _COPIED:
            yield encode_event(event.time, event.code, event.data)


def copy_v3(header: Header, events: Iterable[Event], commands: Iterable[Command]) -> Iterator[bytes]:
    """Lines of asciicast v3 (docs.asciinema.org/manual/asciicast/v3): intervals, and the exit status."""
    yield _json_line(_header_v3(header))
    last = 0
    for event in _marked(events, commands):
        code = "x" if event.code == EXIT else event.code
        if event.code not in _COPIED and event.code != EXIT:
            continue
        time = round(event.time * 1_000_000)
        yield encode_event(max(0, time - last) / 1_000_000, code, event.data)
        last = max(last, time)


def copy_title(header: Header) -> str:
    """A title that says what the file is not."""
    if header.session is None:
        return header.title or "unsigned copy"
    name = f"unsigned copy of {header.session.session} on {header.session.host}"
    return f"{header.title} ({name})" if header.title else name


def _header_v3(header: Header) -> dict[str, object]:
    term: dict[str, object] = {"cols": header.width, "rows": header.height}
    if "TERM" in header.env:
        term["type"] = header.env["TERM"]
    if header.theme is not None:
        term["theme"] = header.theme
    values: dict[str, object] = {"version": 3, "term": term}
    optional = {
        "timestamp": header.timestamp,
        "idle_time_limit": header.idle_time_limit,
        "title": copy_title(header),
        "env": {name: value for name, value in header.env.items() if name != "TERM"} or None,
    }
    return values | {name: value for name, value in optional.items() if value is not None}


def _json_line(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace") + b"\n"


def _marked(events: Iterable[Event], commands: Iterable[Command]) -> Iterator[Event]:
    """The events with a marker where each command was accepted."""
    markers = [
        Event(command.start_s, MARKER, safe(command.text, _LONGEST_LABEL))
        for command in sorted(commands, key=lambda command: command.start_s)
    ]
    return heapq.merge(markers, events, key=lambda event: event.time)
