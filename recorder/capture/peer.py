"""Who is at the other end of the socket, from the kernel and from sshd's own processes."""

import os
import pwd
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

_CREDENTIALS = struct.Struct("3i")
SSHD_NAMES = {"sshd", "sshd-session"}
"""The names of sshd's processes, before and since OpenSSH 9.8."""
PTS_MAJOR = 136
"""Of /dev/pts/N; the minor number is N (Unix98 ptys, Linux devices.txt)."""
_NOBODY = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Peer:
    """A process that asks to be recorded."""

    pid: int
    uid: int
    gid: int
    user: str
    started: int
    """Start time in clock ticks since boot: with the pid it names one process for ever."""
    origin: str
    """`sshd` where sshd's own process is its parent, else `local`."""
    login_uid: int | None
    audit_session: int | None


class PeerGoneError(Exception):
    """The process ended before it could be looked at."""


def identify(connection: socket.socket) -> Peer:
    """The peer of a Unix socket. Nothing here comes from the peer's own words."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, gid = _CREDENTIALS.unpack(raw)
    try:
        parent, started = _parent_and_start(pid)
        return Peer(
            pid=pid,
            uid=uid,
            gid=gid,
            user=user_name(uid),
            started=started,
            origin="sshd" if _is_sshd_for(parent) else "local",
            login_uid=audit_number(pid, "loginuid"),
            audit_session=audit_number(pid, "sessionid"),
        )
    except (OSError, ValueError, IndexError) as error:
        raise PeerGoneError from error


def user_name(uid: int) -> str:
    """The account's name, or the number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _is_sshd_for(pid: int) -> bool:
    """Whether this is sshd's process for one login.

    It runs as the user, who can give any program that name; but only sshd itself, as root, is the parent
    of such a process, and a user cannot become the child of a root process.
    """
    if pid == 0:  # outside this pid namespace: whoever entered a container
        return False
    if _name(pid) not in SSHD_NAMES:
        return False
    if _real_uid(pid) == 0:
        return True
    parent, _ = _parent_and_start(pid)
    return parent > 1 and _name(parent) in SSHD_NAMES and _real_uid(parent) == 0


def _parent_and_start(pid: int) -> tuple[int, int]:
    """From /proc/PID/stat; the name in it can hold anything, so the fields are counted from its end."""
    fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    return int(fields[1]), int(fields[19])


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()


def _real_uid(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines():
        if line.startswith("Uid:"):
            return int(line.split()[1])
    raise ValueError(f"process {pid} has no uid")


def audit_number(pid: int, name: str) -> int | None:
    """`loginuid` or `sessionid` of a process, as the kernel's audit knows them; None where it does not."""
    try:
        number = int(Path(f"/proc/{pid}/{name}").read_text())
    except (OSError, ValueError):
        return None
    return None if number == _NOBODY else number


def start_of(pid: int) -> int | None:
    """When a process started, as in `Peer.started`; None where there is none."""
    try:
        return _parent_and_start(pid)[1]
    except (OSError, ValueError, IndexError):
        return None


def controlling_terminal(pid: int) -> int:
    """The N of the /dev/pts/N that is this process's own; -1 for another terminal, or none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        device = int(fields[4])
    except (OSError, ValueError, IndexError):
        return -1
    return os.minor(device) if os.major(device) == PTS_MAJOR else -1


def open_pidfd(peer: Peer) -> int:
    """A pidfd of exactly this process: PeerGoneError where its pid now names another one."""
    try:
        pidfd = os.pidfd_open(peer.pid)
    except OSError as error:
        raise PeerGoneError from error
    try:
        if _parent_and_start(peer.pid)[1] == peer.started:
            return pidfd
    except (OSError, ValueError, IndexError):
        pass
    os.close(pidfd)
    raise PeerGoneError
