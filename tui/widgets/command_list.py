"""The sidebar with the commands of a session; draws only the rows in sight."""

from collections.abc import Callable, Sequence

from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.cells import Part
from tui.widgets.drawn import look_of, row

RowOf = Callable[[int, int], Sequence[Part]]
"""The parts of a row, from its number and the cells there are."""
_WHEEL = 3


class CommandSidebar(Widget):
    """Rows with the one at the playhead reversed. The wheel looks around; the playhead stays where it is."""

    DEFAULT_CSS = "CommandSidebar { width: 46; height: 1fr; }"
    ALLOW_SELECT = False

    class Picked(Message):
        """Somebody clicked a row, twice to play from there."""

        def __init__(self, index: int, play: bool) -> None:
            super().__init__()
            self.index, self.play = index, play

    def __init__(self) -> None:
        super().__init__()
        self._row_of: RowOf = lambda _index, _cells: ()
        self._title: Sequence[str] = ()
        self.count = 0
        self.current: int | None = None
        self.top = 0
        self._looks_around = False

    def show(self, count: int, row_of: RowOf, title: Sequence[str] = ()) -> None:
        """Draw `count` rows below these lines."""
        self.count, self._row_of, self._title = count, row_of, title
        self._put_top(self.top)

    def mark(self, current: int | None, *, snap: bool = False) -> None:
        """The row of the playhead; brought into sight unless somebody looks elsewhere, always with `snap`."""
        if snap:
            self._looks_around = False
        if current == self.current and not snap:
            return
        self.current = current
        if current is not None and not self._looks_around:
            height = max(1, self.size.height - len(self._title))
            self._put_top(min(current, max(self.top, current - height + 1)))
        self.refresh()

    def on_resize(self) -> None:
        """Keep the row of the playhead in sight."""
        current, self.current = self.current, None
        self.mark(current)

    def on_mouse_scroll_down(self) -> None:
        """Look at later rows."""
        self._look(_WHEEL)

    def on_mouse_scroll_up(self) -> None:
        """Look at earlier rows."""
        self._look(-_WHEEL)

    def on_click(self, event: events.Click) -> None:
        """Go to the row, and play when it is the second click."""
        index = self.top + event.y - len(self._title)
        if event.y >= len(self._title) and index < self.count:
            self.post_message(self.Picked(index, event.chain > 1))

    def render_line(self, y: int) -> Strip:
        """A line of the title, a row, or a blank one below the last."""
        look, width = look_of(self), self.size.width
        border = Part("│", "dim")
        if y < len(self._title):
            return row(look, [border, Part(f" {self._title[y]}", "dim")], width)
        index = self.top + y - len(self._title)
        if index >= self.count:
            return row(look, [border], width)
        base = "selected" if index == self.current else "text"
        parts = row(look, self._row_of(index, width - 1), max(0, width - 1), base)
        return Strip.join([row(look, [border], min(1, width)), parts])

    def _look(self, by: int) -> None:
        self._looks_around = True
        self._put_top(self.top + by)

    def _put_top(self, top: int) -> None:
        height = self.size.height - len(self._title)
        self.top = max(0, min(top, self.count - height))
        self.refresh()
