"""One direction of a session without a terminal: a chunk is read, recorded, and passed on whole."""

import errno
import fcntl
import os
import select
import socket
import stat
from collections.abc import Callable
from contextlib import suppress

CHUNK = 128 * 1024
PIPE_SIZE = 256 * 1024
"""Of both ends once much has passed: with the kernel's default of 64 KiB they wait for each other."""
MUCH = 1024 * 1024
_F_SETPIPE_SZ = 1031
_READER_GONE = {errno.EPIPE, errno.ECONNRESET}
_NOT_THIS_WAY = {errno.EOPNOTSUPP, errno.EINVAL, errno.ESPIPE, errno.ENOSYS}
_GONE = select.POLLERR | select.POLLHUP | select.POLLNVAL

Observe = Callable[[memoryview], None]
"""Called with every chunk before it is passed on."""


class Flow:
    """Bytes read from `source` wait until `sink` takes them; nothing more is read meanwhile.

    Both descriptors stay blocking where other processes may share them: see `_write`.
    """

    def __init__(self, source: int, sink: int, take: Observe) -> None:
        self.source = source
        self.sink = sink
        self.ended = False
        self.closed = False
        self.refused = 0
        """Why the sink took no more, where that is not that its reader went away."""
        self._take = take
        self._buffer = bytearray(CHUNK)
        self._passed = 0
        self._pending = memoryview(b"")
        self._write = _writer(sink)

    @property
    def waits(self) -> bool:
        """Whether bytes that were read have not been passed on yet."""
        return len(self._pending) > 0

    def wishes(self, watch: Callable[[int, int], None]) -> None:
        """Tell what this flow waits for; for the sink at least that its reader goes away."""
        if not self.closed:
            watch(self.sink, select.POLLOUT if self._pending else 0)
            if not self.ended and not self._pending:
                watch(self.source, select.POLLIN)

    def move(self, ready: dict[int, int]) -> int:
        """Do what poll allows; returns how many bytes were read."""
        if self.closed:
            return 0
        size = 0
        sink = ready.get(self.sink, 0)
        if self._pending and sink & select.POLLOUT:
            self._pass_on()
        elif sink & _GONE and not sink & select.POLLOUT:
            self.close()
        if not self.closed and not self.ended and not self._pending and ready.get(self.source, 0):
            size = self._read()
        if self.ended and not self._pending:
            self.close()
        return size

    def _read(self) -> int:
        try:
            size = os.readv(self.source, [self._buffer])
        except BlockingIOError:  # somebody else took it
            return 0
        except OSError:
            size = 0
        if not size:
            self.ended = True
            return 0
        self._passed += size
        if size > self._passed - MUCH >= 0:
            enlarge(self.source, self.sink)
        self._pending = memoryview(self._buffer)[:size]
        self._take(self._pending)
        self._pass_on()
        return size

    def _pass_on(self) -> None:
        try:
            self._pending = self._pending[self._write(self._pending) :]
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno not in _READER_GONE:
                self.refused = error.errno or errno.EIO
            self.close()

    def add(self, line: bytes) -> None:
        """Pass on a line of our own; it is left out where the reader is slow or gone."""
        if not self.closed and not self._pending:
            with suppress(OSError):
                self._write(memoryview(line))

    def close(self) -> None:
        """Close both ends: the writer gets SIGPIPE, the reader end of file, as without a recorder."""
        if not self.closed:
            self.closed = self.ended = True
            self._pending = memoryview(b"")
            os.close(self.source)
            os.close(self.sink)


def enlarge(*pipes: int) -> None:
    """Ask for larger pipes; what is no pipe stays as it is, and the kernel may refuse.

    Only where it pays: their pages count for the user who made them (pipe(7), pipe-user-pages-soft).
    """
    for fd in pipes:
        with suppress(OSError):
            fcntl.fcntl(fd, _F_SETPIPE_SZ, PIPE_SIZE)


def _writer(sink: int) -> Callable[[memoryview], int]:
    """How to write to `sink` without waiting, though its open file is blocking for all who share it."""
    mode = os.fstat(sink).st_mode
    if stat.S_ISSOCK(mode):
        return lambda data: _send(sink, data)
    if stat.S_ISFIFO(mode):
        return _PipeWriter(sink).write
    if stat.S_ISREG(mode):
        return lambda data: os.write(sink, data)
    return lambda data: os.write(sink, data[: select.PIPE_BUF])


def _send(sink: int, data: memoryview) -> int:
    peer = socket.socket(fileno=sink)
    try:
        return peer.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
    finally:
        peer.detach()


class _PipeWriter:
    """Writes with RWF_NOWAIT (Linux 6.4), else what pipe(7) promises not to block once poll saw room."""

    def __init__(self, sink: int) -> None:
        self._sink = sink
        self._with_flag = True

    def write(self, data: memoryview) -> int:
        if self._with_flag:
            try:
                return os.pwritev(self._sink, [data], -1, os.RWF_NOWAIT)
            except OSError as error:
                if error.errno not in _NOT_THIS_WAY:
                    raise
                self._with_flag = False
        return self._write_a_page(data)

    def _write_a_page(self, data: memoryview) -> int:
        waiter = select.poll()
        waiter.register(self._sink, select.POLLOUT)
        if not waiter.poll(0):
            raise BlockingIOError
        return os.write(self._sink, data[: select.PIPE_BUF])
