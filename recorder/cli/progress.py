"""Progress of long work: on stderr, where that is a terminal, and only once half a second has passed."""

import sys
import time
from types import TracebackType
from typing import Self

from recorder.cli import output
from recorder.cli.settings import Settings

_QUIET_S = 0.5
_INTERVAL_S = 0.1
_CLEAR = "\r\x1b[K"


class Progress:
    """One line that is rewritten: `verifying 48 of 214 (22 %, about 3m left)`. Gone when the work is done.

    Without a terminal nothing is shown, or with -v one line per tenth of the work.
    """

    def __init__(self, verb: str, total: int, settings: Settings, *, unit: str = "") -> None:
        """`total` in whatever is counted, 0 where it is not known; unit `bytes` shows sizes."""
        self._verb = verb
        self._total = total
        self._bytes = unit == "bytes"
        self._shows = settings.verbosity >= 0 and sys.stderr.isatty()
        self._lines = settings.verbosity >= 1 and not sys.stderr.isatty()
        self._begun = time.monotonic()
        self._next = self._begun + _QUIET_S
        self._tenth = 0
        self._drawn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def clear(self) -> None:
        """Takes the line away; the next update draws it again."""
        if self._drawn:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()
            self._drawn = False

    def update(self, done: int) -> None:
        """`done` of the total is finished."""
        if self._lines and self._tenth < done * 10 // (self._total or done + 1) < 10:
            self._tenth = done * 10 // self._total
            sys.stderr.write(f"sealcast: {self._text(done, time.monotonic())}\n")
        now = time.monotonic()
        if not self._shows or now < self._next:
            return
        self._next = now + _INTERVAL_S
        sys.stderr.write(f"{_CLEAR}  {self._text(done, now)}")
        sys.stderr.flush()
        self._drawn = True

    def _text(self, done: int, now: float) -> str:
        if not self._total:
            return f"{self._verb} {self._amount(done)}"
        share = min(1.0, done / self._total)
        left = (now - self._begun) * (1 - share) / share if share else 0.0
        about = f"{share:.0%}, about {output.length(round(left) + 10.0 if left > 10 else left)} left"
        return f"{self._verb} {self._amount(done)} of {self._amount(self._total)} ({about})"

    def _amount(self, count: int) -> str:
        return output.size(count) if self._bytes else f"{count:,}"
