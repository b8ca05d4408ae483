"""What every screen does: help, one step back, and a plain message when there is no room."""

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from tui.cells import Part
from tui.widgets.drawn import Lines

MIN_SIZE = (60, 16)
TALL = 30


class RoomyScreen(Screen[None]):
    """A screen that needs 60×16 and says so below that. Subclasses yield their widgets in `body`."""

    DEFAULT_CSS = """
    RoomyScreen { layout: vertical; overflow: hidden; }
    RoomyScreen > #room { layout: vertical; height: 1fr; overflow: hidden; }
    RoomyScreen > #too-small { display: none; }
    RoomyScreen.too-small > #room { display: none; }
    RoomyScreen.too-small > #too-small { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "help", "help", id="app.help"),
    ]
    TOPIC = ""
    """What the help is headed with."""

    def body(self) -> ComposeResult:
        """The widgets from top to bottom."""
        yield from ()

    def compose(self) -> ComposeResult:
        """The body, and the message that stands in for it."""
        with Container(id="room"):
            yield from self.body()
        yield Lines(id="too-small")

    def instead(self) -> list[str]:
        """Commands that do the job without a screen."""
        return ["sealcast ls"]

    def on_resize(self, event: events.Resize) -> None:
        """Switch to the message and back; nothing else changes."""
        width, height = event.size
        small = width < MIN_SIZE[0] or height < MIN_SIZE[1]
        self.set_class(small, "too-small")
        if small:
            self.query_one("#too-small", Lines).show(self._message(width, height))
        self.lay_out(width, height)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker that fails in a way nobody foresaw is a bug like any other."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            raise event.worker.error

    def say(self, text: str) -> None:
        """Tell what was just done; screens without a place for it keep quiet."""

    def lay_out(self, width: int, height: int) -> None:
        """Fit the body to a size."""

    def action_help(self) -> None:
        """All keys of this screen."""
        from tui.screens.help import HelpScreen  # noqa: PLC0415 - help is itself such a screen

        self.app.push_screen(HelpScreen(self))

    def _message(self, width: int, height: int) -> list[list[Part]]:
        lines = [
            "",
            f" Terminal is {width}×{height}.",
            f" sealcast needs {MIN_SIZE[0]}×{MIN_SIZE[1]} or more.",
            "",
            " Make it larger, or use:",
            *(f" {command}" for command in self.instead()),
            "",
            " q quit",
        ]
        return [[Part(line)] for line in lines]
