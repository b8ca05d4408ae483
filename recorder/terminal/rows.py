"""Rows of cells: the mutable `Row` of the grid, and the immutable `Line` that readers and snapshots share."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from recorder.terminal.attributes import DEFAULT, Attr

Cells = tuple[str, ...]


class Run(NamedTuple):
    """Neighbouring cells of one look. Wide clusters take two cells and stand in `text` once."""

    text: str
    attr: Attr


class Line:
    """One row as it looked at a moment. Immutable, shared between snapshots while a row does not change."""

    __slots__ = ("_attrs", "_cells", "runs", "tail", "used", "wrapped")

    def __init__(self, runs: tuple[Run, ...], used: int, tail: Attr, wrapped: bool) -> None:
        self.runs = runs
        self.used = used
        self.tail = tail
        self.wrapped = wrapped
        """The text goes on in the next row: the line was broken by the width, not by the program."""
        self._cells: Cells | None = None
        self._attrs: tuple[Attr, ...] = ()

    def with_cells(self, cells: Cells, attrs: tuple[Attr, ...]) -> "Line":
        """This line, where the runs alone do not tell which cell holds what."""
        self._cells = cells
        self._attrs = attrs
        return self

    @property
    def mixed(self) -> bool:
        """Some cell holds anything but one narrow code point."""
        return self._cells is not None

    @property
    def text(self) -> str:
        """All cells, padding included."""
        if len(self.runs) == 1:
            return self.runs[0].text
        return "".join([run.text for run in self.runs])

    @property
    def cells(self) -> Cells:
        """The cells written so far; the right half of a wide cluster is an empty string."""
        return self._cells if self._cells is not None else tuple(self.text[: self.used])

    @property
    def attrs(self) -> list[Attr]:
        """The looks of the cells written so far."""
        if self._cells is not None:
            return list(self._attrs)
        attrs: list[Attr] = []
        for text, attr in self.runs:
            attrs += [attr] * len(text)
        return attrs[: self.used]

    @property
    def cost(self) -> int:
        """About how many bytes of memory it holds."""
        return 160 + self.used * (18 if self.mixed else 1) + 140 * len(self.runs)


class Row:
    """Cells of one row, as far as they were written since they were erased; blanks of look `tail` lie behind.

    `chars` and `attrs` always have the same length. The right half of a wide cluster is ''.
    `mixed` is set once a cell holds anything but one narrow code point.
    Whoever changes a row sets `line` to None.
    """

    __slots__ = ("attrs", "chars", "harvested", "line", "mixed", "tail", "wrapped")

    def __init__(self) -> None:
        self.chars: list[str] = []
        self.attrs: list[Attr] = []
        self.tail = DEFAULT
        self.wrapped = False
        self.mixed = False
        self.harvested = False
        self.line: Line | None = None

    def prepare(self, start: int, end: int) -> None:
        """Make cells `start`..`end` ready to be overwritten: pad up to them, take wide clusters apart."""
        if len(self.chars) < start:
            self.pad(start)
        if self.mixed:
            self.part(start)
            self.part(end)

    def part(self, x: int) -> None:
        """A wide cluster that lies across the boundary before `x` becomes two blanks."""
        chars = self.chars
        if 0 < x < len(chars) and chars[x] == "":
            chars[x - 1] = chars[x] = " "

    def pad(self, count: int) -> None:
        """Write out the tail, so that the row has at least `count` cells."""
        missing = count - len(self.chars)
        if missing > 0:
            self.attrs += [self.tail] * missing
            self.chars += [" "] * missing

    def settle(self, cols: int) -> None:
        """Write out a tail with a background, before the width changes: it does not reach beyond `cols`."""
        if self.tail is not DEFAULT:
            self.pad(cols)
            self.tail = DEFAULT
            self.line = None

    def clear(self, blank: Attr) -> None:
        """Make it an empty row."""
        del self.chars[:], self.attrs[:]
        self.tail = blank
        self.wrapped = self.mixed = self.harvested = False
        self.line = None

    def erase(self, start: int, end: int, blank: Attr, cols: int) -> None:
        """Blank the cells `start`..`end` with the background of `blank`."""
        self.line = None
        if end < cols:
            self.prepare(start, end)
            self.chars[start:end] = " " * (end - start)
            self.attrs[start:end] = [blank] * (end - start)
            return
        self.wrapped = False
        if self.tail is not blank:
            self.pad(start)
            self.tail = blank
        self._cut(start)

    def _cut(self, start: int) -> None:
        if self.mixed:
            self.part(start)
        del self.chars[start:], self.attrs[start:]

    def insert(self, x: int, count: int, blank: Attr, cols: int) -> None:
        """Push the cells from `x` on to the right; what leaves the row is lost."""
        self.line = None
        self.wrapped = False
        self.prepare(x, x)
        self.chars[x:x] = [" "] * count
        self.attrs[x:x] = [blank] * count
        self._cut(cols)

    def delete(self, x: int, count: int, blank: Attr, cols: int) -> None:
        """Take cells out and pull the rest to the left; blanks come in from the right."""
        self.line = None
        self.wrapped = False
        if self.tail is not blank:
            self.pad(cols)
        self.prepare(x, x + count)
        del self.chars[x : x + count], self.attrs[x : x + count]
        if self.tail is not blank:
            self.chars += [" "] * count
            self.attrs += [blank] * count

    def resize(self, cols: int) -> None:
        """Cut to the width of a narrower screen."""
        self.line = None
        if len(self.chars) > cols:
            self.wrapped = False
            self._cut(cols)

    def freeze(self, cols: int) -> Line:
        """The row as a line of `cols` cells; the same object until the row changes."""
        line = self.line
        if line is None:
            line = self.line = self._freeze(cols)
        return line

    def _freeze(self, cols: int) -> Line:
        chars, attrs = self.chars, self.attrs
        used = len(chars)
        runs = _runs(chars, attrs, self.mixed) if used else []
        if used < cols:
            padding = " " * (cols - used)
            if runs and runs[-1].attr == self.tail:
                runs[-1] = Run(runs[-1].text + padding, self.tail)
            else:
                runs.append(Run(padding, self.tail))
        line = Line(tuple(runs), used, self.tail, self.wrapped)
        return line.with_cells(tuple(chars), tuple(attrs)) if self.mixed else line

    @classmethod
    def thaw(cls, line: Line) -> "Row":
        """The row that `line` was frozen from."""
        row = cls()
        row.chars = list(line.cells)
        row.attrs = line.attrs
        row.mixed = line.mixed
        row.tail = line.tail
        row.wrapped = line.wrapped
        row.line = line
        return row


def _runs(chars: list[str], attrs: list[Attr], mixed: bool) -> list[Run]:
    """The cells as runs. A plain loop that compares by identity: measured faster than itertools here."""
    text = "".join(chars)
    attr, start = attrs[0], 0
    if attrs[-1] is attr and attrs.count(attr) == len(attrs):
        return [Run(text, attr)]
    runs = []
    for x, look in enumerate(attrs):
        if look is not attr:
            runs.append(_new_run(("".join(chars[start:x]) if mixed else text[start:x], attr)))
            attr, start = look, x
    runs.append(_new_run(("".join(chars[start:]) if mixed else text[start:], attr)))
    return runs


_new_run: Callable[[tuple[str, Attr]], Run] = partial(tuple.__new__, Run)
