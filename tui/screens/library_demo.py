"""`D` in the Library: the demo session, recorded in the background when it is first asked for."""

from datetime import tzinfo
from time import monotonic

from textual import on
from textual.timer import Timer

from recorder.errors import SealcastError
from tui.demo import KEY_NOTE, DemoMaker, make_in_background, progress_label
from tui.messages import DemoFailed, DemoMade
from tui.options import PlayOptions
from tui.screens.base import RoomyScreen
from tui.source import Source, Subject

_DEMO = PlayOptions(paused=True, card=True)
_TELL_EVERY = 0.5
"""Seconds between two looks at how far the recording must be."""


class LibraryDemo(RoomyScreen):
    """The part of the Library that has the demo made and plays it."""

    demo: Source | None = None
    """The demo's own store, once it is there."""
    make_demo: DemoMaker | None = None
    zone: tzinfo
    _subject: Subject | None = None
    _timer: Timer | None = None

    def rescan(self) -> object:
        """List again: an empty store shows the demo from now on."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is no such key where no demo can be made."""
        return super().check_action(action, parameters) if action != "demo" else self.make_demo is not None

    def action_demo(self) -> None:
        """Play the demo, as soon as it is there."""
        if self.demo is not None and self._subject is not None:
            self.play(self.demo, self._subject, _DEMO)
        elif self.make_demo is not None and self._timer is None:
            began = monotonic()
            self._timer = self.set_interval(
                _TELL_EVERY, lambda: self.say(progress_label(monotonic() - began))
            )
            make_in_background(self.make_demo, self.post_message)

    @on(DemoMade)
    def take_demo(self, message: DemoMade) -> None:
        """List it, and play it unless something else was opened meanwhile."""
        self._stop_telling()
        self.demo, self._subject = Source(message.store, KEY_NOTE), Subject.of_target(message.target)
        self.rescan()
        if self.app.screen is self:
            self.play(self.demo, self._subject, _DEMO)

    @on(DemoFailed)
    def apologise_for_demo(self, message: DemoFailed) -> None:
        """Say why there is none; what nobody foresaw is a bug like any other."""
        self._stop_telling()
        error = message.error
        if isinstance(error, SealcastError):
            self.say(f"{error.message}: {error.hint}" if error.hint else error.message)
        elif isinstance(error, OSError):
            self.say(f"the demo session could not be recorded: {error.strerror}")
        else:
            raise error

    def play(self, source: Source, subject: Subject, options: PlayOptions) -> None:
        """Open the player."""
        from tui.screens.player import PlayerScreen  # noqa: PLC0415  60 ms that the first list need not wait for

        self.app.push_screen(PlayerScreen(source, subject, options, self.zone))

    def _stop_telling(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self.say("")
