"""The daemon: it takes logins from a socket that anyone may connect to, and forks a worker for each.

It parses no session bytes and holds no key. A peer that sends what `sealcast-shell` would not send is
dropped, and nobody else is. Workers are processes of their own: the daemon's end does not touch them.
"""

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

from recorder.capture.handover import pty_number, tell
from recorder.capture.peer import PTS_MAJOR, Peer, PeerGoneError, identify, open_pidfd, start_of, user_name
from recorder.capture.request import Request, parse_request
from recorder.capture.signals import SignalPipe
from recorder.daemon import administration, journal
from recorder.daemon.administration import Administration
from recorder.daemon.admission import Admission, Verdict
from recorder.daemon.disk import DiskWatch, end_longest_idle
from recorder.daemon.ender import start_ender
from recorder.daemon.live import remove_dead_controls, working
from recorder.daemon.logins import Login, LoginWorker, log_unrecorded, receive
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
MAX_ADMITTED = 4096
"""Processes that were admitted are remembered as long as they live; so many may be dead without a look."""
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
        self._adopted: dict[int, int] = {}
        """Workers of an earlier daemon: the pid by the pidfd."""
        self._helpers: set[int] = set()
        self._admitted: set[tuple[int, int]] = set()
        self._notary = 0
        self._poll = select.poll()
        self._stopping = False

    def run(self) -> None:
        """Serve; the service manager is told when logins are answered."""
        self._owner_read, self._owner_write = os.pipe()
        self._ender = start_ender(self._store, self._policy, self._leave_to_child)
        remove_dead_controls(self._store)
        self._adopt()
        _warm_up()
        with SignalPipe((signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)) as signals:
            self._start_notary()  # with the handler in place: its death must not go unnoticed
            self._poll.register(self._listener, select.POLLIN)
            self._poll.register(signals.fileno(), select.POLLIN)
            self._reap()  # an ender that was killed before that
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
        for fd in [fd for fd in found if fd in self._adopted]:
            self._release(fd)
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
        if len(self._admitted) > MAX_ADMITTED:
            self._admitted = {known for known in self._admitted if start_of(known[0]) == known[1]}
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
                owner = self._leave_to_child()
                NotaryService(Store(self._store.root), listener, owner, self._policy.digest or None).run()
                status = 0
            except SealcastError as error:
                journal.note("notary-failed", reason=error.message)
                status = error.code
            finally:
                os._exit(status)
        listener.close()
        self._notary = pid

    def _leave_to_child(self) -> int:
        """In a child that ends with the daemon: what reads end of file then. It takes no logins."""
        os.close(self._owner_write)
        self._listener.close()
        return self._owner_read

    def _adopt(self) -> None:
        """Count the sessions that an earlier daemon's workers still record, as long as they do."""
        for facts in working(self._store):
            with suppress(OSError):  # it has ended just now
                pidfd = os.pidfd_open(facts["pid"])
                self._adopted[pidfd] = facts["pid"]
                self._live[facts["pid"]] = Live(facts["uid"], facts["pty"])
                self._poll.register(pidfd, select.POLLIN)

    def _release(self, pidfd: int) -> None:
        self._poll.unregister(pidfd)
        self._live.pop(self._adopted.pop(pidfd), None)
        os.close(pidfd)

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
            if pid == self._ender and not self._stopping:
                journal.note("ender-ended", reason="what sessions leave goes on until the next start")
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
            packet = receive(connection, fds)
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
            for pidfd in self._adopted:
                os.close(pidfd)
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
            logged = log_unrecorded(self._store, peer, request, "noninteractive")
            tell(connection, "unrecorded\0" if logged else "refused\0this login cannot be logged")
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
        worker = LoginWorker(self._store, self._policy, login, pty)
        pid = self._fork(lambda: worker.run(fds))
        self._live[pid] = Live(login.peer.uid, pty)


def _warm_up() -> None:
    """Do once what every worker does first, and keep the collector away from what is there by then.

    A worker then shares these pages with the daemon instead of writing its own.
    """
    Sealer("host/session", generate_key()).seal(0)
    gc.collect()
    gc.freeze()
