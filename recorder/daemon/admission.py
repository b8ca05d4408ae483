"""Whether a login may start: what the policy says, how much the user has already, and room on the disk."""

import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from recorder.capture.peer import Peer
from recorder.capture.request import Request
from recorder.daemon.disk import free_bytes
from recorder.policy.model import Noninteractive, OnFailure, Policy

_MINUTE = 60.0


class Verdict(StrEnum):
    """What becomes of a login."""

    RECORD = "record"
    REFUSE = "refuse"
    ALLOW = "allow"
    """Without a record."""


class Decision(NamedTuple):
    """A verdict; `reason` is a sentence for the user who is refused."""

    verdict: Verdict
    reason: str = ""


class Admission:
    """Decides login by login. `clock` is monotonic, in seconds; `free` gives the store's free bytes."""

    def __init__(
        self,
        policy: Policy,
        store: Path,
        clock: Callable[[], float] = time.monotonic,
        free: Callable[[Path], int] | None = None,
    ) -> None:
        self.policy = policy
        self._store = store
        self._clock = clock
        self._free = free or free_bytes
        self._recent: dict[int, deque[float]] = {}

    def decide(self, peer: Peer, request: Request, open_sessions: int) -> Decision:
        """`open_sessions` is how many the same user has open now."""
        mode = self.policy.noninteractive.mode
        if not request.with_terminal and mode is Noninteractive.REFUSE:
            return Decision(Verdict.REFUSE, "this host takes interactive logins only")
        refusal = self._limit(peer, open_sessions)
        if refusal is not None:
            return Decision(Verdict.REFUSE, refusal)
        if not request.with_terminal and mode is Noninteractive.ALLOW:
            return Decision(Verdict.ALLOW)
        closed = self.policy.recording.on_failure is OnFailure.CLOSED
        if closed and self._free(self._store) < self.policy.disk.low:
            return Decision(Verdict.REFUSE, "the recorder's disk is nearly full")
        return Decision(Verdict.RECORD)

    def _limit(self, peer: Peer, open_sessions: int) -> str | None:
        limit = self.policy.limits.sessions_per_user
        if limit and open_sessions >= limit:
            return f"{peer.user} has as many sessions open as this host allows: {limit}"
        if self._too_many_new(peer.uid):
            return f"{peer.user} started too many sessions in the last minute"
        return None

    def _too_many_new(self, uid: int) -> bool:
        """Counts this login in the user's last minute, unless it is one too many."""
        limit = self.policy.limits.new_sessions_per_minute
        now = self._clock()
        recent = self._recent.setdefault(uid, deque())
        while recent and recent[0] <= now - _MINUTE:
            recent.popleft()
        if limit and len(recent) >= limit:
            return True
        recent.append(now)
        return False
