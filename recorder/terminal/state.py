"""The state of a terminal, and the moves that every control function is made of."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from recorder.terminal.attributes import DEFAULT, LOOKS, Attr, Steps
from recorder.terminal.events import AltScreen, EventQueue
from recorder.terminal.reflow import Place, fill_height, fit_height, fit_width
from recorder.terminal.rows import Line, Row

MIN_COLS, MAX_COLS = 2, 1000
MIN_ROWS, MAX_ROWS = 2, 500
HISTORY_ROWS = 256
"""Rows kept above the primary screen, for resizes that pull them back."""

Sink = Callable[[Line], None]


class SavedCursor(NamedTuple):
    """What DECSC saves (VT510 manual)."""

    x: int
    y: int
    pending_wrap: bool
    attr: Attr
    origin: bool
    charsets: tuple[bool, bool]
    shifted: bool


HOME = SavedCursor(0, 0, False, DEFAULT, False, (False, False), False)


class OpenString(NamedTuple):
    """An OSC whose end has not come yet (`kind` "]"), or another string, whose content is not kept."""

    kind: str
    parts: tuple[str, ...]
    length: int


class Terminal:
    """Everything a byte of output can change. Invariant: 0 <= x < cols, 0 <= top <= bottom < rows."""

    def __init__(self, cols: int, rows: int, graphemes: bool, sink: Sink | None) -> None:
        self.cols = clamp(cols, MIN_COLS, MAX_COLS)
        self.rows = clamp(rows, MIN_ROWS, MAX_ROWS)
        self.graphemes = graphemes
        self.sink = sink
        self.events = EventQueue()
        self.history: deque[Row | Line] = deque(maxlen=HISTORY_ROWS)
        self.pending = ""
        self.string: OpenString | None = None
        self.utf8_rest = b""
        self.primary: list[Row] = []
        self.reset()

    def reset(self) -> None:
        """RIS: everything but the size, the history and the queued events."""
        self.grid = self.primary = self._empty_primary()
        self.alternate: list[Row] | None = None
        self.primary_size = (self.cols, self.rows)
        self.saved: list[SavedCursor | None] = [None, None]
        self.tabs = default_tabs()
        self.title = ""
        self.last = ""
        """What was printed right before; empty after any control function: REP does nothing then."""
        self.modes: dict[int, bool] = {}
        self.soft_reset()
        self.x = self.y = 0
        self.pending_wrap = False

    def _empty_primary(self) -> list[Row]:
        """Empty rows; those that are there already are used again, which makes a flood of RIS cheap."""
        if len(self.primary) != self.rows:
            return [Row() for _ in range(self.rows)]
        for row in self.primary:
            if row.chars or row.tail is not DEFAULT:
                row.clear(DEFAULT)
        return self.primary

    def soft_reset(self) -> None:
        """DECSTR: modes, margins, look and character sets, but neither the picture nor the cursor's place."""
        self.set_attr(DEFAULT)
        self.top, self.bottom = 0, self.rows - 1
        self.autowrap = True
        self.origin = False
        self.insert = False
        self.newline_mode = False
        self.visible = True
        self.charsets = (False, False)
        self.shifted = False
        self.update_plain()

    def set_attr(self, attr: Attr) -> None:
        """The look of what is printed from now on."""
        self.attr = attr
        self.steps: Steps = LOOKS.steps(attr)

    def update_plain(self) -> None:
        """Whether text can be written as it comes: no insert mode, no line-drawing set."""
        self.graphics = self.charsets[self.shifted]
        self.plain = not self.insert and not self.graphics

    @property
    def blank(self) -> Attr:
        """The look of erased cells: only the background stays (bce)."""
        background = self.attr[1]
        return DEFAULT if background is None else LOOKS.intern(Attr(None, background, 0, None))

    # ── scrolling ─────────────────────────────────────────────────────────────

    def blank_rows(self, count: int) -> list[Row]:
        """New rows, in the current background."""
        rows = [Row()] if count == 1 else [Row() for _ in range(count)]
        if self.attr[1] is not None:
            blank = self.blank
            for row in rows:
                row.tail = blank
        return rows

    def scroll_up(self, count: int, top: int | None = None) -> None:
        """Rows leave at the top of the region (or at `top`), blank ones come in at its bottom."""
        first = self.top if top is None else top
        count = min(count, self.bottom - first + 1)
        grid = self.grid
        if first == 0 and top is None and grid is self.primary:
            self.keep(grid[:count])
        del grid[first : first + count]
        end = self.bottom - count + 1
        grid[end:end] = self.blank_rows(count)

    def scroll_down(self, count: int, top: int | None = None) -> None:
        """Rows leave at the bottom of the region, blank ones come in at its top (or at `top`)."""
        first = self.top if top is None else top
        count = min(count, self.bottom - first + 1)
        del self.grid[self.bottom - count + 1 : self.bottom + 1]
        self.grid[first:first] = self.blank_rows(count)

    def keep(self, rows: list[Row]) -> None:
        """Rows that leave the top of the primary screen go to the history and, once, to the sink."""
        for row in rows:
            if row.tail is not DEFAULT:
                row.settle(self.cols)
        self.history += rows
        if self.sink is not None:
            for row in rows:
                if not row.harvested:
                    row.harvested = True
                    self.sink(row.freeze(self.cols))

    def line_feed(self) -> None:
        """Down one row, scrolling at the bottom margin (IND)."""
        if self.y == self.bottom:
            if self.top == 0 and self.grid is self.primary:
                self._scroll_one()
            else:
                self.scroll_up(1)
        elif self.y < self.rows - 1:
            self.y += 1

    def _scroll_one(self) -> None:
        """`scroll_up(1)` for where nearly all scrolling is; short lines cost twice as much without it."""
        grid, history = self.grid, self.history
        row = grid.pop(0)
        if row.tail is not DEFAULT:
            row.settle(self.cols)
        history.append(row)
        if self.sink is not None and not row.harvested:
            row.harvested = True
            self.sink(row.freeze(self.cols))
        row = Row()
        if self.attr[1] is not None:
            row.tail = self.blank
        grid.insert(self.bottom, row)

    def reverse_line_feed(self) -> None:
        """Up one row, scrolling at the top margin (RI)."""
        self.pending_wrap = False
        if self.y == self.top:
            self.scroll_down(1)
        elif self.y > 0:
            self.y -= 1

    def wrap(self) -> None:
        """Go on in the next row, because the text did not fit in this one."""
        row = self.grid[self.y]
        row.wrapped = True
        row.line = None
        self.x = 0
        self.pending_wrap = False
        self.line_feed()

    # ── cursor ────────────────────────────────────────────────────────────────

    def move(self, x: int, y: int) -> None:
        """Put the cursor at an absolute place, kept inside the screen."""
        self.x = x if 0 <= x < self.cols else clamp(x, 0, self.cols - 1)
        self.y = y if 0 <= y < self.rows else clamp(y, 0, self.rows - 1)
        self.pending_wrap = False

    def move_in_region(self, x: int, y: int) -> None:
        """Put the cursor at a place that counts from the top margin while origin mode is on."""
        self.move(x, min(y + self.top, self.bottom) if self.origin else y)

    def save_cursor(self) -> None:
        """DECSC; each screen has its own saved cursor."""
        self.saved[self.on_alternate] = SavedCursor(
            self.x, self.y, self.pending_wrap, self.attr, self.origin, self.charsets, self.shifted
        )

    def restore_cursor(self) -> None:
        """DECRC; home and the default look when nothing was saved."""
        saved = self.saved[self.on_alternate] or HOME
        self.move(saved.x, saved.y)
        self.pending_wrap = saved.pending_wrap and self.x == self.cols - 1
        self.set_attr(saved.attr)
        self.origin, self.charsets, self.shifted = saved.origin, saved.charsets, saved.shifted
        self.update_plain()

    # ── screens ───────────────────────────────────────────────────────────────

    @property
    def on_alternate(self) -> bool:
        """The alternate screen is the one shown."""
        return self.alternate is not None

    def enter_alternate(self) -> None:
        """Show an empty alternate screen; it is only made when it is needed."""
        if self.alternate is None:
            self.grid = self.alternate = self.blank_rows(self.rows)
            self.events.add(AltScreen(True))

    def leave_alternate(self) -> None:
        """Show the primary screen again, at the size of now; the alternate one is given up."""
        if self.alternate is not None:
            self.alternate = None
            self.grid = self.primary
            self._fit_hidden_primary()
            self.events.add(AltScreen(False))

    # ── size ──────────────────────────────────────────────────────────────────

    def resize(self, cols: int, rows: int) -> None:
        """Change the size. A primary screen that is not shown is fitted when it is shown again."""
        cols, rows = clamp(cols, MIN_COLS, MAX_COLS), clamp(rows, MIN_ROWS, MAX_ROWS)
        if (cols, rows) == (self.cols, self.rows):
            return
        for row in self.grid:
            row.settle(self.cols)
        self.cols, self.rows = cols, rows
        self.top, self.bottom = 0, rows - 1
        cursor = Place(self.x + self.pending_wrap, self.y)
        if self.alternate is None:
            cursor = self._fit_primary(cursor)
        else:
            cursor = self._cut_alternate(self.alternate, cursor)
        self.move(*cursor)
        self.pending_wrap = self.autowrap and cursor.x == cols

    def _fit_primary(self, cursor: Place) -> Place:
        """Fit the primary screen to the size of the terminal; returns where the cursor goes."""
        old_cols, old_rows = self.primary_size
        self.primary_size = (self.cols, self.rows)
        if self.primary_size == (old_cols, old_rows):
            return cursor
        grid, history = self.primary, self.history
        for row in grid:
            row.settle(old_cols)
        cursor = fit_height(grid, self.rows, cursor, self.keep)
        cursor = fill_height(grid, history, cursor, old_cols, self.rows)
        if old_cols != self.cols:
            cursor = fit_width(grid, history, cursor, self.cols, self.keep)
            cursor = fill_height(grid, history, cursor, self.cols, self.rows)
        return cursor

    def _fit_hidden_primary(self) -> None:
        """Fit the primary screen around its saved cursor, or, when none was saved, the cursor of now."""
        saved = self.saved[False]
        if saved is None:
            self.move(*self._fit_primary(Place(self.x, min(self.y, len(self.primary) - 1))))
            return
        place = self._fit_primary(Place(saved.x + saved.pending_wrap, saved.y))
        due = place.x == self.cols
        self.saved[False] = saved._replace(x=place.x - due, y=place.y, pending_wrap=due)

    def _cut_alternate(self, grid: list[Row], cursor: Place) -> Place:
        cursor = fit_height(grid, self.rows, cursor, lambda _rows: None)
        grid += [Row() for _ in range(self.rows - len(grid))]
        for row in grid:
            row.resize(self.cols)
        return cursor


def clamp(value: int, low: int, high: int) -> int:
    """`value`, or the nearer end of the range."""
    return low if value < low else min(value, high)


def default_tabs() -> bytearray:
    """One byte per column, 1 where a tab stop is: every eighth column."""
    return bytearray(_TABS)


_TABS = b"\0\0\0\0\0\0\0\0" + b"\1\0\0\0\0\0\0\0" * (MAX_COLS // 8 - 1)
