"""The list of sessions: draws only the rows on screen, so 100,000 cost what 50 do."""

from collections.abc import Callable, Sequence

from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from recorder.store.catalog import Session
from tui import cells
from tui.cells import Part
from tui.widgets.drawn import look_of, row

RowOf = Callable[[Session, int], Sequence[Part]]


class SessionList(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows of sessions with a cursor; what a row says is decided by `row_of`."""

    DEFAULT_CSS = "SessionList { height: 1fr; overflow: hidden; }"
    ALLOW_SELECT = False

    class Moved(Message):
        """The cursor stands on another session."""

    class Chosen(Message):
        """Somebody clicked the row of the cursor."""

    def __init__(self, row_of: RowOf) -> None:
        super().__init__()
        self._row_of = row_of
        self.sessions: Sequence[Session] = ()
        self.cursor = 0

    @property
    def current(self) -> Session | None:
        """The session under the cursor."""
        return self.sessions[self.cursor] if self.cursor < len(self.sessions) else None

    @property
    def shown(self) -> range:
        """Indexes of the rows on screen."""
        top = self.scroll_offset.y
        return range(top, min(top + self.size.height, len(self.sessions)))

    def show(self, sessions: Sequence[Session], keep: bool = True) -> None:
        """Show these; the cursor stays on its session if that is still among them."""
        current = self.current if keep else None
        self.sessions = sessions
        self.virtual_size = Size(self.size.width, len(sessions))
        self.cursor = 0
        if current is not None:
            self.cursor = next((i for i, s in enumerate(sessions) if s.id == current.id), 0)
        self.move(0)

    def move(self, by: int) -> None:
        """Move the cursor by rows, and the rows under it as needed."""
        self.cursor = max(0, min(self.cursor + by, len(self.sessions) - 1))
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if self.cursor < top:
            top = self.cursor
        elif self.cursor >= top + height:
            top = self.cursor - height + 1
        self.scroll_to(y=min(top, max(0, len(self.sessions) - height)), animate=False, immediate=True)
        self.refresh()
        self.post_message(self.Moved())

    def on_resize(self) -> None:
        """Keep the cursor on screen."""
        self.virtual_size = Size(self.size.width, len(self.sessions))
        self.move(0)

    def on_click(self, event: events.Click) -> None:
        """First click moves the cursor, a click on the cursor opens."""
        at = self.scroll_offset.y + event.y
        if at >= len(self.sessions):
            return
        if at == self.cursor:
            self.post_message(self.Chosen())
        else:
            self.move(at - self.cursor)

    def on_mouse_scroll_down(self) -> None:
        """Three rows later."""
        self.move(3)

    def on_mouse_scroll_up(self) -> None:
        """Three rows earlier."""
        self.move(-3)

    def render_line(self, y: int) -> Strip:
        """One session, or blank below the last."""
        look, width = look_of(self), self.size.width
        at = self.scroll_offset.y + y
        if at >= len(self.sessions):
            return cells.strip((), width, look.style("text"))
        here = at == self.cursor
        parts = [Part(">" if here else " "), *self._row_of(self.sessions[at], width - 1)]
        return row(look, parts, width, "selected" if here else "text")
