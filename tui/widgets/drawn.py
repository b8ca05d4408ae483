"""The base of everything that draws its own rows."""

from collections.abc import Iterable, Sequence
from typing import Protocol, cast

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from tui import cells
from tui.cells import Part
from tui.look import Look, over
from tui.words import in_ascii


class Looking(Protocol):
    """What widgets need of the app."""

    look: Look


def look_of(widget: Widget) -> Look:
    """The look of the app a widget stands in."""
    return cast("Looking", widget.app).look


def piece(look: Look, text: str, style: Style) -> Segment:
    """A segment, in ASCII where that is asked for."""
    return cells.segment(in_ascii(text) if look.ascii_only else text, style)


def row(look: Look, parts: Iterable[Part], width: int, base: str = "text") -> Strip:
    """Parts from the left on the style of `base`, cut or padded to `width`."""
    blank = look.style(base)
    return cells.strip([piece(look, part.text, over(look, part.role, base)) for part in parts], width, blank)


def spread(look: Look, left: Sequence[Part], right: Sequence[Part], width: int, base: str = "text") -> Strip:
    """Left and right parts in one row. Right parts always stay; left parts go as wholes, then are cut."""
    right_width = sum(cells.width(part.text) for part in right)
    room = max(0, width - right_width)
    kept = cells.keep_whole(left, room) or [Part(cells.fit(part.text, room), part.role) for part in left[:1]]
    gap = room - sum(cells.width(part.text) for part in kept)
    return row(look, [*kept, Part(" " * max(0, gap), base), *right], width, base)


class Bar(Widget):
    """One row: head, status, hints. Keeps its right end whatever the width."""

    DEFAULT_CSS = "Bar { height: 1; }"
    ALLOW_SELECT = False

    def __init__(self, base: str, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._base = base
        self._left: Sequence[Part] = ()
        self._right: Sequence[Part] = ()

    def show(self, left: Sequence[Part], right: Sequence[Part] = (), base: str | None = None) -> None:
        """Draw these parts; nothing happens when they are there already."""
        base = base or self._base
        if (left, right, base) != (self._left, self._right, self._base):
            self._left, self._right, self._base = left, right, base
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The row, or a blank one below it."""
        look = look_of(self)
        if y:
            return row(look, (), self.size.width, self._base)
        return spread(look, self._left, self._right, self.size.width, self._base)


class Lines(Widget):
    """Rows of parts, scrolled by whole rows; for details, help, messages."""

    DEFAULT_CSS = "Lines { height: 1fr; }"
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, can_focus: bool = False) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.can_focus = can_focus
        self._rows: Sequence[Sequence[Part]] = ()
        self.top = 0

    def show(self, rows: Sequence[Sequence[Part]]) -> None:
        """Draw these rows."""
        self._rows = rows
        self.scroll_rows(0)

    def scroll_rows(self, by: int) -> None:
        """Move by rows within the text."""
        self.top = max(0, min(self.top + by, len(self._rows) - self.size.height))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One row; blank below the last."""
        at = self.top + y
        parts = self._rows[at] if at < len(self._rows) else ()
        return row(look_of(self), parts, self.size.width)
