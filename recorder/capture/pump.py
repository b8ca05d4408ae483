"""The pump between the user's terminal and the pty of the recorded session.

Every byte is appended to the record before it is written to the user's terminal. Both directions
are non-blocking with bounded buffers: reading from the pty goes on while the terminal drains.
"""

import fcntl
import os
import select
import signal
import struct
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from recorder.capture.guard import DISK, DURATION, ENDED, IDLE, Guard, Notice
from recorder.capture.keystrokes import Keystrokes
from recorder.capture.leader import UNKNOWN_STATUS, Leader, LeaderLostError
from recorder.capture.recording import Recording
from recorder.capture.signals import SignalPipe
from recorder.capture.terminal import Modes, copy_window_size, echo_state, player_size, set_raw
from recorder.cast import events

READ_SIZE = 64 * 1024
FULL_READ = 2048
"""A read that gives less than this has emptied the pty, as good as always."""
MAX_BATCH = 64 * 1024
"""Bytes of output in one event at most, while more waits to be read."""
MAX_PENDING = 256 * 1024
"""Bytes that may wait for the user's terminal before reading from the pty stops."""
MAX_DRAIN = 1024 * 1024
"""What is read after the shell has ended: more than a pty holds (tty_buffer limit, 640 KiB)."""
FLUSH_SECONDS = 5.0
"""How long the user's terminal may refuse the last bytes without taking one."""
_NO_BYTES = bytes(4)
_LINE_END = frozenset(b"\r\n")
_TIOCGSID = 0x5429
_POLL_IN = select.POLLIN
_POLL_OUT = select.POLLOUT
HANGUP_SECONDS = 5.0
"""How long the shell may take to end after its terminal was hung up."""


class Reason(StrEnum):
    """Why a session ended."""

    SHELL_ENDED = "shell-ended"
    TERMINAL_GONE = "terminal-gone"
    TERMINATED = "terminated"
    SUPERVISOR_GONE = "supervisor-gone"
    ENDED = ENDED
    """By an administrator."""
    IDLE = IDLE
    DURATION = DURATION
    DISK = DISK


@dataclass(frozen=True, slots=True)
class Ending:
    """How a session ended; `status` is the shell's exit status (128 + n for a signal), None if unknown."""

    reason: Reason
    status: int | None
    notice: Notice | None = None
    """What the user was told, where neither the shell nor the terminal was at the beginning of it."""
    refused: int = 0
    """The errno with which the user's side refused output that was recorded; 0 where it took all of it."""


class TerminalPump:
    """Moves bytes until the shell, the terminal or the supervisor is gone.

    `user` is a non-blocking descriptor of the user's terminal, `pty` the session's master and slave.
    The slave is only held, so that the master never reads end of file: the leader's end is the end,
    because a background job may keep the slave open for ever. Both are closed to hang the session up.
    """

    def __init__(  # noqa: PLR0913, PLR0917 two ends, and who has a say in between
        self,
        user: int,
        pty: tuple[int, int],
        recording: Recording,
        leader: Leader,
        modes: Modes,
        guard: Guard | None = None,
    ) -> None:
        self._user = user
        self._pty = pty
        self._master = pty[0]
        self._recording = recording
        self._leader = leader
        self._modes = modes
        self._guard = guard or Guard()
        self._keys = Keystrokes()
        self._to_user = bytearray()
        self._to_master = bytearray()
        self._poll = select.poll()
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._wants = (_POLL_IN, _POLL_IN)
        self._ending: Ending | None = None
        self._session_noted = False
        self._hidden = False
        """Whether input of the line that is being typed was left out, and that was said."""

    def run(self) -> Ending:
        """Pump until the end; raises RecordingError when the record cannot be written."""
        os.set_blocking(self._master, False)
        wanted = (signal.SIGWINCH, signal.SIGTERM, signal.SIGHUP, signal.SIGCONT)
        with SignalPipe(wanted) as signals:
            self._handlers = {
                signals.fileno(): lambda _: self._on_signals(signals.take()),
                self._leader.fileno(): lambda _: self._on_leader(),
                self._user: self._on_user,
                self._master: self._on_master,
            }
            if self._guard.fileno() >= 0:
                self._handlers[self._guard.fileno()] = lambda _: self._heed(self._guard.heard())
            for fd in self._handlers:  # poll reports in this order: input goes before output
                self._poll.register(fd, _POLL_IN)
            self._resize()
            while self._ending is None:
                self._turn()
        return self._ending

    def _turn(self) -> None:
        self._update_interest()
        seconds = self._patience()
        for fd, ready in self._poll.poll(None if seconds is None else seconds * 1000):
            if self._ending is None:
                self._handlers[fd](ready)
        if seconds is not None and self._ending is None:
            self._heed(self._guard.due())
        if seconds is not None and self._recording.seconds_to_seal() == 0 and self._ending is None:
            self._recording.seal()

    def _patience(self) -> float | None:
        """Until the next seal, or the next thing that a limit has to say."""
        due = (self._recording.seconds_to_seal(), self._guard.seconds())
        return min((seconds for seconds in due if seconds is not None), default=None)

    def _update_interest(self) -> None:
        """Read where there is room, write where something waits."""
        user = _POLL_IN if len(self._to_master) < READ_SIZE else 0
        master = _POLL_IN if len(self._to_user) < MAX_PENDING else 0
        wants = (user | (_POLL_OUT if self._to_user else 0), master | (_POLL_OUT if self._to_master else 0))
        if wants != self._wants:
            self._wants = wants
            self._poll.modify(self._user, wants[0])
            self._poll.modify(self._master, wants[1])

    def _on_signals(self, numbers: set[int]) -> None:
        """SIGHUP before all: SIGCONT comes with it, and there is no terminal any more then."""
        if signal.SIGHUP in numbers:
            self._hang_up(Reason.TERMINAL_GONE)
        elif signal.SIGTERM in numbers:
            self._hang_up(Reason.TERMINATED)
        elif signal.SIGCONT in numbers:
            self._continue()
        elif signal.SIGWINCH in numbers:
            self._resize()

    def _continue(self) -> None:
        """The outer shell set its own modes while we were stopped."""
        try:
            set_raw(self._user, self._modes)
        except (OSError, termios.error):
            self._hang_up(Reason.TERMINAL_GONE)
            return
        self._resize()

    def _resize(self) -> None:
        try:
            before = copy_window_size(self._master, self._master)
            after = copy_window_size(self._user, self._user)
            if before != after:
                columns, rows = player_size(*after)
                self._recording.event(events.RESIZE, f"{columns}x{rows}")
                copy_window_size(self._user, self._master)
        except OSError:
            self._hang_up(Reason.TERMINAL_GONE)

    def _on_user(self, ready: int) -> None:
        if ready & _POLL_OUT:
            self._write_user()
        if ready & ~_POLL_OUT:
            self._read_user()

    def _read_user(self) -> None:
        try:
            data = os.read(self._user, READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._hang_up(Reason.TERMINAL_GONE)
            return
        self._guard.typed()
        for key in self._keys.feed(data):
            self._recording.event(events.KEY, f"{key} {echo_state(self._master)}")
        if self._guard.records_input:
            self._record_input(data)
        self._to_master += data
        self._write_master()

    def _record_input(self, data: bytes) -> None:
        """Not what nobody could see: it may be a password. An empty event says that something was typed."""
        if echo_state(self._master).startswith("echo"):
            self._recording.input(data)
            self._hidden = False
            return
        if not self._hidden:
            self._recording.event(events.INPUT, "")
        self._hidden = not _LINE_END.intersection(data)

    def _on_master(self, ready: int) -> None:
        if ready & _POLL_OUT:
            self._write_master()
        if ready & _POLL_IN:
            self._show(self._read_batch())

    def _read_batch(self) -> bytes:
        """What waits in the pty now.

        A read gives 4 KiB at the most (N_TTY). Another is made only where FIONREAD says that bytes are
        there: a read that finds none waits for the kernel's worker (n_tty_read, tty_buffer_flush_work),
        which made the whole pipeline a quarter slower.
        """
        data = self._read_master()
        if len(data) < FULL_READ or not self._waiting():
            return data
        parts = [data]
        size = len(data)
        while size < MAX_BATCH and self._waiting() and (part := self._read_master()):
            parts.append(part)
            size += len(part)
        return b"".join(parts)

    def _waiting(self) -> bool:
        return fcntl.ioctl(self._master, termios.FIONREAD, _NO_BYTES) != _NO_BYTES

    def _read_master(self) -> bytes:
        try:
            return os.read(self._master, READ_SIZE)
        except OSError:  # EAGAIN: nothing waits; EIO cannot come while the slave is held
            return b""

    def _show(self, data: bytes) -> None:
        """Record, then show: in this order."""
        if data:
            if not self._session_noted:
                self._note_session()
            self._recording.output(data)
            self._to_user += data
            self._write_user()

    def _note_session(self) -> None:
        """While its leader lives: the kernel forgets the pty's session with that."""
        with suppress(OSError):  # ENOTTY until the shell has taken the pty
            (leader,) = struct.unpack("i", fcntl.ioctl(self._master, _TIOCGSID, bytes(4)))
            self._guard.belongs(leader)
            self._session_noted = True

    def _write_user(self) -> None:
        try:
            del self._to_user[: os.write(self._user, self._to_user)]
        except BlockingIOError:
            return
        except OSError:
            self._to_user.clear()
            self._hang_up(Reason.TERMINAL_GONE)

    def _write_master(self) -> None:
        try:
            del self._to_master[: os.write(self._master, self._to_master)]
        except BlockingIOError:
            return
        except OSError:
            self._to_master.clear()

    def _on_leader(self) -> None:
        try:
            status = self._leader.ended()
        except LeaderLostError:
            self._hang_up(Reason.SUPERVISOR_GONE)
            return
        if status is not None:
            # set first: a terminal that goes away while it is flushed must not cost the status
            self._ending = Ending(Reason.SHELL_ENDED, known(status))
            self._drain()

    def _drain(self) -> None:
        """Record and show what the pty still holds: the shell is gone, its last bytes are not."""
        drained = 0
        while drained < MAX_DRAIN and (data := self._read_master()):
            self._recording.output(data)
            self._to_user += data
            drained += len(data)
        self._flush()

    def _flush(self) -> None:
        waiter = select.poll()
        waiter.register(self._user, _POLL_OUT)
        deadline = time.monotonic() + FLUSH_SECONDS
        while self._to_user:
            left = len(self._to_user)
            if not waiter.poll(max(0.0, deadline - time.monotonic()) * 1000):
                return
            self._write_user()
            if len(self._to_user) < left:
                deadline = time.monotonic() + FLUSH_SECONDS

    def _heed(self, notice: Notice | None) -> None:
        """Show a line of the recorder's own; where it is the last one, end the session."""
        if notice is None:
            return
        self._show(f"\r\nsealcast: {notice.line}\r\n".encode())
        if notice.cause is not None:
            self._recording.event(events.MARKER, notice.line)
            self._hang_up(Reason(notice.cause), notice)

    def _hang_up(self, reason: Reason, notice: Notice | None = None) -> None:
        """Record what the pty holds, hang up the session's terminal, wait for the shell to end."""
        if self._ending is not None:
            return
        self._ending = Ending(reason, None, notice)
        self._note_session()
        self._drain()
        for fd in self._pty:
            os.close(fd)  # the kernel sends SIGHUP to the session's leader and its foreground job
        if reason is not Reason.SUPERVISOR_GONE:
            self._ending = Ending(reason, self._await_status(), notice)

    def _await_status(self) -> int | None:
        waiter = select.poll()
        waiter.register(self._leader.fileno(), _POLL_IN)
        if not waiter.poll(HANGUP_SECONDS * 1000):
            return None
        try:
            return known(self._leader.ended())
        except LeaderLostError:
            return None


def known(status: int | None) -> int | None:
    """The exit status where the kernel told it."""
    return None if status == UNKNOWN_STATUS else status


def restore(fd: int, modes: Modes) -> None:
    """Give the terminal its old modes back; a terminal that is gone needs none."""
    try:
        termios.tcsetattr(fd, termios.TCSANOW, modes)
    except (OSError, termios.error):
        return
