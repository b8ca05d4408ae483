"""A busy machine: processes that only spin."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """Have `count` processes spin while the context lasts."""
    pids: list[int] = []
    try:
        for _ in range(count):
            pid = os.fork()
            if pid == 0:
                _spin(os.getppid())
            pids.append(pid)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _spin(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        while os.getppid() == parent:  # a benchmark that was killed leaves nobody spinning
            sum(range(1_000_000))
    finally:
        os._exit(0)
