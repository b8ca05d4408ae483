"""One login: what it sent, what the notary is told of it, and the worker that records it."""

import array
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from recorder.capture.authentication import authentication_of
from recorder.capture.channel import ChannelError, Message
from recorder.capture.handover import RemoteStreams, RemoteTerminal, tell
from recorder.capture.login import MAX_PACKET
from recorder.capture.peer import Peer
from recorder.capture.pump import Ending
from recorder.capture.recording import Recording
from recorder.capture.request import STREAM_DESCRIPTORS, Request
from recorder.capture.shell_start import ShellStart, plan_shell
from recorder.capture.stream_plan import StreamPlan, plan_streams
from recorder.capture.survivors import traces_of
from recorder.capture.terminal import window_size
from recorder.capture.worker import Ends, Files, run_worker
from recorder.daemon import journal
from recorder.daemon.ender import ender_for
from recorder.daemon.guarding import guard_maker
from recorder.daemon.lease import Lease
from recorder.daemon.notary import tell_log
from recorder.errors import ExitCode, FormatError, SealcastError
from recorder.log import entries
from recorder.policy.model import OnFailure, Policy
from recorder.store.layout import Store

RUNS_ANYTHING = {"sh", "ash", "bash", "csh", "dash", "fish", "ksh", "ksh93", "mksh", "tcsh", "zsh"}
"""Shells in whose place a transfer may be executed: others (rbash, git-shell, nologin) may not allow it."""


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody who may log in."""

    connection: socket.socket
    request: Request
    peer: Peer
    origin: str


@dataclass(slots=True)
class Answered:
    """The ends of a session, and whether its login was given an answer."""

    ends: Ends | None = None
    begun: bool = False

    def pump(self, recording: Recording, session: str) -> Ending:
        """See `Ends.pump`: the record has begun by now, and the first thing is the answer."""
        self.begun = True
        if self.ends is None:
            raise SealcastError("the session has no ends", code=ExitCode.BUG)
        return self.ends.pump(recording, session)


@dataclass(frozen=True, slots=True)
class LoginWorker:
    """Records a login that was admitted, in a process of its own. `pty` is -1 without a terminal."""

    store: Store
    policy: Policy
    login: Login
    pty: int

    def run(self, fds: tuple[int, ...]) -> int:
        """Record the session; the exit status of the process."""
        login, answered = self.login, Answered()
        try:
            status = self._work(fds, answered)
        except (ChannelError, OSError) as error:
            journal.note("worker-failed", user=login.peer.user, reason=str(error))
            status = ExitCode.RECORDING
            if self.policy.recording.on_failure is OnFailure.CLOSED:
                tell(login.connection, "refused\0the recorder failed")
        if status and not answered.begun and self.policy.recording.on_failure is OnFailure.OPEN:
            log_unrecorded(self.store, login.peer, login.request, "recording-failed")
            tell(login.connection, "unrecorded\0this session cannot be recorded, and goes on without that")
        return status

    def _work(self, fds: tuple[int, ...], answered: "Answered") -> int:
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)  # a terminal's pump listens to some of them
        login = self.login
        connection, request = login.connection, login.request
        pidfd, *rest = fds
        facts = _facts(login.peer, request, login.origin, rest)
        start = self._shell_start(request)
        facts["request"]["marks"] = start.marks
        ender = ender_for(self.store, self.policy)
        traces = traces_of(login.peer, waits=request.waits, ender=ender)
        guarded = guard_maker(self.store, self.policy, traces, self.pty)
        notary = Lease(self.store, login.peer.user, login.peer.uid)
        connection.setblocking(True)
        is_open = self.policy.recording.on_failure is OnFailure.OPEN
        teller = line_writer(rest[0] if request.with_terminal else rest[2]) if is_open else None
        files = Files(self.store.create_live, self.store.write_signature, teller)
        answered.ends = (
            RemoteTerminal(connection, rest[0], rest[1], guarded, start.orders)
            if request.with_terminal
            else RemoteStreams(
                connection,
                None if request.waits else pidfd,
                (rest[0], rest[1], rest[2]),
                (rest[3], rest[4], rest[5]),
                self._stream_plan(request, facts["request"]["origin"]),
                guarded,
            )
        )
        return run_worker(answered, notary, files, facts, traces)

    def _shell_start(self, request: Request) -> ShellStart:
        if not self.policy.recording.shell_marks or not request.with_terminal or request.command is not None:
            return ShellStart()
        return plan_shell(request.shell, request.environment.get("TERM", ""))

    def _stream_plan(self, request: Request, origin: str) -> StreamPlan:
        caps = self.policy.noninteractive
        may_transfer = origin == "sshd" and "SSH_TTY" not in request.environment
        return plan_streams(
            request.exact_command if request.shell in RUNS_ANYTHING else None,
            from_sshd=may_transfer,
            input_cap=caps.input_cap,
            output_cap=caps.output_cap,
        )


def line_writer(descriptor: int) -> Callable[[str], None]:
    """Writes one line of the recorder's own, to somebody who may have stopped to read."""

    def write(text: str) -> None:
        with suppress(OSError):
            os.write(descriptor, f"\r\nsealcast: {text}\r\n".encode())

    return write


def log_unrecorded(store: Store, peer: Peer, request: Request, cause: str) -> bool:
    """Whoever gets in without a record is named in the log; whether that was possible."""
    facts = {
        "cause": cause,
        "command": request.command,
        "origin": peer.origin,
        "interactive": request.with_terminal,
    }
    return tell_log(store, entries.LOGIN_UNRECORDED, peer.user, peer.uid, **facts)


def receive(connection: socket.socket, fds: list[int]) -> bytes:
    """One packet and its descriptors, appended to `fds` as they come so that none is lost.

    recvmsg itself: socket.recv_fds ignores its flags (CPython 3.11), and descriptors would be inheritable.
    """
    room = socket.CMSG_SPACE((STREAM_DESCRIPTORS + 1) * array.array("i").itemsize)
    flags = socket.MSG_CMSG_CLOEXEC | socket.MSG_DONTWAIT
    packet, ancillary, got, _ = connection.recvmsg(MAX_PACKET + 1, room, flags)
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            numbers = array.array("i")
            numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
            fds.extend(numbers)
    if got & (socket.MSG_CTRUNC | socket.MSG_TRUNC):
        raise FormatError("the request was too long, or came with too many descriptors")
    return packet


def _facts(peer: Peer, request: Request, origin: str, fds: list[int]) -> Message:
    """What the notary is told. Claims of the client count only where sshd started it."""
    environment = request.environment if origin == "sshd" else {}
    authentication = {
        "login_uid": peer.login_uid,
        "audit_session": peer.audit_session,
        **(authentication_of(request.authentication) if origin == "sshd" else {}),
    }
    return {
        "request": {
            "user": peer.user,
            "uid": peer.uid,
            "origin": origin,
            "terminal": list(window_size(fds[0])) if request.with_terminal else [0, 0],
            "command": request.command,
            "command_base64": request.command_base64,
            "source": _source(environment.get("SSH_CONNECTION", "")),
            "authentication": {name: value for name, value in authentication.items() if value} or None,
            "interactive": request.with_terminal,
            "env": {"SHELL": request.shell, "TERM": request.environment.get("TERM", "")},
        }
    }


def _source(connection: str) -> dict[str, str | int] | None:
    """Client address and port from sshd's SSH_CONNECTION: `client-ip client-port server-ip server-port`."""
    fields = connection.split()
    if len(fields) != 4 or not fields[1].isdigit():
        return None
    return {"ip": fields[0], "port": int(fields[1])}
