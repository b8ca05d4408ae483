"""The picture: the recorded screen in its pane, following the cursor where it is larger than that."""

from collections.abc import Callable
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Offset, Region
from textual.message import Message
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from recorder.terminal import Screen
from tui import cells
from tui.paint import PALETTE, Painter
from tui.widgets.drawn import look_of, piece

CUT = "›"


class Highlight(NamedTuple):
    """Cells start..end-1 of a row that are to stand out; the current one more than others."""

    row: int
    start: int
    end: int
    current: bool


class Grid(Widget, can_focus=True):
    """Draws a terminal screen. Every key is the player's: it has none of its own."""

    DEFAULT_CSS = "Grid { height: 1fr; }"

    class Panned(Message):
        """The view of the picture changed."""

    def __init__(self) -> None:
        super().__init__()
        self._screen: Screen | None = None
        self._painter: Painter | None = None
        self._strips: dict[int, Strip] = {}
        self._highlights: list[Highlight] = []
        self._cursor_row = 0
        self._wanted: Offset | None = None
        self.origin = Offset(0, 0)
        """The recorded cell in the upper left corner of the pane."""
        self.following = True
        self._told: tuple[Offset, bool, tuple[int, int] | None] | None = None

    def paint_with(self, palette: tuple[int, ...] = PALETTE) -> None:
        """Use a recording's own sixteen colours."""
        self._painter = Painter(look_of(self), palette)
        self.redraw()

    def redraw(self) -> None:
        """Draw everything again."""
        self._strips.clear()
        self.refresh()

    def show(self, screen: Screen, dirty: set[int], wanted: Offset | None = None) -> None:
        """Draw the rows that changed; a `wanted` cell is followed in place of the cursor."""
        cursor = screen.cursor
        fresh = self._screen is not screen
        self._screen = screen
        turn = wanted is not None and wanted != self._wanted
        self._wanted = wanted
        moved = self._follow(screen, turn) or fresh
        self._tell_place()
        if moved or len(dirty) > self.size.height // 2:
            self.redraw()
        else:
            for y in dirty | {self._cursor_row, cursor.y}:
                self._redraw_row(y)
        self._cursor_row = cursor.y

    def highlight(self, highlights: list[Highlight]) -> None:
        """Let these cells stand out, and no others."""
        if highlights != self._highlights:
            changed = {item.row for item in set(highlights) ^ set(self._highlights)}
            self._highlights = highlights
            for row in changed:
                self._redraw_row(row)

    @property
    def rows(self) -> range:
        """The recorded rows in sight."""
        return range(self.origin.y, self.origin.y + self.size.height)

    @property
    def cut(self) -> bool:
        """Part of the picture is out of sight."""
        if self._screen is None:
            return False
        cols, rows = self._screen.size
        return cols > self.size.width or rows > self.size.height

    def pan(self, dx: int, dy: int) -> None:
        """Move the view; the cursor is not followed any more."""
        self.following = False
        self._move_to(self.origin + Offset(dx, dy))
        self._tell_place()

    def follow(self) -> None:
        """Follow the cursor again."""
        self.following = True
        if self._screen is not None and self._follow(self._screen):
            self.redraw()
        self._tell_place()

    def on_resize(self) -> None:
        """Another pane shows another part."""
        self._move_to(self.origin)
        if self._screen is not None:
            self._follow(self._screen)
        self.redraw()
        self._tell_place()

    def on_mouse_scroll_down(self) -> None:
        """Pan down."""
        self.pan(0, 2)

    def on_mouse_scroll_up(self) -> None:
        """Pan up."""
        self.pan(0, -2)

    def render_line(self, y: int) -> Strip:
        """One row of the pane."""
        look, width = look_of(self), self.size.width
        row = self.origin.y + y
        if self._screen is None or self._painter is None or row >= self._screen.size[1]:
            return cells.strip((), width, look.style("outside"))
        strip = self._strips.get(row)
        if strip is None:
            strip = self._strips[row] = self._build(self._screen, self._painter, row, width)
        return strip.apply_offsets(self.origin.x, row)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text of the picture, one line to a row."""
        if self._screen is None:
            return None
        rows = [cells.clean(self._screen.row_text(y)).rstrip() for y in range(self._screen.size[1])]
        return selection.extract("\n".join(rows)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002 - Textual calls it so
        """Show what is selected."""
        self.redraw()

    def _redraw_row(self, row: int) -> None:
        self._strips.pop(row, None)
        if row in self.rows:
            self.refresh_line(row - self.origin.y)

    def refresh_line(self, y: int) -> None:
        """Draw one row of the pane."""
        self.refresh(Region(0, y, self.size.width, 1))

    def _build(self, screen: Screen, painter: Painter, row: int, width: int) -> Strip:
        cols = screen.size[0]
        whole = painter.strip(screen.line(row), cols)
        for item in self._highlights:
            if item.row == row:
                whole = _styled(whole, item.start, item.end, _found(item.current))
        cursor = screen.cursor
        if cursor.visible and cursor.y == row:
            whole = _reversed(whole, cursor.x, cursor.x + 1)
        if (selection := self.text_selection) is not None and (span := selection.get_span(row)) is not None:
            whole = _reversed(whole, span[0], cols if span[1] < 0 else span[1])
        left = self.origin.x
        shown = whole.crop(left, min(left + width, cols))
        if cols - left > width and screen.row_text(row)[left + width :].strip():
            look = look_of(self)
            return Strip.join([shown.crop(0, width - 1), Strip([piece(look, CUT, look.style("cut"))])])
        return shown.extend_cell_length(width, look_of(self).style("outside"))

    def _follow(self, screen: Screen, turn: bool = False) -> bool:
        """Bring the cursor, or what is wanted, into sight; True if the view moved."""
        if not (self.following or turn):
            return False
        cols = screen.size[0]
        width, height = self.size
        x, y = self.origin
        target = self._wanted or Offset(screen.cursor.x, screen.cursor.y)
        if cols > width:
            x = _into_view(target.x, x, width - 1)
        return self._move_to(Offset(x, _into_view(target.y, y, height)))

    def _move_to(self, origin: Offset) -> bool:
        cols, rows = self._screen.size if self._screen is not None else (0, 0)
        x = max(0, min(origin.x, cols - self.size.width))
        y = max(0, min(origin.y, rows - self.size.height))
        if (x, y) == tuple(self.origin):
            return False
        self.origin = Offset(x, y)
        self.redraw()
        return True

    def _tell_place(self) -> None:
        """A picture is cut by a smaller pane, too, with its origin where it was."""
        place = (self.origin, self.cut, self._screen.size if self._screen is not None else None)
        if place != self._told:
            self._told = place
            self.post_message(self.Panned())


def _into_view(at: int, origin: int, length: int) -> int:
    """The origin nearest to `origin` with `at` in sight."""
    if at < origin:
        return at
    return at - length + 1 if at >= origin + length else origin


def _reversed(strip: Strip, start: int, end: int) -> Strip:
    """The strip with cells start..end-1 in reverse."""
    return _styled(strip, start, end, _turned)


def _styled(strip: Strip, start: int, end: int, change: Callable[[Style | None], Style]) -> Strip:
    """The strip with the style of cells start..end-1 changed."""
    length = strip.cell_length
    start, end = max(0, min(start, length)), min(end, length)
    if start >= end:
        return strip
    middle = Strip(Segment(part.text, change(part.style)) for part in strip.crop(start, end))
    return Strip.join([strip.crop(0, start), middle, strip.crop(end, length)])


def _turned(style: Style | None) -> Style:
    return (style or Style()) + Style(reverse=not (style and style.reverse))


def _found(current: bool) -> Callable[[Style | None], Style]:
    """Reverse and underlined, so that it shows without colour; the current match is bold, too."""

    def change(style: Style | None) -> Style:
        return _turned(style) + Style(underline=True, bold=current or None)

    return change
