"""Unsigned copies of a recording as asciicast, with markers for its commands and for what is not output.

Only seals and the header's own facts stay behind: a copy must not look sealed. What players do not know they
pass over, so everything else is there: exact bytes, keys, standard error, transfers, what was left out.
"""

import heapq
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from recorder.cast.events import EXIT, FILE, MARKER, SEAL, TRANSFER, Event
from recorder.cast.header import Header, encode_header
from recorder.cast.v2 import encode_event
from recorder.commands import Command
from recorder.export.survey import Survey, remark_of
from recorder.safe_text import safe

_LONGEST_LABEL = 200
_LONGEST_REMARK = 2_000


def copy_v2(
    header: Header, events: Iterable[Event], commands: Iterable[Command], found: Survey
) -> Iterator[bytes]:
    """Lines of asciicast v2."""
    yield encode_header(replace(header, title=copy_title(header), session=None, other={}))
    for event in _marked(events, commands, found):
        yield encode_event(event.time, event.code, event.data)


def copy_v3(
    header: Header, events: Iterable[Event], commands: Iterable[Command], found: Survey
) -> Iterator[bytes]:
    """Lines of asciicast v3 (docs.asciinema.org/manual/asciicast/v3): intervals, and `x` for `X`."""
    yield _json_line(_header_v3(header))
    last = 0
    for event in _marked(events, commands, found):
        code = "x" if event.code == EXIT else event.code
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


def _marked(events: Iterable[Event], commands: Iterable[Command], found: Survey) -> Iterator[Event]:
    """The events with markers: where each command was accepted, at transfers, and for what is not there."""
    markers = [
        Event(command.start_s, MARKER, safe(command.text, _LONGEST_LABEL))
        for command in sorted(commands, key=lambda command: command.start_s)
    ]
    merged = heapq.merge(markers, _remarked(events, found), key=lambda event: event.time)
    return (event for event in merged if event.code != SEAL)


def _remarked(events: Iterable[Event], found: Survey) -> Iterator[Event]:
    """Losses stand before the exit status, or at the end: only there the counts are those of the whole."""
    losses = [safe(f"not in this file: {loss}", _LONGEST_REMARK) for loss in found.losses()]
    time = 0.0
    for event in events:
        time = event.time
        if event.code == EXIT:
            yield from (Event(time, MARKER, loss) for loss in losses)
            losses = []
        yield event
        if event.code in (TRANSFER, FILE):
            yield Event(time, MARKER, safe(remark_of(event), _LONGEST_REMARK))
    yield from (Event(time, MARKER, loss) for loss in losses)
