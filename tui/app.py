"""The terminal interface: an app around the screens, and the two functions that start it.

Textual draws on standard error and reads keys from descriptor 0, so standard output stays free for answers.
"""

import asyncio
import locale
import os
import select
import signal
import sys
import tempfile
import traceback
from datetime import UTC, tzinfo
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.theme import Theme

from recorder.errors import ExitCode, SealcastError
from recorder.store.layout import Store
from recorder.store.targets import Target
from tui.demo import KEY_NOTE, DemoMaker
from tui.driver import TerminalDriver
from tui.look import PALETTES, Kind, Look, choose
from tui.options import PlayOptions
from tui.screens.base import RoomyScreen
from tui.screens.library import LibraryScreen
from tui.source import Source, Subject

if TYPE_CHECKING:
    from tui.screens.pick import Take

TERMINATED = 128 + signal.SIGTERM
HUNG_UP = 128 + signal.SIGHUP
_CRASH_VARIABLE = "SEALCAST_TEST_CRASH"
"""Makes the program fail once it is drawn, so that the way out can be tested."""


def _leave_a_gone_terminal() -> None:
    """End at once: there is nothing to draw on and nothing to give back, and no work of ours is unsaved."""
    os._exit(HUNG_UP)


class SealcastApp(App[None]):
    """Holds the look and the way out; everything else is in the screens."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { background: $background; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", show=False, id="app.interrupt"),
        Binding("ctrl+q", "leave", "quit", id="app.quit"),
        Binding("ctrl+z", "suspend_process", "suspend", id="app.suspend"),
        Binding("ctrl+l", "redraw", "draw again", id="app.redraw"),
    ]
    INTERRUPT_WITHIN = 2.0
    """Seconds in which a second Ctrl+C ends the program."""

    def __init__(self, first: RoomyScreen, look: Look) -> None:
        if look.kind is Kind.MONO:
            os.environ["NO_COLOR"] = (
                "1"  # Textual takes it out again and strips what colour its own parts have
            )
        super().__init__(driver_class=TerminalDriver, ansi_color=None if look.kind is Kind.RGB else True)
        self.look = look
        self._first = first
        self._interrupted = -self.INTERRUPT_WITHIN
        self.crash: BaseException | None = None
        self._use_theme(look)

    def on_mount(self) -> None:
        """Show the first screen; end in order when told to."""
        self.push_screen(self._first)
        if not self.is_headless:
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGTERM, lambda: self.exit(return_code=TERMINATED))
            loop.add_signal_handler(signal.SIGHUP, _leave_a_gone_terminal)
            self.set_interval(1.0, self._check_terminal)
        if os.environ.get(_CRASH_VARIABLE):
            self.call_after_refresh(self._fail)

    def _check_terminal(self) -> None:
        """Where SIGHUP is ignored (nohup), only the terminal's own state tells that it was closed.

        Textual's reader does not notice: it would read end of file as fast as it can, for ever.
        """
        watcher = select.poll()
        watcher.register(0, 0)
        if watcher.poll(0):  # POLLHUP, POLLERR and POLLNVAL are reported unasked
            _leave_a_gone_terminal()

    def action_interrupt(self) -> None:
        """The second Ctrl+C within two seconds ends the program."""
        if monotonic() - self._interrupted < self.INTERRUPT_WITHIN:
            self.exit(return_code=ExitCode.INTERRUPTED)
            return
        self._interrupted = monotonic()
        if isinstance(self.screen, RoomyScreen):
            self.screen.say("press Ctrl+C again to quit")

    def action_leave(self) -> None:
        """End the program."""
        self.exit()

    def action_redraw(self) -> None:
        """Draw everything again."""
        self.refresh(layout=True)

    def _handle_exception(self, error: Exception) -> None:
        """Leave the terminal in order and keep the report for `finish`; tests see the error itself."""
        if self.is_headless:
            super()._handle_exception(error)
            return
        if self.crash is None:
            self.crash = error
        self.exit(return_code=ExitCode.BUG)

    def _fail(self) -> None:
        raise RuntimeError(f"{_CRASH_VARIABLE} is set")

    def _use_theme(self, look: Look) -> None:
        """Textual's own parts (input fields) in the colours of the look."""
        if look.kind is not Kind.RGB:
            self.theme = "ansi-dark"
            return
        palette = PALETTES[look.name]
        self.register_theme(
            Theme(
                name=f"sealcast-{look.name}",
                primary=palette.good,
                secondary=palette.dim,
                warning=palette.warn,
                error=palette.warn,
                foreground=palette.text,
                background=palette.back,
                surface=palette.back,
                panel=palette.panel,
                dark=look.name != "light",
            )
        )
        self.theme = f"sealcast-{look.name}"


def run_library(  # noqa: PLR0913 - these are the options of the command line
    store: Store,
    query: str | None = None,
    *,
    zone: tzinfo = UTC,
    theme: str | None = None,
    ascii_only: bool = False,
    mouse: bool = True,
    demo: DemoMaker | None = None,
) -> int:
    """Show the Library, narrowed by `query`; returns the exit code. SealcastError without a terminal.

    With `demo` the demo session can be played from here.
    """
    _require_terminal("sealcast ls")
    first = LibraryScreen(Source(store), PlayOptions(), zone, query or "", demo)
    return _run(SealcastApp(first, choose(theme, ascii_only or not _is_utf8())), mouse)


def run_pick(
    store: Store, take: "Take", query: str = "", *, zone: tzinfo = UTC, ascii_only: bool = False
) -> int:
    """Let sessions be chosen in the Library; `take` is given their ids. SealcastError without a terminal."""
    _require_terminal("sealcast ls")
    from tui.screens.pick import PickScreen  # noqa: PLC0415  each interface loads its own screens

    first = PickScreen(Source(store), zone, query, take)
    return _run(SealcastApp(first, choose(None, ascii_only or not _is_utf8())), mouse=True)


def run_player(  # noqa: PLR0913 - these are the options of the command line
    store: Store,
    target: Target,
    at: float | None = None,
    *,
    paused: bool | None = None,
    speed: float = 1.0,
    idle: float | None = 2.0,
    zone: tzinfo = UTC,
    theme: str | None = None,
    ascii_only: bool = False,
    mouse: bool = True,
    demo: bool = False,
) -> int:
    """Replay a target from `at` seconds, or from the target's own moment; returns the exit code.

    `paused` None means: paused exactly when a moment is given. `idle` None plays idle time in full.
    `demo` says that the store is the demo's: its key is called so, and a card names the keys to know.
    """
    _require_terminal("sealcast play --plain")
    at = target.at if at is None else at
    options = PlayOptions(at, at is not None if paused is None else paused, speed, idle, card=demo)
    source = Source(store, KEY_NOTE if demo else "")
    from tui.screens.player import PlayerScreen  # noqa: PLC0415  each interface loads its own screens

    first = PlayerScreen(source, Subject.of_target(target), options, zone)
    return _run(SealcastApp(first, choose(theme, ascii_only or not _is_utf8())), mouse)


def _run(app: SealcastApp, mouse: bool) -> int:
    app.run(mouse=mouse)
    if app.crash is not None:
        return _report(app.crash)
    return app.return_code or ExitCode.OK


def _report(crash: BaseException) -> int:
    """One line for the person, the rest into a file only they can read."""
    with tempfile.NamedTemporaryFile("w", prefix="sealcast-", suffix=".txt", delete=False) as file:
        traceback.print_exception(crash, file=file)
    sys.stderr.write(f"sealcast: this is a bug; the report is in {file.name}\n")
    return ExitCode.BUG


def _require_terminal(instead: str) -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise SealcastError("this needs a terminal", f"without one: {instead}", ExitCode.USAGE)


def _is_utf8() -> bool:
    return locale.getpreferredencoding(False).lower().replace("-", "") == "utf8"
