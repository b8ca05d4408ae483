"""The process that reads SFTP for its meaning: what is hostile is read where there is nothing to take.

It is forked before the session's key is made, holds two pipes and can open nothing more. It gets a copy of
what passes. What it says is text to record, and nothing else depends on it.
"""

import os
import resource
import select
import signal
import struct
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from recorder.capture.flow import enlarge
from recorder.capture.sftp import Fact, NotSftpError, SftpObserver

_FRAME = struct.Struct("<BI")
"""Direction (0 from the client, 1 from the server) and length of the chunk that follows."""
_PROBLEM, _FACT = b"!", b" "
_PATIENCE_SECONDS = 10.0
"""How long it may take no byte before it counts as lost."""
_LAST_WORDS_SECONDS = 5.0
_MAX_MEMORY = 64 * 2**20
_MAX_LINE = 64 * 1024
_CHUNK = 256 * 1024
LOST = '{"problem":"the process that follows this transfer was lost"}'


@dataclass(slots=True)
class Observer:
    """The worker's end. `broken` once what passes is not followed any more."""

    pid: int
    feed: int
    news: int
    broken: bool = False
    _lines: list[bytes] = field(default_factory=list)
    _rest: bytes = b""

    def fileno(self) -> int:
        """Readable when there is news; -1 when there will be none."""
        return self.news

    def client(self, data: memoryview) -> None:
        """A copy of what the client sent."""
        self._send(0, data)

    def server(self, data: memoryview) -> None:
        """A copy of what the server answered."""
        self._send(1, data)

    def lines(self) -> list[str]:
        """The facts that have arrived: JSON, as it came."""
        while self._read():
            pass
        return self._take()

    def finish(self) -> list[str]:
        """Both sides have ended; the last facts."""
        self._close_feed()
        while self.news >= 0:
            if not _is_ready(self.news, select.POLLIN, _LAST_WORDS_SECONDS):
                self._lose()
            self._read()
        return self._take()

    def _send(self, direction: int, data: memoryview) -> None:
        """Whole, or the observer is lost: what it says meanwhile is taken, so that neither waits for ever."""
        rest = [memoryview(_FRAME.pack(direction, len(data))), data]
        while rest and self.feed >= 0:
            try:
                rest = _behind(rest, os.writev(self.feed, rest))
            except BlockingIOError:
                if not _is_ready(self.feed, select.POLLOUT, _PATIENCE_SECONDS, self.news):
                    self._lose()
                self._read()
            except OSError:
                self._close_feed()

    def _read(self) -> bool:
        if self.news < 0:
            return False
        try:
            data = os.read(self.news, _CHUNK)
        except BlockingIOError:
            return False
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._lines += lines
        if len(self._rest) > _MAX_LINE:
            self._lose()
        elif not data:
            self._end()
        return bool(data)

    def _take(self) -> list[str]:
        lines, self._lines = self._lines, []
        self.broken = self.broken or any(line.startswith(_PROBLEM) for line in lines)
        return [line[1:].decode("utf-8", "replace") for line in lines]

    def _lose(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self._end()

    def _end(self) -> None:
        """It has ended: with status 0 all was said, else the record must say that something is missing."""
        os.close(self.news)
        self.news = -1
        self._close_feed()
        if os.waitpid(self.pid, 0)[1] != 0:
            self._lines.append(_PROBLEM + LOST.encode())

    def _close_feed(self) -> None:
        if self.feed >= 0:
            os.close(self.feed)
            self.feed = -1


def _behind(parts: list[memoryview], size: int) -> list[memoryview]:
    """What is left of them after their first `size` bytes."""
    while parts and size >= len(parts[0]):
        size -= len(parts.pop(0))
    return [parts[0][size:], *parts[1:]] if parts else []


def start_observer() -> Observer:
    """Fork it. To be called where no key is in memory yet."""
    copy_read, copy_write = os.pipe()
    news_read, news_write = os.pipe()
    enlarge(copy_write, news_write)
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            _confine(copy_read, news_write)
            _observe()
            status = 0
        finally:
            os._exit(status)
    os.close(copy_read)
    os.close(news_write)
    os.set_blocking(copy_write, False)
    os.set_blocking(news_read, False)
    return Observer(pid, copy_write, news_read)


def _confine(copy: int, news: int) -> None:
    """Descriptors 0 and 1 only, and no way to get another, to fork, or to write a file."""
    os.dup2(copy, 0)
    os.dup2(news, 1)
    os.closerange(2, 1024 * 1024)
    used = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    limits = {
        resource.RLIMIT_AS: used + _MAX_MEMORY,
        resource.RLIMIT_NOFILE: 2,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for limit, value in limits.items():
        resource.setrlimit(limit, (value, value))
    for number in (signal.SIGPIPE, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _observe() -> None:
    """Until end of file, or until what passes is not understood: then the rest is read and ignored."""
    observer = SftpObserver(_tell)
    buffer = bytearray(_CHUNK)
    take = (observer.client, observer.server)
    try:
        while _fill(memoryview(buffer)[: _FRAME.size]):
            direction, length = _FRAME.unpack_from(buffer)
            view = memoryview(buffer)[:length]
            if not _fill(view):
                return
            take[direction](view)
        observer.end()
    except NotSftpError as error:
        observer.end()
        _say(_PROBLEM, {"problem": f"not followed any further: {error}"})
        while os.readv(0, [buffer]):
            pass


def _fill(view: memoryview) -> bool:
    at = 0
    while at < len(view):
        size = os.readv(0, [view[at:]])
        if not size:
            return False
        at += size
    return True


def _tell(fact: Fact) -> None:
    _say(_FACT, fact)


def _say(mark: bytes, fact: Fact) -> None:
    line = memoryview(mark + orjson.dumps(fact) + b"\n")
    while line:
        line = line[os.write(1, line) :]


def _is_ready(fd: int, event: int, seconds: float, other: int = -1) -> bool:
    """Whether `fd` is ready, or there is something to read from `other`, within that time."""
    waiter = select.poll()
    waiter.register(fd, event)
    if other >= 0:
        waiter.register(other, select.POLLIN)
    return bool(waiter.poll(seconds * 1000))
