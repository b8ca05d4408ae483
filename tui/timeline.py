"""Bucket maths of the timeline strip: which sign stands in which cell. Pure.

A cell covers the half-open slice [start, end) of recording time, so no event is in two cells.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log1p
from typing import NamedTuple, Protocol

from tui.times import offset_label

ACTIVITY = "▁▂▃▄▅▆▇█"
ACTIVITY_ASCII = ".:-=+*#%@"
MARK, RESIZE, MATCH, COMMAND, FAILED = "◆", "↔", "▪", "╵", "✗"
_SIGNS_ASCII = {MARK: "m", RESIZE: "r", MATCH: "*", COMMAND: "|", FAILED: "x"}
BAD, IDLE, UNREAD = "╳", "·", "░"
BAD_ASCII, IDLE_ASCII, UNREAD_ASCII = "X", "_", "?"
_LABEL_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
_SHORTEST_WINDOW = 10.0


class Source(Protocol):
    """What the strip is drawn from."""

    duration: float
    complete: bool

    def output_between(self, start: float, end: float) -> int:
        """Output bytes in [start, end)."""
        ...

    def gap_around(self, position: float) -> tuple[float, float]:
        """Activity before and after a position."""
        ...


class Cell(NamedTuple):
    """One sign of the event row; `many` when it stands for two or more."""

    sign: str
    many: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a recording that a strip of `width` cells shows."""

    start: float
    end: float
    width: int

    def slice(self, cell: int) -> tuple[float, float]:
        """The times [start, end) of a cell; the last cell takes the end itself in."""
        last = cell == self.width - 1
        return self._edge(cell), self.end + 1e-6 if last else self._edge(cell + 1)

    def cell(self, time: float) -> int | None:
        """The cell a moment falls in, or None outside."""
        if self.width < 1 or not self.start <= time <= self.end + 1e-6:
            return None
        span = self.end - self.start
        cell = int((time - self.start) / span * self.width) if span > 0 else 0
        cell = min(cell, self.width - 1)
        if cell + 1 < self.width and time >= self._edge(cell + 1):
            return cell + 1
        return cell - 1 if time < self._edge(cell) else cell

    def _edge(self, cell: int) -> float:
        return self.start + (self.end - self.start) * cell / self.width


def window(duration: float, width: int, zoom: int, position: float) -> Window:
    """The window at a zoom step (each halves it, 10 s at least), with the position inside."""
    span = max(duration / 2**zoom, min(duration, _SHORTEST_WINDOW))
    start = min(max(0.0, position - span / 2), max(0.0, duration - span))
    return Window(start, start + span, max(1, width))


def deepest_zoom(duration: float) -> int:
    """The last zoom step that still narrows the window."""
    step = 0
    while duration / 2**step > _SHORTEST_WINDOW:
        step += 1
    return step


def activity_row(
    source: Source, view: Window, *, idle: float, bad_from: float | None = None, ascii_only: bool = False
) -> str:
    """Output volume per cell on a log scale, idle gaps, and what no valid signature covers."""
    slices = [view.slice(cell) for cell in range(view.width)]
    counts = [source.output_between(*span) for span in slices]
    levels = _levels(counts, ascii_only)
    idle_sign = IDLE_ASCII if ascii_only else IDLE
    quiet = _idle_cells(source, slices, counts, idle)
    signs = [idle_sign if rest else sign for sign, rest in zip(levels, quiet, strict=True)]
    if not source.complete:
        unread = UNREAD_ASCII if ascii_only else UNREAD
        signs = [unread if s[0] >= source.duration else sign for s, sign in zip(slices, signs, strict=True)]
    if bad_from is not None:
        bad = BAD_ASCII if ascii_only else BAD
        signs = [bad if span[1] > bad_from else sign for span, sign in zip(slices, signs, strict=True)]
    return "".join(signs)


class Happened(NamedTuple):
    """What the event row shows, as moments. Matches of a search take the place of commands."""

    marks: Iterable[float] = ()
    resizes: Iterable[float] = ()
    matches: Sequence[float] = ()
    commands: Iterable[float] = ()
    failed: Iterable[float] = ()


def event_row(view: Window, happened: Happened, ascii_only: bool = False) -> list[Cell]:
    """The most important event of each cell: a mark, a match, a failed command, a command, a resize."""
    row = [Cell(" ")] * view.width
    kinds = [
        (RESIZE, happened.resizes),
        (FAILED, happened.failed),
        (MATCH, happened.matches),
        (MARK, happened.marks),
    ]
    if not happened.matches:
        kinds.insert(1, (COMMAND, happened.commands))
    for sign, times in kinds:
        for time in times:
            if (cell := view.cell(time)) is not None:
                row[cell] = Cell(_SIGNS_ASCII[sign] if ascii_only else sign, many=row[cell].sign != " ")
    return row


def ruler_row(view: Window, duration: float) -> str:
    """Labels at round times, left aligned on their cell; `‹` and `›` where the window does not show all."""
    row = [" "] * view.width
    step = _label_step(view)
    time = -(-view.start // step) * step
    while time <= view.end:
        _write(row, view.cell(time), offset_label(time))
        time += step
    if view.start > 0:
        row[0] = "‹"
    if view.end < duration - 1e-6:
        row[-1] = "›"
    return "".join(row)


def _levels(counts: Sequence[int], ascii_only: bool) -> list[str]:
    signs = ACTIVITY_ASCII if ascii_only else ACTIVITY
    most = log1p(max(counts, default=0))
    if most <= 0:
        return [" "] * len(counts)
    return [signs[round(log1p(count) / most * (len(signs) - 1))] if count else " " for count in counts]


def _idle_cells(
    source: Source, slices: Sequence[tuple[float, float]], counts: Sequence[int], idle: float
) -> list[bool]:
    """Cells wholly inside a gap longer than `idle`, in runs of two or more."""
    quiet = [
        not count and _inside_gap(source, span, idle) for span, count in zip(slices, counts, strict=True)
    ]
    padded = [False, *quiet, False]
    return [padded[i] and (padded[i - 1] or padded[i + 1]) for i in range(1, len(padded) - 1)]


def _inside_gap(source: Source, span: tuple[float, float], idle: float) -> bool:
    start, end = source.gap_around(span[0])
    return end - start > idle and end >= span[1] - 1e-5


def _label_step(view: Window) -> float:
    """The smallest round step that leaves ten cells or more to each label."""
    per_cell = (view.end - view.start) / view.width
    wanted = per_cell * 12
    return next((float(step) for step in _LABEL_STEPS if step >= wanted), max(wanted, 1.0))


def _write(row: list[str], cell: int | None, label: str) -> None:
    if cell is None or cell + len(label) > len(row):
        return
    if cell and row[cell - 1] != " ":
        return
    row[cell : cell + len(label)] = label
