"""Builds the events of a session key by key, as a recorder would write them."""

from collections.abc import Iterable
from typing import Self

from recorder.cast.events import EXIT, KEY, OUTPUT, RESIZE, Event
from recorder.cast.header import Header
from recorder.cast.reader import merge_bytes
from recorder.commands import Command, Extractor

ON, OFF = "\x1b[?2004h", "\x1b[?2004l"


class Session:
    """A person at a bash-like prompt. Times go on by themselves."""

    def __init__(self, prompt: str = "$ ", *, keys: bool = True) -> None:
        self.prompt = prompt
        self.events: list[Event] = []
        self._keys = keys
        self._now = 0.0

    def show(self, text: str, after: float = 0.001) -> Self:
        """Output."""
        self._now += after
        self.events.append(Event(self._now, OUTPUT, text))
        return self

    def press(self, name: str, mode: str = "noecho raw") -> Self:
        """A key that is recorded."""
        self._now += 0.08
        if self._keys:
            self.events.append(Event(self._now, KEY, f"{name} {mode}"))
        return self

    def resize(self, columns: int, rows: int) -> Self:
        """Another size."""
        self._now += 0.08
        self.events.append(Event(self._now, RESIZE, f"{columns}x{rows}"))
        return self

    def ask(self) -> Self:
        """The prompt, from a shell that marks its editor."""
        return self.show(ON).show(self.prompt)

    def type(self, text: str) -> Self:
        """Keys that are echoed one by one."""
        for character in text:
            self.show(character, after=0.08)
        return self

    def enter(self, output: str = "") -> Self:
        """The line is accepted and runs."""
        self.press("enter").show(f"\r\n{OFF}\r")
        return self.show(output) if output else self

    def run(self, text: str, output: str = "") -> Self:
        """A prompt, a command and its output."""
        return self.ask().type(text).enter(output)

    def end(self, status: int = 0) -> Self:
        """The shell ends."""
        self.events.append(Event(self._now, EXIT, str(status)))
        return self


def commands(
    events: Iterable[Event],
    columns: int = 80,
    rows: int = 24,
    *,
    keys: bool = True,
    marks: str | None = None,
) -> list[Command]:
    """In the order they were typed."""
    extractor = Extractor(columns, rows, has_keys=keys, marks=marks)
    found: list[Command] = []
    for event, data in merge_bytes(events):
        found += extractor.add(event, data)
    return sorted([*found, *extractor.finish()], key=lambda command: (command.start_s, command.level))


def texts(session: Session, columns: int = 80, rows: int = 24, *, keys: bool = True) -> list[str]:
    """What was run."""
    return [command.text for command in commands(session.events, columns, rows, keys=keys)]


HEADER = Header(2, 80, 24)
