"""The demo session, made while the interface goes on."""

from collections.abc import Callable
from contextlib import suppress
from threading import Thread

from textual.message import Message

from recorder.store.layout import Store
from recorder.store.targets import Target
from tui.messages import DemoFailed, DemoMade

Said = Callable[[str], None]
DemoMaker = Callable[[Said], tuple[Store, Target]]
"""Answers the demo's store and the session in it, recorded first where it is not there yet."""
ABOUT_S = 12
"""Seconds that the recording takes, about."""
KEY_NOTE = "demo key"


def make_in_background(make: DemoMaker, tell: Callable[[Message], object]) -> None:
    """Call `make` in a thread that does not keep the program from ending; `tell` gets the outcome."""
    Thread(target=_make, args=(make, tell), daemon=True, name="demo").start()


def _make(make: DemoMaker, tell: Callable[[Message], object]) -> None:
    try:
        outcome: Message = DemoMade(*make(lambda _: None))
    except Exception as error:  # the screen tells failures from bugs
        outcome = DemoFailed(error)
    with suppress(RuntimeError):  # the interface has ended meanwhile
        tell(outcome)


def progress_label(seconds: float) -> str:
    """What is said while the demo is being recorded."""
    return f"recording the demo session, once: {min(seconds, ABOUT_S):.0f} of about {ABOUT_S} s"
