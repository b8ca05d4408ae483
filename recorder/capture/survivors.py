"""What a session leaves running: found by what the kernel keeps of where a process came from."""

import os
import select
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from recorder.capture.channel import Message
from recorder.capture.control import ask
from recorder.capture.peer import SSHD_NAMES, Peer, audit_number, start_of

MAX_NAMED = 100
"""Processes that the log names; more are not looked for."""
_MAX_DEPTH = 64
_SCOPE = "/session-"
"""In the path of a control group that systemd-logind made for one login."""


ENDER_SOCKET = "ender.sock"
"""In the store: where somebody listens who ends what is left (`recorder.daemon.ender`)."""
ENDING_SECONDS = 10.0
"""What it may take to end all that a session left."""
_LAST_MOMENT_SECONDS = 0.5
"""How long a shell that was hung up may take to end, before it counts as left."""


@dataclass(slots=True)
class Traces:
    """What processes of one login have in common."""

    pid: int
    started: int
    """As in `Peer.started`."""
    uid: int
    leaders: dict[int, int] = field(default_factory=dict)
    """Session ids (setsid) of the login's shells, and when each shell started."""
    audit_session: int | None = None
    scope: str | None = None
    """The login's control group, where it has one of its own."""
    waits: bool = True
    """Whether the process `pid` waits for its shell; else it has become the shell."""
    ender: Path | None = None
    """That socket, where the policy has one."""

    def survivors(self) -> list[Message]:
        """Each as `pid` and `name`; and `ended`, with the signal that did it, where it was ended.

        Those that belong to another channel of the same connection are not among them.
        """
        self._wait_for_the_shell()
        found: list[Message] = []
        for pid in self.left():
            with suppress(OSError):
                found.append({"pid": pid, "name": name_of(pid)})
        if not found or self.ender is None:
            return found
        told = ask(self.ender, self.facts(), ENDING_SECONDS)
        ended = {one["pid"]: one for one in (told or {}).get("survivors", ())}
        return list(({one["pid"]: one for one in found} | ended).values())[:MAX_NAMED]

    def facts(self) -> Message:
        """As the ender is told; see `traces_from`."""
        return {
            "pid": self.pid,
            "started": self.started,
            "uid": self.uid,
            "leaders": list(self.leaders.items()),
            "audit_session": self.audit_session,
            "scope": self.scope,
            "waits": self.waits,
        }

    def left(self) -> list[int]:
        """The pids of what is left."""
        found: list[int] = []
        for pid in _processes_of(self.uid):
            with suppress(OSError, ValueError, IndexError):
                if self.is_left(pid):
                    found.append(pid)
            if len(found) == MAX_NAMED:
                break
        return found

    def is_left(self, pid: int) -> bool:
        """Whether this process came from the login, and nobody waits for it. `OSError`: it has ended."""
        if _stat(pid)[0] in {"Z", "X"} or (pid == self.pid and self.waits):
            return False
        return self.is_own(pid) or (self._is_of_login(pid) and not _is_below_sshd(pid))

    def is_own(self, pid: int) -> bool:
        """Whether it is certainly no other channel's of the same connection.

        The number of a session whose processes have all ended can be that of another one by now.
        """
        if pid == self.pid:
            return start_of(pid) == self.started
        session = _stat(pid)[2]
        return session in self.leaders and start_of(session) in {None, self.leaders[session]}

    def add_leader(self, leader: int) -> None:
        """A shell of the login, which leads a session (setsid); nothing where it has ended."""
        started = start_of(leader)
        if started is not None:
            self.leaders[leader] = started

    def is_last_channel(self) -> bool:
        """Whether the connection has no other channel now: sshd looks after nothing else of it."""
        for pid in _processes_of(self.uid):
            with suppress(OSError, ValueError, IndexError):
                is_other = pid != self.pid and name_of(pid) not in SSHD_NAMES and not self.is_own(pid)
                if is_other and self._is_of_login(pid) and _is_below_sshd(pid):
                    return False
        return True

    def _wait_for_the_shell(self) -> None:
        if self.waits:
            return
        with suppress(OSError):
            pidfd = os.pidfd_open(self.pid)
            waiter = select.poll()
            waiter.register(pidfd, select.POLLIN)
            waiter.poll(_LAST_MOMENT_SECONDS * 1000)
            os.close(pidfd)

    def _is_of_login(self, pid: int) -> bool:
        if self.audit_session is not None and audit_number(pid, "sessionid") == self.audit_session:
            return True
        return self.scope is not None and _control_group(pid) == self.scope


def traces_of(peer: Peer, *, waits: bool = True, ender: Path | None = None) -> Traces:
    """Of a login that has just asked. A login inside another session (su) shares that one's marks."""
    traces = Traces(peer.pid, peer.started, peer.uid, waits=waits, ender=ender)
    with suppress(OSError):
        group = _control_group(peer.pid)
        if os.getsid(peer.pid) == peer.pid:
            traces.leaders[peer.pid] = peer.started
            traces.audit_session = peer.audit_session
            traces.scope = group if _SCOPE in group else None
    return traces


def traces_from(facts: Message) -> Traces:
    """The inverse of `Traces.facts`. `TypeError`, `ValueError`: they are none."""
    return Traces(**facts | {"leaders": {int(leader): int(started) for leader, started in facts["leaders"]}})


def _processes_of(uid: int) -> Iterator[int]:
    """By the effective uid."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError):
                if os.stat(f"/proc/{name}").st_uid == uid:
                    yield int(name)


def uids_of(pid: int) -> set[int]:
    """Real, effective, saved and file system uid. `OSError`: it has ended."""
    for line in Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines():
        if line.startswith("Uid:"):
            return {int(number) for number in line.split()[1:]}
    raise ValueError(f"process {pid} has no uid")


def _stat(pid: int) -> tuple[str, int, int]:
    """State, parent and session; the name before them can hold anything."""
    fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    return fields[0], int(fields[1]), int(fields[3])


def name_of(pid: int) -> str:
    """As the kernel keeps it: 15 bytes of the program's own choice. `OSError`: it has ended."""
    return Path(f"/proc/{pid}/comm").read_text(errors="replace").rstrip("\n")


def _control_group(pid: int) -> str:
    return Path(f"/proc/{pid}/cgroup").read_text(errors="replace").strip()


def _is_below_sshd(pid: int) -> bool:
    """What a living sshd process still looks after is in use; what is left over has init for a parent."""
    for _ in range(_MAX_DEPTH):
        if pid <= 1:
            return False
        if name_of(pid) in SSHD_NAMES:
            return True
        _, pid, _ = _stat(pid)
    return False
