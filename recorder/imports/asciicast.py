"""Plain asciicasts of versions 1 to 3, as asciinema and others write them."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from recorder.cast.events import EXIT, INPUT, MARKER, OUTPUT, RESIZE
from recorder.cast.reader import open_events
from recorder.errors import FormatError
from recorder.imports.moments import Clock, Facts, Moment, terminal_size

_TAKEN = {OUTPUT, INPUT, RESIZE, MARKER, EXIT}
_FORMS = {
    RESIZE: re.compile(r"[1-9]\d{0,3}x[1-9]\d{0,3}", re.ASCII),
    EXIT: re.compile(r"0|[1-9]\d{0,9}", re.ASCII),
}


def read_facts(file: BinaryIO, name: str) -> Facts:
    """From the header; reads from the start. `FormatError` for a recording that has its own signature."""
    file.seek(0)
    header, _ = open_events(file, name)
    if header.session is not None:
        raise FormatError(
            f"is sealed by {header.session.host[:80]}: importing it would take its signature off",
            name,
            f"check it as it is: sealcast verify {name}",
        )
    return Facts(
        "asciicast",
        user=header.env.get("USER"),
        host=header.env.get("HOSTNAME"),
        start_ms=None if header.timestamp is None else header.timestamp * 1000,
        size=terminal_size(header.width, header.height, name),
        command=_text(header.other.get("command")),
        title=header.title,
        term=header.env.get("TERM"),
    )


def read_moments(file: BinaryIO, name: str) -> Iterator[Moment]:
    """Its events; codes of other programs become markers that name them."""
    file.seek(0)
    _, events = open_events(file, name)
    clock = Clock()
    for number, (time, code, data) in enumerate(events, 1):
        now = clock.at(time, f"{name}: event {number}")
        form = _FORMS.get(code)
        if code in _TAKEN and (form is None or form.fullmatch(data)):
            yield Moment(now, code, data.encode())
        else:
            yield Moment(now, MARKER, f"event {code[:16]}: {data[:200]}".encode())


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
