"""The time that the recorder is told while a fixture is recorded."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from unittest.mock import patch

NOW_MS = int(datetime(2026, 9, 12, 15, tzinfo=UTC).timestamp() * 1000)
"""When the fixtures are looked at: 2026-09-12T15:00Z. Everything in them happened before."""
FOUNDED_MS = int(datetime(2023, 9, 1, tzinfo=UTC).timestamp() * 1000)
"""When their host keys were made."""

_TOLD = ("recorder.capture.recording", "recorder.log.notary", "recorder.store.hostkey")


class Clock:
    """Stands in for the module `time` in the rooms that tell the time in recordings and in the log."""

    gmtime = staticmethod(time.gmtime)
    strftime = staticmethod(time.strftime)

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self._start_ns = now_ms * 1_000_000
        self._passed_s = 0.0

    def set(self, now_ms: int) -> None:
        """Now it is this late, in milliseconds since 1970; the monotonic clock begins anew."""
        self._start_ns = now_ms * 1_000_000
        self._passed_s = 0.0

    def pass_to(self, seconds: float) -> None:
        """So much time has passed since `set`."""
        self._passed_s = seconds

    def monotonic(self) -> float:
        """Seconds since `set`."""
        return self._passed_s

    def time_ns(self) -> int:
        """Nanoseconds since 1970."""
        return self._start_ns + round(self._passed_s * 1e9)


@contextmanager
def told(clock: Clock) -> Iterator[None]:
    """For the block, the recorder and the notary look at this clock."""
    patches = [patch(f"{room}.time", clock) for room in _TOLD]
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()
