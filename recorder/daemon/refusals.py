"""Which refused logins become entries of the log: one a minute for each account and reason, with a count.

A user who asks a thousand times a second must not fill the log, and nobody's refusal may be lost in it.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

WINDOW_SECONDS = 60.0


@dataclass(slots=True)
class _Window:
    user: str
    ends: float
    others: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """One entry: `others` were refused in the same way since the last one."""

    uid: int
    user: str
    reason: str
    others: int


class Refusals:
    """`clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows: dict[tuple[int, str], _Window] = {}

    def refused(self, uid: int, user: str, reason: str) -> Refusal | None:
        """Count one; an entry where it is the first of its window."""
        window = self._windows.get((uid, reason))
        if window is not None and window.ends > self._clock():
            window.others += 1
            return None
        others = window.others if window is not None else 0
        self._windows[uid, reason] = _Window(user, self._clock() + WINDOW_SECONDS)
        return Refusal(uid, user, reason, others)

    def over(self) -> Iterator[Refusal]:
        """The entries of windows that have ended: how many were refused besides the first."""
        now = self._clock()
        for (uid, reason), window in list(self._windows.items()):
            if window.ends <= now:
                del self._windows[uid, reason]
                if window.others:
                    yield Refusal(uid, window.user, reason, window.others)
