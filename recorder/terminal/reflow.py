"""Fitting rows to a new size: the height first, then the width, as tmux does.

A logical line is a row and the rows it wraps into. Logical lines are broken anew at the new width;
rows that no longer fit go to the history, and come back from it when there is room.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from recorder.terminal.attributes import Attr
from recorder.terminal.rows import Line, Row

History = deque[Row | Line]
Keep = Callable[[list[Row]], None]


class Place(NamedTuple):
    """A cell: column and row. The column behind the last one stands for a wrap that is due."""

    x: int
    y: int


def fit_height(grid: list[Row], rows: int, cursor: Place, keep: Keep) -> Place:
    """Make `grid` at most `rows` high: rows below the cursor are dropped first, then the top is kept away."""
    leaving = max(0, min(len(grid) - rows, cursor.y - rows + 1))
    keep(grid[:leaving])
    del grid[:leaving], grid[rows:]
    return Place(cursor.x, cursor.y - leaving)


def fit_width(grid: list[Row], history: History, cursor: Place, cols: int, keep: Keep) -> Place:
    """Break the logical lines of `grid` anew at `cols`; its height stays the same or gets less.

    Rows that are too many leave at the top, even where the bottom is blank, but never the cursor's row.
    """
    rows = len(grid)
    above = _unfinished(history)
    grid[:0] = above
    place = _rewrap(grid, Place(cursor.x, cursor.y + len(above)), cols)
    leaving = max(0, min(len(grid) - rows, place.y))
    keep(grid[:leaving])
    del grid[:leaving], grid[rows:]
    return Place(min(place.x, cols), place.y - leaving)


def fill_height(grid: list[Row], history: History, cursor: Place, cols: int, rows: int) -> Place:
    """Make `grid` exactly `rows` high: with rows from the history, then with blank ones."""
    pulled = 0
    while len(grid) < rows and history:
        line = [_row(history.pop())]
        line[:0] = _unfinished(history)
        _rewrap(line, Place(0, 0), cols)
        room = rows - len(grid)
        history += line[: max(0, len(line) - room)]
        grid[:0] = line[-room:]
        pulled += min(room, len(line))
    grid += [Row() for _ in range(rows - len(grid))]
    return Place(cursor.x, cursor.y + pulled)


def _row(entry: Row | Line) -> Row:
    return Row.thaw(entry) if isinstance(entry, Line) else entry


def _unfinished(history: History) -> list[Row]:
    """Take the rows off the end of the history that go on in the next row."""
    rows: list[Row] = []
    while history and history[-1].wrapped:
        rows.append(_row(history.pop()))
    return rows[::-1]


def _rewrap(grid: list[Row], cursor: Place, cols: int) -> Place:
    """Break all logical lines of `grid` at `cols`; returns where the cursor's cell went."""
    broken: list[Row] = []
    place = cursor
    start = 0
    for line in _logical_lines(grid):
        offset = None
        if start <= cursor.y < start + len(line):
            offset = sum(len(row.chars) for row in line[: cursor.y - start]) + cursor.x
        new = _break(line, cols)
        if offset is not None:
            place = _find(new, offset, len(broken))
        broken += new
        start += len(line)
    grid[:] = broken
    return place


def _logical_lines(grid: list[Row]) -> Iterator[list[Row]]:
    line: list[Row] = []
    for row in grid:
        line.append(row)
        if not row.wrapped:
            yield line
            line = []
    if line:
        yield line


def _break(line: list[Row], cols: int) -> list[Row]:
    """One logical line in rows of at most `cols` cells."""
    if len(line) == 1 and len(line[0].chars) <= cols and not line[0].wrapped:
        line[0].line = None
        return line
    chars = [char for row in line for char in row.chars]
    attrs = [attr for row in line for attr in row.attrs]
    mixed = any(row.mixed for row in line)
    rows = [_piece(chars[i:j], attrs[i:j], mixed) for i, j in _breaks(chars, cols)]
    for row in rows[:-1]:
        row.wrapped = True
    rows[-1].wrapped = line[-1].wrapped
    if all(row.harvested for row in line):
        for row in rows:
            row.harvested = True
    return rows


def _breaks(chars: list[str], cols: int) -> Iterator[tuple[int, int]]:
    """Where to cut: after `cols` cells, or one less where that would cut a wide cluster."""
    start = 0
    while True:
        end = min(start + cols, len(chars))
        if end < len(chars) and chars[end] == "" and end - start > 1:
            end -= 1
        yield start, end
        start = end
        if start >= len(chars):
            return


def _piece(chars: list[str], attrs: list[Attr], mixed: bool) -> Row:
    row = Row()
    row.chars = chars
    row.attrs = attrs
    row.mixed = mixed
    return row


def _find(rows: list[Row], offset: int, first: int) -> Place:
    """The place of the cell `offset` of a logical line whose rows start at row `first`."""
    for y, row in enumerate(rows[:-1]):
        if offset < len(row.chars):
            return Place(offset, first + y)
        offset -= len(row.chars)
    return Place(offset, first + len(rows) - 1)
