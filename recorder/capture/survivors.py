"""What a session leaves running: found by what the kernel keeps of where a process came from."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from recorder.capture.channel import Message
from recorder.capture.peer import SSHD_NAMES, Peer, audit_number

MAX_NAMED = 100
"""Processes that the log names; more are not looked for."""
_MAX_DEPTH = 64
_SCOPE = "/session-"
"""In the path of a control group that systemd-logind made for one login."""


@dataclass(slots=True)
class Traces:
    """What processes of one login have in common."""

    pid: int
    uid: int
    leaders: set[int] = field(default_factory=set)
    """Session ids (setsid) of the login's shells."""
    audit_session: int | None = None
    scope: str | None = None
    """The login's control group, where it has one of its own."""

    def survivors(self) -> list[Message]:
        """Each as `pid` and `name`. Those that belong to another channel of the same connection are not."""
        found: list[Message] = []
        for pid in _processes_of(self.uid):
            with suppress(OSError, ValueError, IndexError):
                if pid != self.pid and self._left(pid):
                    found.append({"pid": pid, "name": _name(pid)})
            if len(found) == MAX_NAMED:
                break
        return found

    def _left(self, pid: int) -> bool:
        state, _, session = _stat(pid)
        if state in {"Z", "X"}:
            return False
        return session in self.leaders or (self._is_of_login(pid) and not _is_below_sshd(pid))

    def _is_of_login(self, pid: int) -> bool:
        if self.audit_session is not None and audit_number(pid, "sessionid") == self.audit_session:
            return True
        return self.scope is not None and _control_group(pid) == self.scope


def traces_of(peer: Peer) -> Traces:
    """Of a login that has just asked. A login inside another session (su) shares that one's marks."""
    traces = Traces(peer.pid, peer.uid)
    with suppress(OSError):
        group = _control_group(peer.pid)
        if os.getsid(peer.pid) == peer.pid:
            traces.leaders.add(peer.pid)
            traces.audit_session = peer.audit_session
            traces.scope = group if _SCOPE in group else None
    return traces


def _processes_of(uid: int) -> Iterator[int]:
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError):
                if os.stat(f"/proc/{name}").st_uid == uid:
                    yield int(name)


def _stat(pid: int) -> tuple[str, int, int]:
    """State, parent and session; the name before them can hold anything."""
    fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    return fields[0], int(fields[1]), int(fields[3])


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text(errors="replace").rstrip("\n")


def _control_group(pid: int) -> str:
    return Path(f"/proc/{pid}/cgroup").read_text(errors="replace").strip()


def _is_below_sshd(pid: int) -> bool:
    """What a living sshd process still looks after is in use; what is left over has init for a parent."""
    for _ in range(_MAX_DEPTH):
        if pid <= 1:
            return False
        if _name(pid) in SSHD_NAMES:
            return True
        _, pid, _ = _stat(pid)
    return False
