"""The outer terminal: a program on a pty whose other end the benchmark reads as fast as it can."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import NoReturn, Self

from scripts.benchmarks.errors import BenchError
from scripts.benchmarks.processes import kill_marked

COLUMNS, ROWS = 120, 40
_READ_BYTES = 64 * 1024
_KEPT_BYTES = 400
"""How much of what was shown last an error repeats."""


class OuterTerminal:
    """One program on a terminal of 120×40. Everything must happen before `seconds` are over (BenchError).

    `started` and `ended` are readings of the monotonic clock in seconds. Leaving the context ends whatever
    still runs: every process that carries `mark` in its environment.
    """

    def __init__(
        self, argv: Sequence[str], environment: Mapping[str, str], mark: tuple[str, str], seconds: float
    ) -> None:
        self._argv = list(argv)
        self._mark = mark
        self._environment = dict(environment) | dict([mark])
        self._seconds = seconds
        self._last = b""
        self._status: int | None = None
        self.started = 0.0
        self.ended = 0.0

    def __enter__(self) -> Self:
        self.started = time.monotonic()
        self._deadline = self.started + self._seconds
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            self._become_program()
        self._pidfd = os.pidfd_open(self.pid)
        self._readable = select.poll()
        self._readable.register(self.fd, select.POLLIN)
        self._either = select.poll()
        self._either.register(self.fd, select.POLLIN)
        self._either.register(self._pidfd, select.POLLIN)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self.fd)
        if self._status is None:
            kill_marked(self._mark)
            os.waitpid(self.pid, 0)
        os.close(self._pidfd)

    def _become_program(self) -> NoReturn:
        try:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and exec would pass that on
            os.execvpe(self._argv[0], self._argv, self._environment)  # noqa: S606 -- what is measured
        finally:
            os._exit(127)

    def write(self, data: bytes) -> None:
        """Type `data`."""
        os.write(self.fd, data)

    def read(self) -> bytes:
        """Something that was shown; empty once nobody has the terminal open any more."""
        if not self._readable.poll(self._milliseconds()):
            self._too_slow()
        try:
            return os.read(self.fd, _READ_BYTES)
        except OSError:  # EIO: the last one has closed it
            return b""

    def read_until(self, marker: bytes) -> bytes:
        """Read past `marker`; returns what of the bytes after it came with it."""
        seen = b""
        while marker not in seen:
            data = self.read()
            if not data:
                raise BenchError(f"{self._argv[0]} ended early: {safe_tail(seen)}")
            seen = seen[-_READ_BYTES:] + data
        return seen[seen.index(marker) + len(marker) :]

    def read_exactly(self, count: int) -> bytes:
        """The next `count` bytes; BenchError when more comes with them."""
        data = b""
        while len(data) < count and (part := self.read()):
            data += part
        if len(data) != count:
            raise BenchError(f"{self._argv[0]} showed {len(data)} bytes for {count}: {safe_tail(data)}")
        return data

    def skip(self, count: int) -> bytes:
        """Read `count` bytes; returns what came with the last of them."""
        data = b""
        while count > 0:
            data = self.read()
            if not data:
                raise BenchError(f"{self._argv[0]} ended {count} bytes early: {safe_tail(self._last)}")
            count -= len(data)
            self._last = data
        return data[len(data) + count :]

    def finish(self) -> bytes:
        """Read until the program is gone; returns what it showed. BenchError unless it exits with 0."""
        parts = []
        gone = False
        while not gone:
            ready = [fd for fd, _ in self._either.poll(self._milliseconds())]
            if not ready:
                self._too_slow()
            gone = self._pidfd in ready
            self.ended = time.monotonic()
            if self.fd in ready:
                parts.append(self._read_rest() if gone else self._read_or_leave())
        _, self._status = os.waitpid(self.pid, 0)
        text = b"".join(parts)
        if self._status:
            code = os.waitstatus_to_exitcode(self._status)
            raise BenchError(f"{self._argv[0]} ended with {code}: {safe_tail(self._last + text)}")
        return text

    def _read_or_leave(self) -> bytes:
        try:
            return os.read(self.fd, _READ_BYTES)
        except OSError:  # nobody has it open: only the program's end is waited for now
            self._either.unregister(self.fd)
            return b""

    def _read_rest(self) -> bytes:
        parts = []
        while self._readable.poll(0):
            try:
                parts.append(os.read(self.fd, _READ_BYTES))
            except OSError:
                break
        return b"".join(parts)

    def _milliseconds(self) -> float:
        return max(0.0, self._deadline - time.monotonic()) * 1000

    def _too_slow(self) -> NoReturn:
        raise BenchError(f"{self._argv[0]} took more than {self._seconds:.0f} s: {safe_tail(self._last)}")


def safe_tail(data: bytes) -> str:
    """The end of terminal output for an error message, without control characters."""
    return repr(data[-_KEPT_BYTES:].decode("utf-8", "replace"))
