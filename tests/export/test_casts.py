"""Copies as asciicast v2 and v3."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

from recorder.cast.events import EXIT, MARKER, OUTPUT, RESIZE, Event
from recorder.cast.header import Header
from recorder.cast.reader import merge_bytes, open_events
from recorder.commands import Command, Span
from recorder.export.casts import copy_title, copy_v2, copy_v3
from recorder.export.survey import Survey, survey
from tests.marks import needs

DIGEST = "ab" * 32
EVENTS = [
    Event(0.25, OUTPUT, "$ "),
    Event(1.5, "K", "enter noecho raw"),
    Event(1.500001, OUTPUT, "\x1b[1m\ufffd\r\n"),
    Event(1.500001, "B", "G1sxbekNCg=="),
    Event(1.500001, "E", ""),
    Event(1.6, "S", "seal"),
    Event(2.0, RESIZE, "100x30"),
    Event(2.1, "T", '{"protocol":"sftp","direction":"both ways","program":"/x","arguments":["s","-e"]}'),
    Event(2.2, "F", '{"action":"write","path":"/a\\u001bb","size":5,"outcome":"ok"}'),
    Event(2.3, "L", json.dumps({"bytes": 5, "sha256": "00" * 32, "stream": "input"})),
    Event(2.4, "L", json.dumps({"bytes": 7000, "sha256": DIGEST, "stream": "input"})),
    Event(2.5, EXIT, "3"),
    Event(2.5, "S", "seal"),
]
MARKERS = [
    Event(1.5, MARKER, "ls␛[31m"),
    Event(2.1, MARKER, "transfer: sftp, both ways, by /x -e"),
    Event(2.2, MARKER, "file: write /a␛b, 5 bytes: ok"),
    Event(2.5, MARKER, f"not in this file: 7,000 bytes of input are not stored; their SHA-256 is {DIGEST}"),
    Event(2.5, MARKER, "not in this file: 2 lines of the recording could not be read"),
]
HEADER = Header(
    2, 80, 24, 1795169702, title="work", env={"TERM": "xterm", "SHELL": "/bin/sh"}, other={"x": 1}
)


def command(text: str, start_s: float) -> Command:
    return Command(text, start_s, None, Span(0, 0), None, None, 0, None, "$ ", "screen", ())


def copied(copy: Callable[..., Iterator[bytes]]) -> tuple[Header, list[Event], bytes]:
    """The copy, read again, and its bytes."""
    found = survey(EVENTS)
    found.unread = 2
    data = b"".join(copy(HEADER, EVENTS, [command("ls\x1b[31m", 1.5)], found))
    header, events = open_events(io.BytesIO(data), "copy")
    return header, [event._replace(time=round(event.time, 6)) for event in events], data


@pytest.mark.parametrize("copy", [copy_v2, copy_v3])
def test_everything_but_the_seals_is_there_and_markers_tell_what_players_do_not_show(
    copy: Callable[..., Iterator[bytes]],
) -> None:
    _, events, _ = copied(copy)
    assert [event for event in events if event.code == MARKER] == MARKERS
    others = [event for event in events if event.code != MARKER]
    assert others == [event for event in EVENTS if event.code != "S"]


def test_bytes_and_stream_stay_directly_behind_their_output() -> None:
    codes = "".join(event.code for event in copied(copy_v2)[1])
    assert "oBE" in codes
    assert codes.endswith("mmX")
    assert list(merge_bytes(copied(copy_v2)[1]))[3][1] == b"\x1b[1m\xe9\r\n"


def test_no_copy_looks_sealed() -> None:
    header, _, _ = copied(copy_v2)
    assert (header.session, header.other, header.title) == (None, {}, "work")
    values = json.loads(copied(copy_v3)[2].splitlines()[0])
    assert values["term"] == {"cols": 80, "rows": 24, "type": "xterm"}
    assert values["env"] == {"SHELL": "/bin/sh"}
    assert "sealcast" not in values


def test_losses_are_told_without_an_exit_status_too() -> None:
    found = Survey(unread=1)
    *_, last = copy_v2(HEADER, EVENTS[:1], [], found)
    assert last == b'[0.250000, "m", "not in this file: 1 lines of the recording could not be read"]\n'


def test_a_copy_says_what_it_is_not() -> None:
    assert copy_title(Header(2, 80, 24)) == "unsigned copy"


@needs("asciinema")
@pytest.mark.parametrize(("verb", "option"), [("play", ["-s", "100"]), ("cat", [])])
def test_the_stock_player_reads_a_copy(tmp_path: Path, verb: str, option: list[str]) -> None:
    path = tmp_path / "copy.cast"
    path.write_bytes(copied(copy_v2)[2])
    player = pexpect.spawn("asciinema", [verb, *option, str(path)], encoding="utf-8", timeout=120)
    player.expect(pexpect.EOF)
    player.close()
    assert player.exitstatus == 0
    assert "$ \x1b[1m\ufffd\r\n" in (player.before or "").replace("\r\r", "\r")
