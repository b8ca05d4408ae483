"""The recorder's side of the hand-over: what a worker does with the descriptors of a login."""

import fcntl
import os
import select
import signal
import socket
import struct
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from recorder.capture.guard import Guard
from recorder.capture.leader import Leader, LoginLeader, PidfdLeader
from recorder.capture.pump import Ending, TerminalPump, restore
from recorder.capture.recording import Recording, RecordingError
from recorder.capture.stream_plan import StreamPlan
from recorder.capture.streams import StreamPump
from recorder.capture.terminal import Modes, set_raw
from recorder.capture.typed import MAX_TYPED, hand_on, typed_bytes
from recorder.errors import ExitCode, SealcastError

PATIENCE_SECONDS = 30.0
_TIOCGPTPEER = 0x5441
_TIOCGPTN = 0x80045430
_TIOCEXCL = 0x540C
_TIOCNXCL = 0x540D


@dataclass(frozen=True, slots=True)
class RemoteTerminal:
    """A login with a terminal: the client's connection, its terminal and its new pty's master."""

    client: socket.socket
    user: int
    master: int
    guarded: Callable[[str], Guard]
    """The guard of the session with this id."""
    orders: bytes = b""
    """How the login is to start its shell, behind the session id in the answer."""

    def pump(self, recording: Recording, session: str) -> Ending:
        """Take the terminal over, and pump."""
        slave = fcntl.ioctl(self.master, _TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        send(self.client, f"admitted\0{session}".encode() + self.orders)
        typed = hear(self.client, b"released")
        modes = termios.tcgetattr(slave)  # the login copied them, and made the terminal raw
        os.setsid()
        leader = LoginLeader(self.client)
        guard = self.guarded(session)
        try:
            with _taken_over(self.user):
                set_raw(self.user, modes)
                hand_on(typed_bytes(typed, modes), (self.master, slave), recording, modes)
                tell(self.client, "go")
                ending = self._pump(recording, slave, leader, modes, guard)
        finally:
            guard.close()
        if ending.notice is None:
            leader.let_go()  # after the terminal: the login's parent may use that at once
        else:
            self.client.close()  # without that word: the login sees to it that its shell ends
        return ending

    def _pump(
        self, recording: Recording, slave: int, leader: LoginLeader, modes: Modes, guard: Guard
    ) -> Ending:
        try:
            return TerminalPump(self.user, (self.master, slave), recording, leader, modes, guard).run()
        except RecordingError as error:
            os.write(self.user, f"\r\nsealcast: {error.message}\r\n".encode())
            self.client.close()
            raise
        finally:
            restore(self.user, modes)


@dataclass(frozen=True, slots=True)
class RemoteStreams:
    """A login without a terminal: its three streams, and its three new pipes.

    `pidfd` is that of a login that becomes the shell, None for one that waits for it.
    """

    client: socket.socket
    pidfd: int | None
    user: tuple[int, int, int]
    pipes: tuple[int, int, int]
    plan: StreamPlan
    guarded: Callable[[str], Guard]

    def pump(self, recording: Recording, session: str) -> Ending:
        """Pump the three streams."""
        guard = self.guarded(session)
        try:
            ending = self._hand_over(recording, session, guard)
        finally:
            guard.close()
        if ending.notice is not None and self.pidfd is not None:
            with suppress(OSError):  # EPERM without CAP_KILL: its streams are closed, and it is named
                signal.pidfd_send_signal(self.pidfd, signal.SIGHUP)
        return ending

    def _hand_over(self, recording: Recording, session: str, guard: Guard) -> Ending:
        send(self.client, f"admitted\0{session}".encode() + self.plan.orders())
        tell(self.client, "go")
        if self.pidfd is None:
            return self._pump(recording, LoginLeader(self.client), guard)
        self.client.close()
        return self._pump(recording, PidfdLeader(self.pidfd), guard)

    def _pump(self, recording: Recording, leader: Leader, guard: Guard) -> Ending:
        return StreamPump(self.user, self.pipes, recording, leader, self.plan, guard).run()


@contextmanager
def _taken_over(terminal: int) -> Iterator[None]:
    """The terminal refuses to be opened again while it is shown: all that reaches it is recorded.

    Its user owns it, and could write on it past the recorder otherwise (EBUSY without CAP_SYS_ADMIN).
    """
    with suppress(
        OSError
    ):  # EPERM after su: it is still that of a session outside, whose login says `resized`
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    os.set_blocking(terminal, False)
    fcntl.ioctl(terminal, _TIOCEXCL)
    try:
        yield
    finally:
        os.set_blocking(terminal, True)  # it belongs to the open file, which others hold after su
        for step in (_TIOCNXCL, termios.TIOCNOTTY):
            try:
                fcntl.ioctl(terminal, step)
            except OSError:  # the terminal is gone
                continue
        os.close(terminal)


def pty_number(master: int) -> int:
    """The N of /dev/pts/N behind a pty master; OSError for any other descriptor."""
    (number,) = struct.unpack("i", fcntl.ioctl(master, _TIOCGPTN, bytes(4)))
    return int(number)


def tell(client: socket.socket, text: str) -> None:
    """One packet to the login; its end is noticed when it is heard."""
    send(client, text.encode("utf-8", "replace"))


def send(client: socket.socket, packet: bytes) -> None:
    """As `tell`, for bytes."""
    with suppress(OSError):
        client.send(packet)


def hear(client: socket.socket, expected: bytes) -> bytes:
    """Wait for this word and return what follows it; SealcastError for anything else, or nothing in time."""
    waiter = select.poll()
    waiter.register(client, select.POLLIN)
    if waiter.poll(PATIENCE_SECONDS * 1000):
        word, _, rest = client.recv(len(expected) + 1 + MAX_TYPED).partition(b"\0")
        if word == expected:
            return rest
    raise SealcastError("the login ended before its terminal was handed over", code=ExitCode.RECORDING)
