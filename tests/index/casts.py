"""Recordings as lists of events, the way a shell with a line editor makes them."""

from collections.abc import Iterable
from itertools import pairwise

from recorder.cast.events import KEY, OUTPUT, Event
from recorder.cast.header import Header
from recorder.cast.reader import merge_bytes
from recorder.index.extraction import CommandRow, Extracted, RecordingReader
from tests.store.recordings import Worker

PROMPT = "alice@web:~$ "
_ON, _OFF = "\x1b[?2004h", "\x1b[?2004l"


def session(commands: Iterable[tuple[str, str]], prompt: str = PROMPT) -> list[Event]:
    """A session in which these commands were typed, with what they wrote; each takes a second."""
    events = [Event(0.1, OUTPUT, f"Welcome to web\r\n{_ON}{prompt}")]
    for number, (text, output) in enumerate(commands, 1):
        events += [
            Event(number, OUTPUT, text),
            Event(number + 0.1, KEY, "enter noecho raw"),
            Event(number + 0.11, OUTPUT, f"\r\n{_OFF}\r"),
            Event(number + 0.2, OUTPUT, output),
            Event(number + 0.3, OUTPUT, f"{_ON}{prompt}"),
        ]
    return events


def show(worker: Worker, events: Iterable[Event]) -> None:
    """Writes them into a live recording, with the times that the worker gives them."""
    for event in events:
        if event.code == OUTPUT:
            worker.show(event.data)


def read(events: Iterable[Event], *, with_output: bool = True, columns: int = 80) -> Extracted:
    """What the index keeps of a recording with these events."""
    reader = RecordingReader(Header(2, columns, 24), with_output=with_output)
    for event, data in merge_bytes(events):
        reader.read(event, data)
    reader.end()
    return reader.take()


def outputs(extracted: Extracted) -> dict[int, list[str]]:
    """The lines of each command and aside, by its ordinal."""
    found: dict[int, list[str]] = {}
    for block in extracted.blocks:
        for piece in block.pieces:
            text = block.text[piece.start : piece.start + piece.size].decode()
            found.setdefault(piece.stretch, []).extend(text.removesuffix("\n").split("\n"))
    return found


def in_order(rows: Iterable[CommandRow]) -> bool:
    """Whether a later command has a larger ordinal."""
    return all(a.ordinal < b.ordinal for a, b in pairwise(sorted(rows, key=lambda row: row.start)))
