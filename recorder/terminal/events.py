"""What a program tells the terminal besides the picture: titles, directories, prompt marks, bells."""

from collections import deque
from typing import NamedTuple

MAX_EVENTS = 1024
MAX_CHARACTERS = 1 << 20


class Title(NamedTuple):
    """OSC 0 or 2."""

    text: str


class Cwd(NamedTuple):
    """OSC 7: the working directory as a URL, as the program sent it."""

    url: str


class PromptMark(NamedTuple):
    """OSC 133 (FinalTerm) or 633 (VS Code): `text` is everything behind the number, `A`, `D;0`, …

    `x` and `y` tell where the cursor was.
    """

    family: int
    text: str
    x: int
    y: int


class Bell(NamedTuple):
    """BEL outside of a control string; several in a row are one event."""


class AltScreen(NamedTuple):
    """The alternate screen was entered or left."""

    entered: bool


Event = Title | Cwd | PromptMark | Bell | AltScreen


class EventQueue:
    """Events nobody has taken yet; bounded in number and size, the oldest go first."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._characters = 0

    def add(self, event: Event) -> None:
        """Queue `event`."""
        if isinstance(event, Bell) and self._events and isinstance(self._events[-1], Bell):
            return
        self._events.append(event)
        self._characters += _size(event)
        while len(self._events) > MAX_EVENTS or self._characters > MAX_CHARACTERS:
            self._characters -= _size(self._events.popleft())

    def take(self) -> list[Event]:
        """All queued events, oldest first; the queue is empty afterwards."""
        if not self._events:
            return []
        events = list(self._events)
        self._events.clear()
        self._characters = 0
        return events


def _size(event: Event) -> int:
    return sum(len(part) for part in event if isinstance(part, str))
