"""Signals as readable bytes, so that one poll waits for everything."""

import os
import signal
from collections.abc import Iterable
from types import FrameType
from typing import Self


class SignalPipe:
    """Turns the given signals into bytes on a descriptor; each byte is a signal number."""

    def __init__(self, numbers: Iterable[signal.Signals]) -> None:
        self._numbers = tuple(numbers)
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def __enter__(self) -> Self:
        self._old_wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        self._old_handlers = {number: signal.signal(number, _noticed) for number in self._numbers}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_wakeup)
        os.close(self._read)
        os.close(self._write)

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self._read

    def take(self) -> set[int]:
        """The signals that came since the last call."""
        try:
            return set(os.read(self._read, 4096))
        except BlockingIOError:
            return set()


def _noticed(number: int, frame: FrameType | None) -> None:
    """Nothing to do: a handler must be set for the wake-up descriptor to be written."""
