"""What the policy wants of a session, and what may end it besides its own shell: limits, and people.

A pump asks how long it may sleep, and gets lines to show; a line with a cause is the session's last.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from recorder.capture.channel import Message
from recorder.capture.control import Control
from recorder.capture.survivors import Traces
from recorder.policy.quantities import duration_text
from recorder.safe_text import safe

ENDED, IDLE, DURATION, DISK = "ended", "idle", "duration", "disk"
"""The causes, which are reasons of an ending, too."""
_ORDERED = (ENDED, DISK)
WARNING_SECONDS = 60.0
"""How long before the end a warning comes; earlier by no more than a quarter of a short limit."""
MAX_LINE = 600


@dataclass(frozen=True, slots=True)
class Notice:
    """One line for the session's terminal; where it has a `cause`, the session ends with it."""

    line: str
    cause: str | None = None
    by: Message | None = None
    """Who ordered it: `user` and `uid`; None for a limit."""
    reason: str | None = None
    """In the words of that person."""

    def facts(self) -> Message:
        """What the log is to know."""
        facts = {"cause": self.cause, "by": self.by, "reason": self.reason}
        return {name: value for name, value in facts.items() if value is not None}


@dataclass(slots=True)
class _Limit:
    """`seconds` after `since` the session ends; 0 never."""

    seconds: int
    since: float
    warned: bool = False

    def next(self) -> float | None:
        """When this limit has something to say."""
        if not self.seconds:
            return None
        early = 0.0 if self.warned else self.lead
        return self.since + self.seconds - early

    @property
    def lead(self) -> float:
        return min(WARNING_SECONDS, self.seconds / 4)


class Deadlines:
    """The limits of a session, in seconds; 0 sets none. `clock` is monotonic."""

    def __init__(self, idle: int = 0, duration: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._idle = _Limit(idle, clock())
        self._duration = _Limit(duration, clock())

    def typed(self) -> None:
        """There was input."""
        self._idle.since = self._clock()
        self._idle.warned = False

    @property
    def idle_seconds(self) -> float:
        """How long there was no input."""
        return self._clock() - self._idle.since

    def seconds(self) -> float | None:
        """How long nothing is due; None without limits."""
        due = [moment for moment in (self._idle.next(), self._duration.next()) if moment is not None]
        return max(0.0, min(due) - self._clock()) if due else None

    def due(self) -> Notice | None:
        """What is to be said now."""
        for limit, texts in ((self._duration, _DURATION_TEXTS), (self._idle, _IDLE_TEXTS)):
            moment = limit.next()
            if moment is not None and moment <= self._clock():
                return self._notice(limit, texts)
        return None

    def _notice(self, limit: _Limit, texts: "tuple[str, str, str]") -> Notice:
        cause, warning, last = texts
        left = limit.since + limit.seconds - self._clock()
        words = {"limit": duration_text(limit.seconds), "left": f"{max(1, round(left))}s"}
        if left > 0:
            limit.warned = True
            return Notice(warning.format(**words))
        return Notice(last.format(**words), cause)


_IDLE_TEXTS = (
    IDLE,
    "nothing was typed for a while; this session ends in {left} unless something is",
    "nothing was typed for {limit}: this session ends here",
)
_DURATION_TEXTS = (
    DURATION,
    "this session ends in {left}: {limit} is the longest that one may last here",
    "this session has lasted {limit}, the longest that one may here, and ends",
)


@dataclass(slots=True)
class Guard:
    """A session's limits, and its control socket where it has one."""

    deadlines: Deadlines = field(default_factory=Deadlines)
    control: Control | None = None
    facts: Message = field(default_factory=dict)
    """What is told to the recorder when it asks."""
    traces: Traces | None = None
    records_input: bool = False
    """Of a terminal, as far as the terminal shows it."""

    def fileno(self) -> int:
        """The control socket; -1 without one."""
        return -1 if self.control is None else self.control.fileno()

    def typed(self) -> None:
        """There was input."""
        self.deadlines.typed()

    def seconds(self) -> float | None:
        """How long nothing is due; None without limits."""
        return self.deadlines.seconds()

    def due(self) -> Notice | None:
        """What a limit has to say now."""
        return self.deadlines.due()

    def heard(self) -> Notice | None:
        """Answer whoever asks on the control socket; a notice where the session is to end."""
        found: list[Notice] = []
        if self.control is not None:
            self.control.serve(lambda message: self._answer(message, found))
        return found[0] if found else None

    def _answer(self, message: Message, found: list[Notice]) -> Message:
        if message.get("end") not in _ORDERED:
            return self.facts | {"idle_s": round(self.deadlines.idle_seconds, 3)}
        found.append(_ordered(message))
        return {"ending": True}

    def belongs(self, leader: int) -> None:
        """A session (setsid) whose processes are those of this recording."""
        if self.traces is not None:
            self.traces.add_leader(leader)

    def close(self) -> None:
        """The session is over."""
        if self.control is not None:
            self.control.close()


def _ordered(message: Message) -> Notice:
    """The recorder's own words are trusted; an administrator's reason is made safe to show."""
    reason = safe(str(message.get("reason", "")), MAX_LINE)
    if message["end"] == DISK:
        return Notice("the recorder's disk is nearly full: this session ends here", DISK)
    by = message.get("by")
    name = safe(str(by.get("user", "")), 100) if isinstance(by, dict) else "the recorder"
    line = f"this session was ended by {name}: {reason}"
    return Notice(line, ENDED, by if isinstance(by, dict) else None, reason)
