"""The timeline strip: activity, events and, where there is room, a ruler, with the playhead through all."""

from collections.abc import Sequence

from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.cells import Part
from tui.recording import Recording
from tui.timeline import Cell, Happened, Window, activity_row, deepest_zoom, event_row, ruler_row, window
from tui.widgets.drawn import look_of, row

_ROLES = {"·": "idle", "░": "unread", "╳": "warn", "_": "idle", "?": "unread", "X": "warn"}


class TimelineStrip(Widget):
    """Two or three rows over the length of a recording."""

    DEFAULT_CSS = "TimelineStrip { height: 2; }"
    ALLOW_SELECT = False

    class Picked(Message):
        """Somebody pointed at a moment."""

        def __init__(self, time: float) -> None:
            super().__init__()
            self.time = time

    def __init__(self) -> None:
        super().__init__()
        self._recording: Recording | None = None
        self._position = 0.0
        self._idle = 2.0
        self._matches: Sequence[float] = ()
        self._commands: Sequence[float] = ()
        self._failed: Sequence[float] = ()
        self._bad_from: float | None = None
        self._rows: tuple[str, list[Cell], str] = ("", [], "")
        self._view = Window(0.0, 0.0, 1)
        self.zoom = 0

    def follow(self, recording: Recording, idle: float) -> None:
        """Show this recording; gaps longer than `idle` seconds count as idle."""
        self._recording, self._idle = recording, idle
        self.rebuild()

    def mark_bad(self, bad_from: float | None) -> None:
        """From this moment on nothing is covered by a valid signature."""
        self._bad_from = bad_from
        self.rebuild()

    def move(self, position: float) -> None:
        """Put the playhead at a position."""
        before = self._view.cell(self._position)
        self._position = position
        if self.zoom and self._view.cell(position) is None:
            self.rebuild()
        elif self._view.cell(position) != before:
            self.refresh()

    def tick(self, matches: Sequence[float]) -> None:
        """Show where the matches of a search are."""
        if list(matches) != list(self._matches):
            self._matches = matches
            self.rebuild()

    def show_commands(self, commands: Sequence[float], failed: Sequence[float]) -> None:
        """Show when commands were accepted: those that failed, and all others."""
        self._commands, self._failed = commands, failed
        self.rebuild()

    def zoom_by(self, steps: int) -> None:
        """Narrow or widen the window around the playhead."""
        if self._recording is not None:
            self.zoom = max(0, min(self.zoom + steps, deepest_zoom(self._recording.duration)))
            self.rebuild()

    def rebuild(self) -> None:
        """Count again: more was read, another width, another window."""
        if self._recording is None or self.size.width < 1:
            return
        recording, ascii_only = self._recording, look_of(self).ascii_only
        view = window(recording.duration, self.size.width, self.zoom, self._position)
        self._view = view
        self._rows = (
            activity_row(recording, view, idle=self._idle, bad_from=self._bad_from, ascii_only=ascii_only),
            event_row(view, self._happened(recording), ascii_only),
            ruler_row(view, recording.duration),
        )
        self.refresh()

    def _happened(self, recording: Recording) -> Happened:
        marks = [mark.time for mark in recording.marks]
        return Happened(marks, recording.resizes, self._matches, self._commands, self._failed)

    def on_resize(self) -> None:
        """Another width has other slices."""
        self.rebuild()

    def on_click(self, event: events.Click) -> None:
        """Point at the event in the cell if there is one, else at the start of its slice."""
        if self._recording is None or event.x >= self._view.width:
            return
        start, end = self._view.slice(event.x)
        moments = [time for times in self._happened(self._recording) for time in times]
        self.post_message(self.Picked(min((t for t in moments if start <= t < end), default=start)))

    def render_line(self, y: int) -> Strip:
        """Row 0 activity, 1 events, 2 ruler."""
        activity, marks, ruler = self._rows
        width = self.size.width
        if y == 0:
            parts = [Part(sign, _ROLES.get(sign, "activity")) for sign in activity]
        elif y == 1:
            parts = [Part(cell.sign, "active" if cell.many else "event") for cell in marks]
        else:
            parts = [Part(sign, "ruler") for sign in ruler]
        head = self._view.cell(self._position)
        if head is not None and head < len(parts):
            parts[head] = Part("▲" if y == 2 else parts[head].text, "strong" if y == 2 else "playhead")
        return row(look_of(self), _joined(parts), width)


def _joined(parts: list[Part]) -> list[Part]:
    """Neighbours of one role as one part, so that a row is a few segments."""
    joined: list[Part] = []
    for part in parts:
        if joined and joined[-1].role == part.role:
            joined[-1] = Part(joined[-1].text + part.text, part.role)
        else:
            joined.append(part)
    return joined
