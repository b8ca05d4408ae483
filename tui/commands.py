"""The commands of a recording in the order they were typed, and moving among them. Pure."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable

from recorder.commands import Command

_TOLERANCE = 1e-6
"""Seconds: a clock that was put on a command stands on it."""


class Commands:
    """What is known so far; `complete` when the whole recording was read. Foreign text throughout."""

    def __init__(self, found: Iterable[Command] = (), complete: bool = False) -> None:
        self.items = tuple(sorted(found, key=lambda command: (command.start_s, command.level)))
        self.complete = complete
        self._starts = array("d", (command.start_s for command in self.items))

    def at(self, position: float) -> int | None:
        """The last command accepted until `position`; None before the first."""
        found = bisect_right(self._starts, position + _TOLERANCE) - 1
        return found if found >= 0 else None

    def neighbour(self, here: int | None, direction: int, *, only_failed: bool = False) -> int | None:
        """The next (1) or previous (-1) one; from None, which is before the first, there is only a next."""
        after = range(0 if here is None else here + 1, len(self.items))
        before = range((here or 0) - 1, -1, -1)
        for index in after if direction > 0 else before:
            if not only_failed or failed(self.items[index]):
                return index
        return None

    def times(self, *, of_failed: bool) -> list[float]:
        """When those that failed, or those that did not, were accepted."""
        return [command.start_s for command in self.items if failed(command) is of_failed]


def failed(command: Command) -> bool:
    """True only where the shell reported so; an unknown status is neither success nor failure."""
    return command.exit_status not in (None, 0)
