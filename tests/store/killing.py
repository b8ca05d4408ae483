"""Runs an action in a process of its own that is killed at the n-th file operation in a store."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

_OPERATIONS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.listdir", "fcntl.flock"}


def killed_everywhere(
    action: Callable[[Path], object], fresh: Callable[[int], Path], step: int = 1
) -> Iterator[Path]:
    """Stores after `action` was killed at each of its file operations; the last one was not killed.

    `fresh` makes the store for each run.
    """
    for moment in count(1, step):
        root = fresh(moment)
        finished = _run(action, root, moment)
        yield root
        if finished:
            return


def _run(action: Callable[[Path], object], root: Path, moment: int) -> bool:
    pid = os.fork()
    if pid == 0:
        _kill_at(moment)
        try:
            action(root)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status in {0, -signal.SIGKILL}
    return status == 0


def _kill_at(moment: int) -> None:
    seen = count(1)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in _OPERATIONS and not str(arguments[0]).endswith(".py") and next(seen) == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
