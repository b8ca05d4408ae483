"""The Library as a chooser: Enter takes sessions instead of playing them."""

from collections.abc import Callable
from datetime import tzinfo
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from recorder.store.catalog import Session
from tui.cells import Part
from tui.options import PlayOptions
from tui.screens import library_rows as rows
from tui.screens.library import LibraryScreen
from tui.screens.player_rows import HELP
from tui.source import Source, Subject
from tui.widgets.drawn import Bar
from tui.widgets.session_list import SessionList

Take = Callable[[list[str]], None]
"""Is given the ids of the sessions that were chosen, in the order of the list."""

_ACT = Binding.Group("Act")
_HINTS = (("Enter", "choose"), ("Space", "mark"), ("v", "play"), ("/", "filter"), ("q", "choose nothing"))
_MARK = "▪"


class PickScreen(LibraryScreen):
    """Marks with Space, takes with Enter: the marked sessions, or the one under the cursor."""

    TOPIC = "pick"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "choose", id="pick.choose", group=_ACT),
        Binding("space", "mark", "mark / unmark", id="pick.mark", group=_ACT),
        Binding("v", "look", "play", id="pick.play", group=_ACT),
    ]

    def __init__(self, source: Source, zone: tzinfo, query: str, take: Take) -> None:
        super().__init__(source, PlayOptions(), zone, query)
        self._take = take
        self._marked: dict[str, None] = {}

    def instead(self) -> list[str]:
        """Commands that do the job without a screen."""
        return ["sealcast ls -0"]

    def action_mark(self) -> None:
        """Mark the session under the cursor, or take the mark away, and go on to the next."""
        if session := self.query_one(SessionList).current:
            if session.id in self._marked:
                del self._marked[session.id]
            else:
                self._marked[session.id] = None
            self.say(f"{len(self._marked)} marked")
            self.action_move(1)

    def action_open(self) -> None:
        """End, with what was chosen."""
        current = self.query_one(SessionList).current
        chosen = [session.id for session in self.everything if session.id in self._marked]
        if not chosen and current is None:
            return
        self._take(chosen or [current.id] if current else chosen)
        self.app.exit()

    @on(SessionList.Chosen)
    def take_clicked(self, message: SessionList.Chosen) -> None:
        """A click on the cursor chooses, too."""
        message.prevent_default()
        self.action_open()

    def action_look(self) -> None:
        """Play the session under the cursor before choosing."""
        if session := self.query_one(SessionList).current:
            self.play(self.source, Subject.of_session(session), self.options)

    def _show_hints(self) -> None:
        self.query_one("#hints", Bar).show([Part(f" {keys} {text} ") for keys, text in _HINTS], HELP)

    def _row(self, session: Session, width: int) -> list[Part]:
        sign = Part(_MARK if session.id in self._marked else " ", "key")
        return [sign, *rows.session_row(session, self.states.get(session.id), self.zone, width - 1)]
