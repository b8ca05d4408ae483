"""The list of matches: sessions with their matches below them, drawn row by row."""

from collections.abc import Callable, Sequence

from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui import cells
from tui.cells import Part
from tui.screens.search_rows import Group, Hit, Row, rows_of
from tui.widgets.drawn import look_of, row

PartsOf = Callable[[Row, int], Sequence[Part]]


class MatchList(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows with a cursor that stands on matches, and on sessions that are folded."""

    DEFAULT_CSS = "MatchList { height: 1fr; overflow: hidden; }"
    ALLOW_SELECT = False

    class Chosen(Message):
        """Somebody clicked the row of the cursor."""

    class Moved(Message):
        """Other rows are in sight, or the cursor stands elsewhere."""

        def can_replace(self, message: Message) -> bool:
            """A later one makes an earlier one pointless."""
            return isinstance(message, MatchList.Moved)

    def __init__(self, parts_of: PartsOf) -> None:
        super().__init__()
        self._parts_of = parts_of
        self.groups: list[Group] = []
        self._rows: list[Row] = []
        self.cursor = 0

    @property
    def current(self) -> Hit | None:
        """The match under the cursor."""
        return self._rows[self.cursor].hit if self.cursor < len(self._rows) else None

    @property
    def seen(self) -> list[str]:
        """The sessions of which something is in sight, from the top."""
        top = self.scroll_offset.y
        rows = self._rows[top : top + max(1, self.size.height)]
        return list(dict.fromkeys(one.group.session for one in rows))

    def show(self, groups: list[Group]) -> None:
        """Show these; the cursor stays on its match."""
        here = self._rows[self.cursor] if self.cursor < len(self._rows) else None
        self.groups, self._rows = groups, rows_of(groups)
        self.virtual_size = Size(self.size.width, len(self._rows))
        stops = self._stops()
        same = (at for at in stops if here is not None and self._rows[at].hit is here.hit)
        self._go_to(next(same, stops[0] if stops else 0))

    def step(self, by: int) -> None:
        """To another match."""
        stops = self._stops()
        if stops:
            place = min(range(len(stops)), key=lambda place: abs(stops[place] - self.cursor))
            self._go_to(stops[max(0, min(place + by, len(stops) - 1))])

    def step_session(self, by: int) -> None:
        """To the first match of another session."""
        if not self._rows:
            return
        group = self._rows[self.cursor].group
        at = next(place for place, one in enumerate(self.groups) if one is group)
        wanted = self.groups[max(0, min(at + by, len(self.groups) - 1))]
        self._go_to(next(place for place in self._stops() if self._rows[place].group is wanted))

    def fold(self) -> None:
        """Hide or show the matches of the session under the cursor."""
        if self._rows:
            group = self._rows[self.cursor].group
            group.folded = not group.folded
            self.show(self.groups)
            self._go_to(next(place for place in self._stops() if self._rows[place].group is group))

    def _stops(self) -> list[int]:
        return [
            place
            for place, one in enumerate(self._rows)
            if (one.group.folded if one.is_head else one.line is None)
        ]

    def _go_to(self, place: int) -> None:
        self.cursor = place
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if place <= top:
            top = max(0, place - 1)
        elif place >= top + height:
            top = place - height + 1
        self.scroll_to(y=min(top, max(0, len(self._rows) - height)), animate=False, immediate=True)
        self.refresh()
        self.post_message(self.Moved())

    def on_resize(self) -> None:
        """Keep the cursor on screen."""
        self.virtual_size = Size(self.size.width, len(self._rows))
        self._go_to(self.cursor)

    def on_click(self, event: events.Click) -> None:
        """First click moves the cursor, a click on the cursor opens."""
        at = self.scroll_offset.y + event.y
        if at == self.cursor:
            self.post_message(self.Chosen())
        elif at in self._stops():
            self._go_to(at)

    def on_mouse_scroll_down(self) -> None:
        """The next match."""
        self.step(1)

    def on_mouse_scroll_up(self) -> None:
        """The match before."""
        self.step(-1)

    def render_line(self, y: int) -> Strip:
        """One row, or blank below the last."""
        look, width = look_of(self), self.size.width
        at = self.scroll_offset.y + y
        if at >= len(self._rows):
            return cells.strip((), width, look.style("text"))
        here = at == self.cursor
        parts = [Part(">" if here else " "), *self._parts_of(self._rows[at], width - 1)]
        return row(look, parts, width, "selected" if here else "text")
