"""The daemon: it takes logins from a socket that anyone may connect to, and forks a worker for each.

It parses no session bytes and holds no key. A peer that sends what `sealcast-shell` would not send is
dropped, and nobody else is. Workers are processes of their own: the daemon's end does not touch them.
"""

import array
import gc
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from recorder.capture.authentication import keys_of, methods_of
from recorder.capture.channel import Channel, ChannelError, Message
from recorder.capture.handover import RemoteStreams, RemoteTerminal, pty_number, tell
from recorder.capture.login import MAX_PACKET
from recorder.capture.peer import PTS_MAJOR, Peer, PeerGoneError, identify, open_pidfd, user_name
from recorder.capture.request import STREAM_DESCRIPTORS, Request, parse_request
from recorder.capture.signals import SignalPipe
from recorder.capture.stream_plan import StreamPlan, plan_streams
from recorder.capture.survivors import traces_of
from recorder.capture.terminal import window_size
from recorder.capture.worker import Files, run_worker
from recorder.daemon import administration, journal
from recorder.daemon.administration import Administration
from recorder.daemon.admission import Admission, Verdict
from recorder.daemon.disk import DiskWatch, end_longest_idle
from recorder.daemon.guarding import guard_maker
from recorder.daemon.live import remove_dead_controls
from recorder.daemon.notary import NotaryService, listen, notary_path, tell_log
from recorder.daemon.refusals import Refusal, Refusals
from recorder.daemon.service_manager import (
    READY,
    STOPPING,
    WATCHDOG,
    notify,
    notify_reloading,
    watchdog_seconds,
)
from recorder.errors import ExitCode, FormatError, SealcastError
from recorder.log import entries
from recorder.policy.model import OnFailure, Policy
from recorder.seal.keys import generate_key
from recorder.seal.sealer import Sealer
from recorder.store.layout import Store

SILENCE_SECONDS = 5.0
"""How long a peer may be connected without sending its request."""
MAX_WAITING = 1024
LOOK_SECONDS = 5.0
"""How often the disk is looked at."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A connected peer that has not sent its request yet."""

    connection: socket.socket
    since: float


@dataclass(frozen=True, slots=True)
class Live:
    """A worker, for whom it records, and the number of its recorded pty (-1 without a terminal)."""

    uid: int
    pty: int


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody who may log in."""

    connection: socket.socket
    request: Request
    peer: Peer
    origin: str


def listen_for_logins(path: Path) -> socket.socket:
    """The socket that anyone may connect to; what an earlier daemon left there is replaced."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(path))
    path.chmod(0o666)
    listener.listen(MAX_WAITING)
    listener.setblocking(False)
    return listener


class Server:
    """Runs until SIGTERM."""

    def __init__(
        self, store: Store, listener: socket.socket, policy: Policy, reload: Callable[[], Policy]
    ) -> None:
        self._store = store
        self._listener = listener
        self._policy = policy
        self._reload = reload
        self._admission = Admission(policy, store.root)
        self._disk = DiskWatch(policy.disk, store.root)
        self._refusals = Refusals()
        self._making_room = 0
        self._look_seconds = min(LOOK_SECONDS, watchdog_seconds() or LOOK_SECONDS)
        self._next_look = 0.0
        self._waiting: dict[int, Waiting] = {}
        self._live: dict[int, Live] = {}
        self._helpers: set[int] = set()
        self._admitted: set[tuple[int, int]] = set()
        self._notary = 0
        self._poll = select.poll()
        self._stopping = False

    def run(self) -> None:
        """Serve; the service manager is told when logins are answered."""
        self._owner_read, self._owner_write = os.pipe()
        remove_dead_controls(self._store)
        _warm_up()
        with SignalPipe((signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)) as signals:
            self._start_notary()  # with the handler in place: its death must not go unnoticed
            self._poll.register(self._listener, select.POLLIN)
            self._poll.register(signals.fileno(), select.POLLIN)
            notify(READY)
            while not self._stopping:
                self._turn(signals)
            notify(STOPPING)

    def _turn(self, signals: SignalPipe) -> None:
        patience = max(0.0, self._next_look - time.monotonic())
        found = dict(self._poll.poll(min(patience, 1.0 if self._waiting else patience) * 1000))
        late = time.monotonic() - SILENCE_SECONDS  # now: to answer many takes longer than that
        if signals.fileno() in found:
            self._on_signals(signals.take())
        if time.monotonic() >= self._next_look:
            self._look_around()
        if self._listener.fileno() in found:
            self._accept()
        for fd in [fd for fd in found if fd in self._waiting]:
            self._answer(self._forget(fd))
        for fd in [fd for fd, waiting in self._waiting.items() if waiting.since < late]:
            self._forget(fd).close()

    def _on_signals(self, numbers: set[int]) -> None:
        self._stopping = bool(numbers & {signal.SIGTERM, signal.SIGINT})
        self._reap()
        if signal.SIGHUP in numbers and not self._stopping:
            self._read_policy_again()

    def _read_policy_again(self) -> None:
        """From now on for new sessions; a file with a mistake changes nothing. Store and socket stay."""
        notify_reloading()
        try:
            policy = self._reload()
        except SealcastError as error:
            journal.note("policy-refused", reason=error.message)
        else:
            before, self._policy = self._policy, policy
            self._admission.policy, self._disk.policy = policy, policy.disk
            facts = {"policy": policy.digest, "before": before.digest}
            tell_log(self._store, entries.CONFIGURATION_CHANGED, user_name(os.getuid()), os.getuid(), **facts)
        notify(READY)

    def _look_around(self) -> None:
        """What time brings: refusals to be told, the disk, and the watchdog's sign of life."""
        self._next_look = time.monotonic() + self._look_seconds
        notify(WATCHDOG)
        for refusal in self._refusals.over():
            self._log_refusal(refusal)
        facts = self._disk.look()
        if facts is not None:
            tell_log(self._store, self._disk.kind, user_name(os.getuid()), os.getuid(), **facts)
        closed = self._policy.recording.on_failure is OnFailure.CLOSED
        if self._disk.state == "critical" and closed and not self._making_room:
            self._making_room = self._fork(self._make_room)

    def _make_room(self) -> None:
        session = end_longest_idle(self._store)
        journal.note("making-room", session=session or "none that could be ended")

    def _start_notary(self) -> None:
        """The listener is made here, so that workers can connect before the notary runs."""
        listener = listen(notary_path(self._store))
        pid = os.fork()
        if pid == 0:
            status = int(ExitCode.BUG)
            try:
                os.close(self._owner_write)
                self._listener.close()
                NotaryService(
                    Store(self._store.root), listener, self._owner_read, self._policy.digest or None
                ).run()
                status = 0
            except SealcastError as error:
                journal.note("notary-failed", reason=error.message)
                status = error.code
            finally:
                os._exit(status)
        listener.close()
        self._notary = pid

    def _reap(self) -> None:
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._live.pop(pid, None)
            self._helpers.discard(pid)
            if pid == self._making_room:
                self._making_room = 0
            if pid == self._notary and not self._stopping:
                journal.note("notary-ended")
                self._start_notary()

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            while len(self._waiting) < MAX_WAITING:
                connection, _ = self._listener.accept()
                connection.setblocking(False)
                self._waiting[connection.fileno()] = Waiting(connection, time.monotonic())
                self._poll.register(connection, select.POLLIN)

    def _forget(self, fd: int) -> socket.socket:
        self._poll.unregister(fd)
        return self._waiting.pop(fd).connection

    def _answer(self, connection: socket.socket) -> None:
        fds: list[int] = []
        try:
            packet = _receive(connection, fds)
            if packet.startswith(administration.MAGIC):
                self._administer(connection, packet, identify(connection), fds)
            else:
                self._begin(connection, parse_request(packet), identify(connection), fds)
        except (FormatError, PeerGoneError, OSError) as error:
            journal.note("dropped-a-peer", reason=str(error))
            tell(connection, "refused\0the recorder did not understand the request")
        finally:
            for fd in fds:
                os.close(fd)
            connection.close()

    def _administer(self, connection: socket.socket, packet: bytes, peer: Peer, fds: list[int]) -> None:
        """In a process of its own; the daemon only sees to it that they are not too many."""
        try:
            wish = administration.parse_wish(packet)
            if fds:
                raise FormatError("descriptors came with a request that needs none")
            if not administration.may_administer(peer, self._policy):
                raise administration.not_allowed(peer, self._policy)
            if len(self._helpers) >= administration.MAX_AT_ONCE:
                raise SealcastError("too many requests are being served", "try again in a moment")
        except SealcastError as error:
            journal.note("refused-to-administer", user=peer.user, reason=error.message)
            administration.refuse(connection, error)
            return
        helper = Administration(self._store, peer, connection)
        self._helpers.add(self._fork(lambda: helper.serve(wish)))

    def _fork(self, work: "Callable[[], int | None]") -> int:
        """A child that holds nothing of the daemon's, and ends with its work; its pid."""
        pid = os.fork()
        if pid:
            return pid
        status = int(ExitCode.BUG)
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            self._listener.close()
            os.close(self._owner_write)
            for waiting in self._waiting.values():
                waiting.connection.close()
            status = work() or 0
        except Exception as error:  # the last frame of a process: the journal must hear of it
            journal.note("failed", reason=f"{type(error).__name__}: {error}")
        finally:
            os._exit(status)

    def _begin(self, connection: socket.socket, request: Request, peer: Peer, fds: list[int]) -> None:
        if len(fds) != request.descriptors:
            raise FormatError(f"{len(fds)} descriptors came with a request for {request.descriptors}")
        if request.with_terminal and self._is_recorded(fds[0]):
            tell(connection, "nested\0")
            return
        open_sessions = sum(live.uid == peer.uid for live in self._live.values())
        verdict, reason = self._admission.decide(peer, request, open_sessions)
        if verdict is Verdict.REFUSE:
            tell(connection, f"refused\0{reason}")
            refusal = self._refusals.refused(peer.uid, peer.user, reason)
            if refusal is not None:
                self._log_refusal(refusal)
            return
        if verdict is Verdict.ALLOW:
            log_unrecorded(self._store, peer, request, "noninteractive")
            tell(connection, "unrecorded\0")
            return
        origin = "local" if (peer.pid, peer.started) in self._admitted else peer.origin
        self._admitted.add((peer.pid, peer.started))
        pidfd = open_pidfd(peer)
        try:
            self._fork_worker(Login(connection, request, peer, origin), (pidfd, *fds))
        finally:
            os.close(pidfd)

    def _log_refusal(self, refusal: Refusal) -> None:
        facts = {"reason": refusal.reason, "others": refusal.others or None}
        tell_log(self._store, entries.LOGIN_REFUSED, refusal.user, refusal.uid, **facts)

    def _is_recorded(self, terminal: int) -> bool:
        """Whether what is shown on this terminal goes through a worker of ours already."""
        device = os.fstat(terminal).st_rdev
        if os.major(device) != PTS_MAJOR or not os.isatty(terminal):
            return False
        return any(live.pty == os.minor(device) for live in self._live.values())

    def _fork_worker(self, login: Login, fds: tuple[int, ...]) -> None:
        pty = pty_number(fds[2]) if login.request.with_terminal else -1
        pid = self._fork(lambda: self._try_to_work(login, fds, pty))
        self._live[pid] = Live(login.peer.uid, pty)

    def _try_to_work(self, login: Login, fds: tuple[int, ...], pty: int) -> int:
        try:
            status = self._work(login, fds, pty)
        except (ChannelError, OSError) as error:
            journal.note("worker-failed", user=login.peer.user, reason=str(error))
            status = ExitCode.RECORDING
            if self._policy.recording.on_failure is OnFailure.CLOSED:
                tell(login.connection, "refused\0the recorder failed")
        if status and self._policy.recording.on_failure is OnFailure.OPEN:
            # a login that was admitted waits for another word, and is not moved by this one
            log_unrecorded(self._store, login.peer, login.request, "recording-failed")
            tell(login.connection, "unrecorded\0this session cannot be recorded, and goes on without that")
        return status

    def _work(self, login: Login, fds: tuple[int, ...], pty: int) -> int:
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)  # a terminal's pump listens to some of them
        connection, request = login.connection, login.request
        pidfd, *rest = fds
        facts = _facts(login.peer, request, login.origin, rest)
        traces = traces_of(login.peer)
        guarded = guard_maker(self._store, self._policy, traces, pty)
        notary = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        notary.connect(str(notary_path(self._store)))
        connection.setblocking(True)
        is_open = self._policy.recording.on_failure is OnFailure.OPEN
        teller = line_writer(rest[0] if request.with_terminal else rest[2]) if is_open else None
        files = Files(self._store.create_live, self._store.write_signature, teller)
        ends = (
            RemoteTerminal(connection, rest[0], rest[1], guarded)
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
        return run_worker(ends, Channel(notary), files, facts, traces)

    def _stream_plan(self, request: Request, origin: str) -> StreamPlan:
        caps = self._policy.noninteractive
        return plan_streams(
            request.exact_command,
            from_sshd=origin == "sshd" and "SSH_TTY" not in request.environment,
            input_cap=caps.input_cap,
            output_cap=caps.output_cap,
        )


def line_writer(descriptor: int) -> Callable[[str], None]:
    """Writes one line of the recorder's own, to somebody who may have stopped to read."""

    def write(text: str) -> None:
        with suppress(OSError):
            os.write(descriptor, f"\r\nsealcast: {text}\r\n".encode())

    return write


def log_unrecorded(store: Store, peer: Peer, request: Request, cause: str) -> None:
    """Whoever gets in without a record is named in the log."""
    facts = {"command": request.command, "origin": peer.origin, "interactive": request.with_terminal}
    tell_log(store, entries.LOGIN_UNRECORDED, peer.user, peer.uid, cause=cause, **facts)


def _warm_up() -> None:
    """Do once what every worker does first, and keep the collector away from what is there by then.

    A worker then shares these pages with the daemon instead of writing its own.
    """
    Sealer("host/session", generate_key()).seal(0)
    gc.collect()
    gc.freeze()


def _receive(connection: socket.socket, fds: list[int]) -> bytes:
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
    methods = methods_of(request.authentication) if origin == "sshd" else []
    authentication = {
        "login_uid": peer.login_uid,
        "audit_session": peer.audit_session,
        "methods": methods,
        "keys": keys_of(methods),
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
