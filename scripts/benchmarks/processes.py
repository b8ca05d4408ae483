"""Processes as /proc shows them: whose they are, what memory they hold, and how they are ended."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_STATE, _SESSION = 0, 3
"""In /proc/PID/stat after the name: state, parent, group, session (proc_pid_stat(5))."""
_SWEEPS = 20


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir(_PROC) if name.isdigit())


def session_of(pid: int) -> int | None:
    """The session (setsid) of a process; None when it is gone, reaped or not."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[_STATE] in {"Z", "X"} else int(fields[_SESSION])


def members(session: int) -> list[int]:
    """The processes of one session.

    What a recorder records has a session and a terminal of its own: these are the recorder's processes.
    """
    return [pid for pid in _pids() if session_of(pid) == session]


def proportional_memory(pid: int) -> int:
    """PSS in bytes: private pages, and each shared page's share. OSError when the process is gone."""
    for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def kill_marked(mark: tuple[str, str]) -> None:
    """SIGKILL for every process that has `mark` (name and value) in its environment."""
    wanted = "=".join(mark).encode()
    for _ in range(_SWEEPS):  # one may have been started behind our back
        found = [pid for pid in _pids() if wanted in _environment(pid)]
        if not found:
            return
        for pid in found:
            _kill(pid)


def _environment(pid: int) -> list[bytes]:
    try:
        return (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:  # gone, or another user's
        return []


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
