"""How a pump learns that the session's leader, the shell, has ended."""

import fcntl
import os
import select
import signal
import socket
import struct
from contextlib import suppress
from typing import Protocol

from recorder.capture.channel import Channel, ChannelError

_PIDFD_GET_INFO = (
    0xC040FF0B  # _IOWR(PIDFS_IOCTL_MAGIC, 11, struct pidfd_info), of which 64 bytes are asked for
)
_PIDFD_INFO_EXIT = 1 << 3
_EXIT_CODE_OFFSET = 60
_REAP_SECONDS = 2.0
"""How long the leader's own parent (sshd) may take to reap it; the kernel tells the status only then."""


class LeaderLostError(Exception):
    """Nobody is left who could tell when the leader ends."""


class Leader(Protocol):
    """The process whose end is the end of the session.

    Some parent waits for it. It must not see the end before the last bytes were passed on: it looks at the
    output then, without waiting for more.
    """

    def fileno(self) -> int:
        """Readable when `ended` has news."""

    def ended(self) -> "int | None":
        """The exit status (128 + n for a signal, -1 unknown); None while it runs. LeaderLostError."""

    def let_go(self) -> None:
        """The last bytes were passed on: its end may be seen."""


UNKNOWN_STATUS = -1
MAX_STATUS = 255


class SupervisedLeader:
    """A child of the supervisor, which sends `{"exited": status}`."""

    def __init__(self, supervisor: Channel) -> None:
        self._supervisor = supervisor

    def fileno(self) -> int:
        """The supervisor's channel."""
        return self._supervisor.fileno()

    def ended(self) -> int | None:
        """See `Leader.ended`."""
        try:
            status = self._supervisor.receive().get("exited")
        except ChannelError:
            raise LeaderLostError from None
        return status if isinstance(status, int) else None

    def let_go(self) -> None:
        """The supervisor waits for the worker itself."""


class LoginLeader:
    """The child of a login that waits for it: `sealcast-shell` says `exited`, and ends when told `done`.

    A login that is hung up on without that word kills its child: it would go on unrecorded.
    """

    def __init__(self, login: socket.socket) -> None:
        self._login = login

    def fileno(self) -> int:
        """The login's connection."""
        return self._login.fileno()

    def ended(self) -> int | None:
        """See `Leader.ended`."""
        try:
            verb, _, number = self._login.recv(64).partition(b"\0")
        except OSError:
            raise LeaderLostError from None
        if verb == b"resized":
            os.kill(os.getpid(), signal.SIGWINCH)  # as the kernel would, were the terminal ours
            return None
        if verb == b"exited" and number.isdigit():
            return min(int(number), MAX_STATUS)
        raise LeaderLostError

    def let_go(self) -> None:
        """The login ends as its child did; a child that is still there lives on, as without a recorder."""
        with suppress(OSError):
            self._login.send(b"done")
        self._login.close()


class PidfdLeader:
    """A login that became the shell: nobody's child here, one process before and after its exec."""

    def __init__(self, pidfd: int) -> None:
        self._pidfd = pidfd

    def fileno(self) -> int:
        """The pidfd, readable when the process has ended."""
        return self._pidfd

    def ended(self) -> int | None:
        """See `Leader.ended`."""
        waiter = select.poll()
        waiter.register(self._pidfd, select.POLLIN)
        if not waiter.poll(0):
            return None
        waiter.modify(self._pidfd, 0)
        waiter.poll(_REAP_SECONDS * 1000)  # POLLHUP comes when it was reaped
        return _exit_status(self._pidfd)

    def let_go(self) -> None:
        """It ended by itself: whoever waits for its output waits for the output's end."""


def _exit_status(pidfd: int) -> int:
    """From PIDFD_GET_INFO (Linux 6.15); UNKNOWN_STATUS on older kernels, and for one not reaped yet."""
    query = bytearray(struct.pack("Q", _PIDFD_INFO_EXIT).ljust(64, b"\0"))
    try:
        fcntl.ioctl(pidfd, _PIDFD_GET_INFO, query)
    except OSError:
        return UNKNOWN_STATUS
    (mask,) = struct.unpack_from("Q", query)
    if not mask & _PIDFD_INFO_EXIT:
        return UNKNOWN_STATUS
    (wait_status,) = struct.unpack_from("i", query, _EXIT_CODE_OFFSET)
    code = os.waitstatus_to_exitcode(wait_status)
    return code if code >= 0 else 128 - code
