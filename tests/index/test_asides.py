"""What is shown while no command runs: kept, without the prompts and what is typed at them."""

import random

import pytest

from recorder.cast.events import KEY, OUTPUT, Event
from recorder.cast.header import Header
from recorder.cast.reader import merge_bytes
from recorder.index.extraction import Extracted, RecordingReader
from tests.index.casts import PROMPT, outputs, read, session

_ON, _OFF = "\x1b[?2004h", "\x1b[?2004l"


def typed(time: float, text: str, output: str = "", prompt: str = PROMPT) -> list[Event]:
    """A line typed at a prompt, run, and the next prompt."""
    return [
        Event(time, OUTPUT, text),
        Event(time + 0.1, KEY, "enter noecho raw"),
        Event(time + 0.11, OUTPUT, f"\r\n{_OFF}\r"),
        Event(time + 0.2, OUTPUT, output),
        Event(time + 0.3, OUTPUT, f"{_ON}{prompt}"),
    ]


def asides(extracted: Extracted) -> list[tuple[float, list[str]]]:
    """When each began, and its lines."""
    found = outputs(extracted)
    return [(row.start, found.get(row.ordinal, [])) for row in extracted.asides]


def test_a_session_without_commands_is_one_aside() -> None:
    extracted = read([Event(0.5, OUTPUT, "one\r\ntwo\r\n"), Event(2.0, OUTPUT, "three")])
    assert asides(extracted) == [(0.5, ["one", "two", "three"])]
    assert extracted.commands == []


def test_prompts_and_what_is_typed_at_them_are_no_asides() -> None:
    events = [Event(0.1, OUTPUT, f"{_ON}{PROMPT}"), *typed(1, "ls", "a\r\n"), *typed(2, "cat x | sort -u")]
    assert asides(read(events)) == []


def test_what_a_job_writes_while_a_line_is_typed_is_kept() -> None:
    events = [*session([("make &", "[1] 4711\r\n")])]
    events += [Event(2.5, OUTPUT, "job: refused\r\njob: ended\r\n"), *typed(3, "ls", "file\r\n")]
    extracted = read(events)
    assert [lines for _, lines in asides(extracted)] == [["Welcome to web"], ["job: refused", "job: ended"]]
    assert asides(extracted)[1][0] == 2.5
    ordinals = {row.text: row.ordinal for row in extracted.commands}
    assert ordinals["make &"] < extracted.asides[1].ordinal < ordinals["ls"]


def test_a_message_above_a_prompt_is_kept_once() -> None:
    events = [Event(0.1, OUTPUT, f"{_ON}{PROMPT}")]
    for time in (1, 2, 3):
        events += typed(time, "true", prompt=f"\r\n-- alice on web --\r\n{PROMPT}")
    assert [lines for _, lines in asides(read(events))] == [["-- alice on web --"]]


def test_a_line_that_was_given_up_is_kept() -> None:
    events = [
        *session([("true", "")]),
        Event(2.0, OUTPUT, "rm -rf /srv"),
        Event(2.1, KEY, "ctrl-c noecho raw"),
    ]
    events += [Event(2.2, OUTPUT, f"^C\r\n{_OFF}\r{_ON}{PROMPT}"), *typed(3, "ls")]
    extracted = read(events)
    assert [lines for _, lines in asides(extracted)] == [["Welcome to web"], ["rm -rf /srv^C"]]
    assert [row.text for row in extracted.commands] == ["true", "ls"]


def test_what_comes_after_the_last_prompt_is_kept() -> None:
    extracted = read([*session([("true", "")]), Event(9.0, OUTPUT, "\r\nThe system will power off now!\r\n")])
    assert asides(extracted)[1] == (9.0, ["The system will power off now!"])


def test_a_wrapped_line_is_recognised_as_typed() -> None:
    long = "echo " + " ".join(f"word{number}" for number in range(30))
    events = [*session([("true", "")]), Event(2.0, OUTPUT, f"\r\nmail for you\r\n{PROMPT}"), *typed(3, long)]
    extracted = read(events, columns=40)
    assert [lines for _, lines in asides(extracted)] == [["Welcome to web"], ["mail for you"]]


def test_without_output_there_are_no_asides() -> None:
    assert read(session([("ls", "a\r\n")]), with_output=False).asides == []


@pytest.mark.parametrize("size", [7, 64])
def test_asides_do_not_hang_on_how_the_output_was_cut(size: int) -> None:
    events = [*session([("make &", "[1] 4711\r\n")]), Event(2.5, OUTPUT, "job: refused\r\njob: ended\r\n")]
    events += typed(3, "ls", "file\r\n")
    cut: list[Event] = []
    for event in events:
        parts = [event.data[at : at + size] for at in range(0, len(event.data), size)]
        cut += [Event(event.time, OUTPUT, part) for part in parts] if event.code == OUTPUT else [event]
    assert outputs(read(cut)) == outputs(read(events))


def test_an_aside_is_known_while_it_lasts() -> None:
    reader = RecordingReader(Header(2, 80, 24), with_output=True)
    for event, data in merge_bytes([*session([("true", "")]), Event(4.0, OUTPUT, "\r\njob: refused\r\n")]):
        reader.read(event, data)
    taken = reader.snapshot()
    assert [row.start for row in taken.asides] == [0.1, 4.0]
    assert [block.text for block in taken.shown] == [b"job: refused\n"]
    assert reader.snapshot().asides == []


def test_what_is_above_prompts_is_bounded() -> None:
    events = [Event(0.1, OUTPUT, f"{_ON}{PROMPT}")]
    for time in range(1, 200):
        events += typed(time, "true", prompt=f"head {time}\r\n{PROMPT}")
    reader = RecordingReader(Header(2, 80, 24), with_output=True)
    for event, data in merge_bytes(events):
        reader.read(event, data)
    assert len(reader._heads) < 100


_PARTS = (
    f"{_ON}{PROMPT}",
    "root@db:~# ",
    "$ ",
    "> ",
    "ls",
    "bash",
    "for x in a",
    "ssh db",
    "\r\n",
    f"\r\n{_OFF}\r",
    _ON,
    _OFF,
    "^C",
    "text of a job\r\nand more\r\n",
    "Password: ",
    "\x1b[?1049h",
    "\x1b[?1049l",
    "\x1b[2A\x1b[K",
    "\x1b]133;A\x07",
)


def _ordinals(extracted: Extracted) -> list[int]:
    return [row.ordinal for row in extracted.commands] + [row.ordinal for row in extracted.asides]


@pytest.mark.parametrize("seed", range(60))
def test_every_piece_of_output_is_of_one_command_or_aside(seed: int) -> None:
    source = random.Random(seed)
    reader = RecordingReader(Header(2, 40, 10), with_output=True)
    pieces: set[int] = set()
    rows: list[int] = []
    for place in range(300):
        key = source.random() < 0.2
        text = source.choice(("enter noecho raw", "ctrl-c noecho raw", "enter echo canonical"))
        event = Event(place * 0.1, KEY if key else OUTPUT, text if key else source.choice(_PARTS))
        reader.read(event, b"" if key else event.data.encode())
        if source.random() < 0.1:
            taken = reader.snapshot()
            rows += _ordinals(taken)
            pieces |= {piece.stretch for block in taken.blocks for piece in block.pieces}
    reader.end()
    taken = reader.take()
    rows += _ordinals(taken)
    pieces |= {piece.stretch for block in taken.blocks for piece in block.pieces}
    assert pieces <= set(rows)
    assert len(rows) == len(set(rows))
