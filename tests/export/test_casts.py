"""Copies as asciicast v2 and v3."""

import io
import json
from pathlib import Path

import pexpect

from recorder.cast.events import EXIT, MARKER, OUTPUT, RESIZE, Event
from recorder.cast.header import Header
from recorder.cast.reader import open_events
from recorder.commands import Command, Span
from recorder.export.casts import copy_title, copy_v2, copy_v3
from tests.marks import needs

EVENTS = [
    Event(0.25, OUTPUT, "$ "),
    Event(1.5, "K", "enter noecho raw"),
    Event(1.500001, OUTPUT, "\x1b[1mé\r\n"),
    Event(1.6, "S", "seal"),
    Event(2.0, RESIZE, "100x30"),
    Event(2.5, EXIT, "3"),
]
HEADER = Header(
    2, 80, 24, 1795169702, title="work", env={"TERM": "xterm", "SHELL": "/bin/sh"}, other={"x": 1}
)


def command(text: str, start_s: float) -> Command:
    return Command(text, start_s, None, Span(0, 0), None, None, 0, None, "$ ", "screen", ())


def test_v2_has_markers_and_no_seals() -> None:
    lines = list(copy_v2(HEADER, EVENTS, [command("ls\x1b[31m", 1.5)]))
    header, events = open_events(io.BytesIO(b"".join(lines)), "copy")
    found = list(events)
    assert (header.session, header.other, header.title) == (None, {}, "work")
    assert [event.code for event in found] == [OUTPUT, MARKER, OUTPUT, RESIZE]
    assert found[1] == Event(1.5, MARKER, "ls␛[31m")


def test_v3_is_the_same_in_intervals() -> None:
    lines = list(copy_v3(HEADER, EVENTS, [command("ls", 1.5)]))
    values = json.loads(lines[0])
    assert values["term"] == {"cols": 80, "rows": 24, "type": "xterm"}
    assert values["env"] == {"SHELL": "/bin/sh"}
    _, events = open_events(io.BytesIO(b"".join(lines)), "copy")
    assert list(events) == [
        Event(0.25, OUTPUT, "$ "),
        Event(1.5, MARKER, "ls"),
        Event(1.500001, OUTPUT, "\x1b[1mé\r\n"),
        Event(2.0, RESIZE, "100x30"),
        Event(2.5, EXIT, "3"),
    ]


def test_a_copy_says_what_it_is_not() -> None:
    assert copy_title(Header(2, 80, 24)) == "unsigned copy"


@needs("asciinema")
def test_the_stock_player_reads_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "copy.cast"
    path.write_bytes(b"".join(copy_v2(HEADER, EVENTS, [command("ls", 1.5)])))
    player = pexpect.spawn("asciinema", ["play", "-s", "100", str(path)], encoding="utf-8", timeout=30)
    player.expect(pexpect.EOF)
    player.close()
    assert player.exitstatus == 0
    assert "$ \x1b[1mé\r\n" in (player.before or "")
