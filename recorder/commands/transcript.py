"""A recording as text: every line its terminal showed, in order, whole again where it had been wrapped."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from recorder.cast.events import OUTPUT, RESIZE, Event
from recorder.cast.ledger import Ledger
from recorder.cast.reader import merge_bytes
from recorder.safe_text import safe
from recorder.terminal import AltScreen, Line, Screen

_LONGEST_LINE = 100_000
"""Characters after which a line without an end is given out in parts."""
_LEAVES_PICTURE = re.compile(
    rb"\x1b\[\?(?:1049|1047|47)h"  # a full-screen program begins
    rb"|(?P<clears>\x1b\[2J|\x1bc|\x1b\[(?:1;1)?H\x1b\[0?J)"
)


class Written(NamedTuple):
    """A line and when it last changed, in seconds of recording time."""

    time: float
    text: str


class Transcript:
    """Feed it the output; take the lines that are complete.

    Lines count as written when they scroll off, when the screen is cleared, when a full-screen program takes
    the screen, and at the end. A full-screen program is one line that says so.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self._screen = Screen(columns, rows, scrollback_sink=self._scrolled_off)
        self._now = 0.0
        self._done: list[Written] = []
        self._seen: dict[int, tuple[Line, float]] = {}
        self._given: dict[int, Line] = {}
        self._part = ""
        self._full_screen_since: float | None = None

    def output(self, time: float, data: bytes) -> None:
        """What was shown at `time`."""
        self._now = time
        start = 0
        for found in _LEAVES_PICTURE.finditer(data):
            self._screen.feed(data[start : found.start()])
            self._note_full_screen()
            if not self._screen.alt_screen:
                self._give_picture()
            self._screen.feed(found[0])
            if found["clears"]:
                self._given.clear()  # a row that was blank before keeps its object, and is a new line now
            start = found.end()
        self._screen.feed(data[start:])
        self._note_full_screen()
        self._date_rows()

    def resize(self, time: float, columns: int, rows: int) -> None:
        self._now = time
        self._screen.resize(columns, rows)
        self._date_rows()

    def take(self) -> list[Written]:
        """The lines written since the last call."""
        done, self._done = self._done, []
        return done

    def finish(self, time: float) -> list[Written]:
        """The lines still on the screen; a full-screen program that was never left is named."""
        self._now = time
        if self._screen.alt_screen:
            self._leave_full_screen()
        else:
            self._give_picture()
        self._end_line(self._now)
        return self.take()

    def _scrolled_off(self, line: Line) -> None:
        if self._given.pop(id(line), None) is None:
            self._add(line)

    def _give_picture(self) -> None:
        """Every row down to the last that is not blank, each only once."""
        lines = [self._screen.line(y) for y in range(self._screen.size[1])]
        while lines and not lines[-1].text.strip():
            lines.pop()
        for line in lines:
            if id(line) not in self._given:
                self._add(line)
                self._given[id(line)] = line
        self._end_line(self._now)

    def _add(self, line: Line) -> None:
        time = self._seen[id(line)][1] if id(line) in self._seen else self._now
        self._part += line.text if line.wrapped else line.text.rstrip()
        if not line.wrapped or len(self._part) > _LONGEST_LINE:
            self._done.append(Written(time, safe(self._part, _LONGEST_LINE + 1)))
            self._part = ""

    def _end_line(self, time: float) -> None:
        if self._part:
            self._done.append(Written(time, safe(self._part.rstrip(), _LONGEST_LINE + 1)))
            self._part = ""

    def _date_rows(self) -> None:
        """Rows keep their object while they do not change, so a new object was written just now."""
        if self._screen.alt_screen:
            return
        lines = [self._screen.line(y) for y in range(self._screen.size[1])]
        self._seen = {id(line): self._seen.get(id(line), (line, self._now)) for line in lines}
        self._given = {id(line): line for line in lines if id(line) in self._given}

    def _note_full_screen(self) -> None:
        for event in self._screen.events():
            if isinstance(event, AltScreen) and event.entered:
                self._full_screen_since = self._now
            elif isinstance(event, AltScreen):
                self._leave_full_screen()

    def _leave_full_screen(self) -> None:
        since = self._now if self._full_screen_since is None else self._full_screen_since
        self._full_screen_since = None
        self._end_line(since)
        self._done.append(Written(since, f"[full-screen program, {self._now - since:.1f} s]"))


def transcribe(
    columns: int, rows: int, events: Iterable[Event], *, bare_line_feeds: bool = False
) -> Iterator[Written]:
    """The transcript of a whole recording, line by line as it goes, in memory that does not grow with it.

    `bare_line_feeds` says that LF alone ends a line, as in a session without a terminal.
    """
    transcript = Transcript(columns, rows)
    ledger = Ledger()
    time = 0.0
    for event, data in merge_bytes(events):
        time = event.time
        ledger.add(event)
        if event.code == OUTPUT:
            transcript.output(time, data.replace(b"\n", b"\r\n") if bare_line_feeds else data)
            yield from transcript.take()
        elif event.code == RESIZE:
            _resize(transcript, event)
    yield from transcript.finish(time)
    yield from (Written(time, f"[{safe(line)}]") for line in told_of(ledger))


def told_of(ledger: Ledger) -> Iterator[str]:
    """What a recording says of the bytes and files that are not in it; not made safe."""
    yield from (sentence for _, sentence in ledger.sentences())
    yield from ledger.file_lines()


def _resize(transcript: Transcript, event: Event) -> None:
    columns, _, rows = event.data.partition("x")
    if columns.isdecimal() and rows.isdecimal() and len(event.data) < 12:
        transcript.resize(event.time, int(columns), int(rows))
