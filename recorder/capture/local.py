"""A session on one person's own machine: the hand-over with a forked worker in place of the socket.

Three processes: this one (supervisor: it starts the other two, has the session admitted, and passes
the exit status on), the worker (recorder.capture.worker), and the session's own shell or command.
"""

import errno
import fcntl
import os
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn, Self

from recorder.capture.channel import Channel, ChannelError, Message, channel_pair
from recorder.capture.pump import Reason, restore
from recorder.capture.terminal import copy_window_size
from recorder.capture.worker import Files, StreamEnds, TerminalEnds, run_worker
from recorder.errors import ExitCode, SealcastError

LAST_WORDS_SECONDS = 2.0
"""How long a shell may take to end after its recorder was lost, before it is killed."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """What the notary gives a session: its header line, and what its seals need."""

    session: str
    host: str
    started: float
    """Monotonic clock at event time 0, in seconds."""
    header: bytes
    certificate: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a recorded session came out; `status` is what the caller must exit with."""

    session: str
    status: int
    failure: SealcastError | None


def has_terminal() -> bool:
    """Whether input and output both are the user's terminal."""
    return os.isatty(0) and os.isatty(1)


def record(
    argv: Sequence[str], environment: Mapping[str, str], admit: Callable[[bytes], Admitted], files: Files
) -> Outcome:
    """Run `argv` recorded; `admit` takes the session's public key and has the session logged."""
    modes = termios.tcgetattr(0) if has_terminal() else None
    supervisor = _Supervisor(argv, environment)
    try:
        return supervisor.run(admit, files)
    finally:
        if modes is not None:
            restore(0, modes)  # the worker did it, unless it was killed


class _Supervisor:
    def __init__(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        self._argv = argv
        self._environment = dict(environment)
        self._worker = 0
        self._child = 0
        self._status: int | None = None
        self._told: Message = {}
        self._exec_errno = 0
        self._terminating = False

    def run(self, admit: Callable[[bytes], Admitted], files: Files) -> Outcome:
        self._channel, theirs = channel_pair()
        child_side, ends = _open_terminal(theirs) if has_terminal() else _open_streams(theirs)
        self._streams = isinstance(ends, StreamEnds)
        self._worker = self._fork_worker(ends, child_side, files)
        theirs.close()
        _close_ends(ends, child_side)
        admitted = self._admit(admit)
        with _Quiet(self._terminate) as quiet:
            if self._await_ready():
                environment = self._environment | {"SEALCAST_SESSION": admitted.session}
                start = _Start(self._argv, environment, child_side, quiet.old)
                self._child, self._exec_errno = start.fork()
                if self._terminating:  # asked for while the child was being started
                    self._terminate()
            for fd in set(child_side):
                os.close(fd)
            if self._streams:
                _let_go_of_streams()
            self._supervise()
        self._channel.close()
        return Outcome(admitted.session, self._exit_status(), self._failure())

    def _fork_worker(self, ends: TerminalEnds | StreamEnds, child_side: tuple[int, ...], files: Files) -> int:
        pid = os.fork()
        if pid:
            return pid
        status = int(ExitCode.BUG)
        try:
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)  # a terminal's pump listens to the last two
            self._channel.close()
            held = ends.pty[1] if isinstance(ends, TerminalEnds) else -1
            for fd in set(child_side) - {held}:
                os.close(fd)
            status = run_worker(ends, ends.supervisor, files)
        except ChannelError:
            status = ExitCode.RECORDING
        finally:
            os._exit(status)

    def _admit(self, admit: Callable[[bytes], Admitted]) -> Admitted:
        try:
            admitted = admit(bytes.fromhex(self._channel.receive()["public"]))
        except BaseException as error:
            self._channel.close()
            os.waitpid(self._worker, 0)
            if isinstance(error, (ChannelError, KeyError)):
                message = "the recorder ended before the session could start"
                raise SealcastError(message, "try it again", ExitCode.RECORDING) from error
            raise
        answer = {
            "session": admitted.session,
            "host": admitted.host,
            "started": admitted.started,
            "header": admitted.header.decode(),
            "certificate": admitted.certificate,
        }
        with suppress(ChannelError):  # a worker that has ended is noticed when it should be ready
            self._channel.send(answer)
        return admitted

    def _await_ready(self) -> bool:
        try:
            self._told = self._channel.receive()
        except ChannelError:
            return False
        return "ready" in self._told

    def _supervise(self) -> None:
        """Tell the worker how the session's process ended; return when the worker has ended."""
        pidfd = os.pidfd_open(self._child) if self._child else -1
        waiter = select.poll()
        waiter.register(self._channel.fileno(), select.POLLIN)
        if pidfd >= 0:
            waiter.register(pidfd, select.POLLIN)
        while "finished" not in self._told and "failed" not in self._told:
            ready = dict(waiter.poll())
            if pidfd in ready:
                waiter.unregister(pidfd)
                self._reap_child()
            if self._channel.fileno() in ready and not self._listen():
                break
        os.waitpid(self._worker, 0)
        if pidfd >= 0:
            if "finished" not in self._told:
                self._end_unrecorded(pidfd)
            os.close(pidfd)

    def _terminate(self) -> None:
        """Pass SIGTERM on: a session with a terminal is hung up, a command without one is terminated."""
        self._terminating = True
        os.kill(self._child if self._streams and self._child else self._worker, signal.SIGTERM)

    def _reap_child(self) -> None:
        _, wait_status = os.waitpid(self._child, 0)
        code = os.waitstatus_to_exitcode(wait_status)
        self._status = code if code >= 0 else 128 - code
        try:
            self._channel.send({"exited": self._status})
        except ChannelError:
            return

    def _listen(self) -> bool:
        try:
            self._told = self._channel.receive()
        except ChannelError:
            return False
        return True

    def _end_unrecorded(self, pidfd: int) -> None:
        """The recorder is lost, and with it the terminal: nothing may go on unrecorded."""
        if self._status is not None:
            return
        deadline = time.monotonic() + LAST_WORDS_SECONDS
        waiter = select.poll()
        waiter.register(pidfd, select.POLLIN)
        signal.pidfd_send_signal(pidfd, signal.SIGHUP)
        signal.pidfd_send_signal(pidfd, signal.SIGCONT)
        if not waiter.poll(max(0.0, deadline - time.monotonic()) * 1000):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        self._reap_child()

    def _exit_status(self) -> int:
        if "failed" in self._told or "finished" not in self._told:
            return ExitCode.RECORDING
        if self._told.get("finished") == Reason.TERMINATED:
            return 128 + signal.SIGTERM
        if self._told.get("refused") and not self._status:
            return 1  # as of a program that cannot write: no success
        return 128 + signal.SIGHUP if self._status is None else self._status

    def _failure(self) -> SealcastError | None:
        if "failed" in self._told:
            return SealcastError(str(self._told["failed"]), self._told.get("hint"), ExitCode.RECORDING)
        if "finished" not in self._told:
            return SealcastError(
                "the recorder was killed; the session ended with it",
                "what was sealed until then is kept: sealcast verify",
                ExitCode.RECORDING,
            )
        if self._exec_errno:
            reason = os.strerror(self._exec_errno).lower()
            return SealcastError(f'cannot run "{self._argv[0]}": {reason}', "give a command that is in PATH")
        if refused := self._told.get("refused"):
            reason = os.strerror(int(refused)).lower()
            message = f"the output could not be passed on: {reason}"
            return SealcastError(message, "what was written until then is in the recording")
        return None


class _Quiet:
    """While a session runs, the keys' signals are the session's own, and SIGTERM ends it in order."""

    def __init__(self, terminate: Callable[[], None]) -> None:
        self._terminate = terminate
        self.old: dict[signal.Signals, Any] = {}
        """What the signals did before; the session's process gets them back."""

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
            self.old[number] = signal.signal(number, signal.SIG_IGN)
        self.old[signal.SIGTERM] = signal.signal(signal.SIGTERM, lambda *_: self._terminate())
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self.old.items():
            signal.signal(number, handler)


def _open_terminal(supervisor: Channel) -> tuple[tuple[int, int, int], TerminalEnds]:
    """A pty with the modes and the size of the user's terminal."""
    master, slave = os.openpty()
    termios.tcsetattr(slave, termios.TCSANOW, termios.tcgetattr(0))
    copy_window_size(0, slave)
    return (slave, slave, slave), TerminalEnds(0, (master, slave), supervisor)


def _open_streams(supervisor: Channel) -> tuple[tuple[int, int, int], StreamEnds]:
    """Three pipes; the session's own ends first."""
    in_read, in_write = os.pipe()
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    ends = StreamEnds((0, 1, 2), (in_write, out_read, err_read), supervisor)
    return (in_read, out_write, err_write), ends


def _close_ends(ends: TerminalEnds | StreamEnds, child_side: tuple[int, ...]) -> None:
    ours = ends.pty if isinstance(ends, TerminalEnds) else ends.pipes
    for fd in set(ours) - set(child_side):
        os.close(fd)


def _let_go_of_streams() -> None:
    """Leave standard input and output to the worker, so that closing them there closes them for good."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)


@dataclass(frozen=True, slots=True)
class _Start:
    """How the session's process starts: `streams` become its standard descriptors."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    streams: tuple[int, int, int]
    signals: Mapping[signal.Signals, Any]

    def fork(self) -> tuple[int, int]:
        """Start it; returns its pid, and the errno if the program could not be executed."""
        error_read, error_write = os.pipe()  # close-on-exec: end of file tells that exec worked
        pid = os.fork()
        if pid == 0:
            self._become_session(error_write)
        os.close(error_write)
        told = os.read(error_read, 4)
        os.close(error_read)
        return pid, struct.unpack("i", told)[0] if told else 0

    def _become_session(self, error_write: int) -> NoReturn:
        number = errno.EIO
        try:
            if os.isatty(self.streams[0]):
                os.setsid()
                fcntl.ioctl(self.streams[0], termios.TIOCSCTTY, 0)
            for target, fd in enumerate(self.streams):
                os.dup2(fd, target)
            python_ignores = {signal.SIGPIPE: signal.SIG_DFL, signal.SIGXFSZ: signal.SIG_DFL}
            for name, handler in (dict(self.signals) | python_ignores).items():
                signal.signal(name, handler)
            os.execvpe(self.argv[0], list(self.argv), dict(self.environment))  # noqa: S606 -- its purpose
        except OSError as error:
            number = error.errno or errno.EIO
        finally:
            os.write(error_write, struct.pack("i", number))
            os._exit(127 if number == errno.ENOENT else 126)
