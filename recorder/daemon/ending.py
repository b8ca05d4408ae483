"""Ending what a session left running: first asked, then killed, each process by a descriptor of its own.

A pid can name another process by the time that a signal is sent. So a pidfd is opened first, then the
process is looked at, then the pidfd must still be that of a living process: what was seen is what it names.
"""

import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from recorder.capture.channel import Message
from recorder.capture.survivors import MAX_NAMED, Traces, name_of, uids_of

GRACE_SECONDS = 2.0
"""From the hang-up to the kill."""
PATIENCE_SECONDS = 6.0
"""From the hang-up to when it is given up: what starts new processes faster than that may stay."""
_LOOK_SECONDS = 0.1


@dataclass(slots=True)
class Target:
    """One process. `by` is the signal after which it was found ended."""

    pidfd: int
    name: str
    by: str | None = None

    def send(self, *numbers: signal.Signals) -> None:
        """Signal exactly this process; one that has ended needs none."""
        for number in numbers:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, number)


def end_survivors(traces: Traces) -> list[Message]:
    """End all that is left of a login; each as `pid`, `name` and, where it ended, `ended` with the signal.

    `OSError` where this process may not signal those of others.
    """
    targets: dict[int, Target] = {}
    started = time.monotonic()
    try:
        _end(traces, targets, started)
        return [_told(pid, target) for pid, target in targets.items()][:MAX_NAMED]
    finally:
        for target in targets.values():
            os.close(target.pidfd)


def _end(traces: Traces, targets: dict[int, Target], started: float) -> None:
    for target in _new(traces, targets):
        target.send(signal.SIGHUP, signal.SIGCONT)
    _wait(targets, started + GRACE_SECONDS, "HUP")
    while time.monotonic() < started + PATIENCE_SECONDS:
        list(_new(traces, targets))
        alive = [target for target in targets.values() if target.by is None]
        if not alive:
            return
        for target in alive:
            target.send(signal.SIGKILL)
        _wait(targets, time.monotonic() + _LOOK_SECONDS, "KILL")


def _new(traces: Traces, targets: dict[int, Target]) -> Iterator[Target]:
    """What is there now and was not seen before; of other channels' connection only where there are none."""
    found = traces.left()
    is_last = traces.is_last_channel()
    for pid in found:
        known = targets.get(pid)
        if known is not None and known.by is None:
            continue
        target = _open(traces, pid, is_last=is_last)
        if target is not None:
            if known is not None:
                os.close(known.pidfd)
            targets[pid] = target
            yield target


def _open(traces: Traces, pid: int, *, is_last: bool) -> Target | None:
    """The process, where it is the session's and wholly its user's; None for any other."""
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:
        return None
    with suppress(OSError, ValueError, IndexError):
        mine = traces.is_left(pid) and uids_of(pid) == {traces.uid}
        target = Target(pidfd, name_of(pid))
        if mine and (is_last or traces.is_own(pid)) and not _has_ended(pidfd, 0.0):
            return target
    os.close(pidfd)
    return None


def _wait(targets: dict[int, Target], until: float, by: str) -> None:
    for target in targets.values():
        if target.by is None and _has_ended(target.pidfd, max(0.0, until - time.monotonic())):
            target.by = by


def _has_ended(pidfd: int, seconds: float) -> bool:
    waiter = select.poll()
    waiter.register(pidfd, select.POLLIN)
    return bool(waiter.poll(seconds * 1000))


def _told(pid: int, target: Target) -> Message:
    found = {"pid": pid, "name": target.name}
    return found if target.by is None else found | {"ended": target.by}
