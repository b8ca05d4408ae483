"""Finding a text in the pictures of one recording: the moments at which it came into sight. Pure.

A text that the width has broken is found whole. What scrolled through within one moment was in no picture,
and is not found.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from typing import NamedTuple

from recorder.terminal import Screen
from tui.recording import Recording, Size

SLICE_BYTES = 64 * 1024
"""Output looked through at a time."""
_LOOK_COST = 512
"""What a look at the picture costs, counted in bytes of output."""
MOST = 10_000
"""Matches after which the search ends."""
Span = tuple[int, int]
"""Cells start (included) to end (not included) of a row."""


class Found(NamedTuple):
    """The text as it stands in a picture."""

    row: int
    line: str
    """The whole line, with what the width has broken off."""
    start: int
    end: int
    spans: tuple[tuple[int, Span], ...]
    """The cells it takes, row by row."""


class Hit(NamedTuple):
    """A moment at which the text came into sight, and where: row and cell."""

    time: float
    row: int
    cell: int


def pattern_for(text: str) -> re.Pattern[str]:
    """Matches `text` as it is; case matters only where `text` has a capital letter."""
    return re.compile(re.escape(text), 0 if text != text.lower() else re.IGNORECASE)


def found_in(screen: Screen, pattern: re.Pattern[str]) -> list[Found]:
    """All places in a picture, from the top."""
    found: list[Found] = []
    y, rows = 0, screen.size[1]
    while y < rows:
        last = y
        while last + 1 < rows and screen.row_wrapped(last):
            last += 1
        texts = [screen.row_text(row) for row in range(y, last + 1)]
        line = "".join(texts)
        for match in pattern.finditer(line):
            if match.end() > match.start():
                spans = tuple(_spans(screen, y, texts, match.start(), match.end()))
                found.append(Found(spans[0][0], line.rstrip(), match.start(), match.end(), spans))
        y = last + 1
    return found


def _spans(screen: Screen, y: int, texts: list[str], start: int, end: int) -> list[tuple[int, Span]]:
    """The cells of characters start..end-1 of rows `y` and following."""
    spans: list[tuple[int, Span]] = []
    for row, text in enumerate(texts, y):
        first, last = max(0, start), min(len(text), end)
        if first < last:
            cells = _cells_before(screen, row)
            spans.append((row, (cells[first], cells[last]) if cells else (first, last)))
        start, end = start - len(text), end - len(text)
    return spans


def _cells_before(screen: Screen, row: int) -> list[int] | None:
    """For each character of a row its cell; None where each takes just one."""
    line = screen.line(row)
    if not line.mixed:
        return None
    starts: list[int] = []
    for cell, cluster in enumerate(line.cells):
        starts.extend([cell] * len(cluster))
    starts.extend(range(len(line.cells), screen.size[0] + 1))
    return starts


class Search:
    """Matches of one text in one recording, ordered by time. One thread may `scan` while another reads."""

    def __init__(self, recording: Recording, text: str) -> None:
        self.text = text
        self.pattern = pattern_for(text)
        self.hits: list[Hit] = []
        self.complete = False
        self._recording = recording
        self._screen = Screen(*recording.size, scrollback_sink=self._scrolled)
        self._fed = 0
        self._shift = 0
        self._before: list[Found] = []

    def scan(self) -> bool:
        """Look through one more slice; False when all that was read so far is looked through."""
        recording, cost = self._recording, 0
        while cost < SLICE_BYTES and self._fed < len(recording.times):
            cost += self._feed()
        finished = self._fed >= len(recording.times)
        self.complete = len(self.hits) >= MOST or (finished and recording.complete)
        return not (finished or self.complete)

    def after(self, time: float, included: bool = False) -> int | None:
        """The number of the first match later than `time`, or at it."""
        at = (bisect_left if included else bisect_right)(self.hits, time, key=lambda hit: hit.time)
        return at if at < len(self.hits) else None

    def before(self, time: float) -> int | None:
        """The number of the last match earlier than `time`."""
        at = bisect_left(self.hits, time, key=lambda hit: hit.time) - 1
        return at if at >= 0 else None

    def _scrolled(self, _: object) -> None:
        self._shift += 1

    def _feed(self) -> int:
        """Carry out one payload, and look where no other has the same time."""
        recording, at = self._recording, self._fed
        payload, time = recording.payloads[at], recording.times[at]
        if isinstance(payload, Size):
            self._screen.resize(*payload)
        else:
            self._screen.feed(payload)
        self._fed = at + 1
        if self._fed < len(recording.times) and recording.times[self._fed] == time:
            return recording.output_bytes(at, at + 1)
        if self._screen.take_dirty():
            self._look(time)
        self._screen.events()
        return recording.output_bytes(at, at + 1) + _LOOK_COST

    def _look(self, time: float) -> None:
        found = found_in(self._screen, self.pattern)
        for item in self._new(found):
            self.hits.append(Hit(time, item.row, item.spans[0][1][0]))
        self._before, self._shift = found, 0

    def _new(self, found: list[Found]) -> list[Found]:
        """Those that were not in sight before: neither in the same place, nor in the same line elsewhere."""
        places = {(old.row - self._shift, old.start): old for old in self._before}
        lines = Counter((old.line, old.start) for old in self._before)
        rest: list[Found] = []
        for item in found:
            old = places.get((item.row, item.start))
            if old is not None and old.line[: old.end] == item.line[: item.end]:
                lines[old.line, old.start] -= 1
            else:
                rest.append(item)
        new: list[Found] = []
        for item in rest:
            if lines[item.line, item.start] > 0:
                lines[item.line, item.start] -= 1
            else:
                new.append(item)
        return new
