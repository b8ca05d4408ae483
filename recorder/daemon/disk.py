"""The two watermarks of the store's disk: below the first nobody comes in, below the second sessions end."""

import os
from collections.abc import Callable
from pathlib import Path

from recorder.daemon.live import end_for_room, live_sessions
from recorder.log import entries
from recorder.policy.model import DiskPolicy
from recorder.policy.quantities import size_text
from recorder.store.layout import Store

_KINDS = {"": entries.DISK_RECOVERED, "low": entries.DISK_LOW, "critical": entries.DISK_CRITICAL}


class DiskWatch:
    """Compares free space with the policy. `free` gives the free bytes of a file system."""

    def __init__(self, policy: DiskPolicy, store: Path, free: Callable[[Path], int] | None = None) -> None:
        self.policy = policy
        self._store = store
        self._free = free or free_bytes
        self.state = ""
        """`low`, `critical`, or nothing."""

    def look(self) -> dict[str, object] | None:
        """Look again; the facts of an entry where the state is another one than before."""
        free = self._free(self._store)
        state = "critical" if free < self.policy.critical else "low" if free < self.policy.low else ""
        if state == self.state:
            return None
        self.state = state
        return {
            "free_bytes": free,
            "low": size_text(self.policy.low),
            "critical": size_text(self.policy.critical),
        }

    @property
    def kind(self) -> str:
        """The entry that tells of this state."""
        return _KINDS[self.state]


def free_bytes(path: Path) -> int:
    """What an unprivileged user may still write on the file system of `path`."""
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize


def end_longest_idle(store: Store) -> str | None:
    """End the session without input for the longest time; its id, None where none can be ended.

    One at a time: its user loses work, and what is freed is known only afterwards.
    """
    idle = [(facts["idle_s"], facts["id"]) for facts in live_sessions(store) if facts["idle_s"] is not None]
    for _, session in sorted(idle, reverse=True):
        if end_for_room(store, session):
            return str(session)
    return None
