"""Whether a login may start: what the policy says, how much the user has already, and room on the disk."""

import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from recorder.capture.peer import Peer
from recorder.capture.request import Request
from recorder.policy.model import Noninteractive, OnFailure, Policy

_MINUTE = 60.0


class Admission:
    """Decides login by login. `clock` is monotonic, in seconds; `free` gives the store's free bytes."""

    def __init__(
        self,
        policy: Policy,
        store: Path,
        clock: Callable[[], float] = time.monotonic,
        free: Callable[[Path], int] | None = None,
    ) -> None:
        self._policy = policy
        self._store = store
        self._clock = clock
        self._free = free or free_bytes
        self._recent: dict[int, deque[float]] = {}

    def refusal(self, peer: Peer, request: Request, open_sessions: int) -> str | None:
        """The sentence for the user who is refused, None for one who may start.

        `open_sessions` is how many the same user has open now.
        """
        if not request.with_terminal and self._policy.noninteractive.mode is Noninteractive.REFUSE:
            return "this host takes interactive logins only"
        limit = self._policy.limits.sessions_per_user
        if limit and open_sessions >= limit:
            return f"{peer.user} has {open_sessions} sessions open, which is the limit here"
        if self._too_many_new(peer.uid):
            return f"{peer.user} started too many sessions in the last minute"
        if self._free(self._store) < self._policy.disk.low:
            return "the recorder's disk is nearly full"
        return None

    def _too_many_new(self, uid: int) -> bool:
        """Counts this login in the user's last minute, unless it is one too many."""
        limit = self._policy.limits.new_sessions_per_minute
        now = self._clock()
        recent = self._recent.setdefault(uid, deque())
        while recent and recent[0] <= now - _MINUTE:
            recent.popleft()
        if limit and len(recent) >= limit:
            return True
        recent.append(now)
        return False


def free_bytes(path: Path) -> int:
    """What an unprivileged user may still write on the file system of `path`."""
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize


def unenforced(policy: Policy) -> list[str]:
    """The settings of this policy that the daemon does not carry out: better refused than believed."""
    asked = {
        "recording.input = true": policy.recording.input,
        'recording.on_failure = "open"': policy.recording.on_failure is not OnFailure.CLOSED,
        'noninteractive.mode = "allow"': policy.noninteractive.mode is Noninteractive.ALLOW,
        "break_glass.users": bool(policy.break_glass.users),
    }
    return [name for name, wanted in asked.items() if wanted]
