"""What each command wrote, as lines of text."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from recorder.cast.events import OUTPUT, RESIZE, Event
from recorder.cast.reader import merge_bytes
from recorder.commands import Command
from recorder.safe_text import safe

LONGEST_LINE = 2_000
"""Characters of a line that are kept; a longer one ends with an ellipsis."""


class Page(Protocol):
    """A terminal of its own from which lines are taken as they are complete."""

    def output(self, time: float, data: bytes) -> None:
        """What was shown."""

    def lines(self, time: float) -> list[str]:
        """The lines complete since the last call; with the end of the output, all."""

    def finish(self, time: float) -> list[str]:
        """The lines still on the screen."""


@dataclass(slots=True)
class Told:
    """A command and the lines it wrote, as far as they are kept."""

    command: Command
    lines: list[str] = field(default_factory=list)
    left_out: int = 0
    children: int = 0
    """Commands that were typed into it; its output is theirs."""


def with_output(
    commands: list[Command],
    events: Iterable[Event],
    page: Callable[[int, int], Page],
    size: tuple[int, int],
    limit: int,
) -> Iterator[Told]:
    """Every command with at most `limit` lines of its output, in the order they were typed.

    `page` makes a terminal of so many columns and rows. A command into which others were typed, such as
    `ssh`, is told without output.
    """
    waiting = deque(_told(commands))
    reader = _Reader(events, page, size, limit)
    while waiting:
        told = waiting.popleft()  # its lines are kept no longer than it is looked at
        if not told.children:
            reader.read(told)
        yield told


def _told(commands: list[Command]) -> list[Told]:
    ordered = sorted(commands, key=lambda command: (command.output.start, command.level))
    told = [Told(command) for command in ordered]
    outside: list[Told] = []
    for one in told:
        while outside and outside[-1].command.output.end <= one.command.output.start:
            outside.pop()
        for outer in outside:
            outer.children += outer.command.level < one.command.level
        outside.append(one)
    return told


class _Reader:
    """Goes through the output once; commands are asked for in the order of their output."""

    def __init__(
        self,
        events: Iterable[Event],
        page: Callable[[int, int], Page],
        size: tuple[int, int],
        limit: int,
    ) -> None:
        self._events = merge_bytes(events)
        self._page = page
        self._size = size
        self._limit = limit
        self._at = 0
        self._rest = b""
        self._time = 0.0

    def read(self, told: Told) -> None:
        """Fills in the lines of `told`."""
        span = told.command.output
        page = self._page(*self._size)
        while self._at < span.end and (self._rest or self._next()):
            data = self._rest[: span.end - self._at]
            skipped = min(len(data), max(0, span.start - self._at))
            self._rest = self._rest[len(data) :]
            self._at += len(data)
            page.output(self._time, data[skipped:])
            self._keep(told, page.lines(self._time))
        self._keep(told, page.finish(self._time))
        while told.lines and not told.lines[-1] and not told.left_out:
            told.lines.pop()

    def _next(self) -> bool:
        """The next event; whether there was one."""
        for event, data in self._events:
            if event.code == RESIZE:
                self._resize(event.data)
            elif event.code == OUTPUT:
                self._time, self._rest = event.time, data
                return True
        return False

    def _resize(self, data: str) -> None:
        columns, _, rows = data.partition("x")
        if columns.isdecimal() and rows.isdecimal() and len(data) < 12:
            self._size = int(columns), int(rows)

    def _keep(self, told: Told, lines: list[str]) -> None:
        room = max(0, self._limit - len(told.lines))
        told.lines += [safe(line, LONGEST_LINE) for line in lines[:room]]
        told.left_out += len(lines[room:])
