"""The notary process: it holds the host key, admits sessions, and seals what their workers leave.

Workers reach it over a socket in the store, where no user can. A worker's connection is its lease: when it
ends, however it ends, the session is sealed, by a child of the notary, so that the next login does not wait.
Logins that wait at the same time are entered in the log under one checkpoint.
"""

import os
import select
import signal
import socket
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recorder.capture.channel import Channel, ChannelError, Message
from recorder.capture.signals import SignalPipe
from recorder.cast.v2 import encode_header
from recorder.daemon import journal
from recorder.daemon.glass import enter_notes
from recorder.daemon.policy_note import change_of_policy, remember_policy
from recorder.errors import SealcastError
from recorder.log import entries
from recorder.log.entries import Occasion
from recorder.log.notary import Admission, SessionRequest
from recorder.store.layout import Store
from recorder.store.opening import recording_header
from recorder.store.sealing import NOTHING, Closing, seal_all

SWEEP_SECONDS = 5.0
"""How long a recording may wait to be sealed whose worker belonged to an earlier notary."""
NOTES_SECONDS = 60.0
"""How often the spool of break-glass notes is looked at."""
PATIENCE_SECONDS = 5.0
"""How long a worker may take to send its request once it has connected."""
TELL_SECONDS = 1.0
"""How long somebody who has something for the log may wait for the notary."""
BACKLOG = 1024
MAX_KEPT = 1000
"""Entries that wait for a log which cannot be written."""
_HANDFUL = 100
"""Recordings that are sealed under one checkpoint."""


def notary_path(store: Store) -> Path:
    """The notary's socket: in a directory that only the recorder's own user can enter."""
    return store.root / "notary.sock"


def listen(path: Path) -> socket.socket:
    """A listening socket in the place of whatever an earlier process left there."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(mask)
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


def tell_log(store: Store, kind: str, user: str, uid: int, **facts: object) -> bool:
    """Have the notary log one of `entries.OCCURRENCES`; whether it was there to be told.

    The journal has it in any case.
    """
    journal.note(kind, user=user, **{name: str(fact) for name, fact in facts.items()})
    message: Message = {"log": kind, "user": user, "uid": uid, "time_ms": now_ms(), "facts": facts}
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(TELL_SECONDS)
    try:
        connection.connect(str(notary_path(store)))
        Channel(connection).send(message)
    except (OSError, ChannelError):
        return False
    finally:
        connection.close()
    return True


def now_ms() -> int:
    """Wall clock in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Lease:
    """One worker's connection; `session` is empty until it is admitted."""

    connection: socket.socket
    session: str = ""
    user: str = ""
    uid: int = 0
    closing: Closing = NOTHING


class NotaryService:
    """Serves until `owner`, the read end of a pipe that the daemon holds, reads end of file."""

    def __init__(self, store: Store, listener: socket.socket, owner: int, policy: str | None) -> None:
        self._store = store
        self._listener = listener
        self._owner = owner
        self._policy = policy
        self._leases: dict[int, Lease] = {}
        self._sealer = 0
        self._ended: dict[str, Closing] = {}
        self._documents: list[entries.Document] = []
        self._sweep = True
        self._notes_due = 0.0
        self._poll = select.poll()

    def run(self) -> None:
        """Admit and seal until the daemon is gone. First of all the log hears of a new policy."""
        change = change_of_policy(self._store, self._policy, (now_ms(), os.getuid()))
        if change is not None:
            self._documents.append(change)
            self._enter([])
        with SignalPipe((signal.SIGCHLD, signal.SIGTERM)) as signals:
            for fd in (self._owner, self._listener.fileno(), signals.fileno()):
                self._poll.register(fd, select.POLLIN)
            while True:
                self._seal_if_needed()
                ready = dict(self._poll.poll(SWEEP_SECONDS * 1000))
                if self._owner in ready:
                    return
                if signals.fileno() in ready and signal.SIGTERM in signals.take():
                    return
                if self._listener.fileno() in ready:
                    self._accept()
                self._serve([self._leases[fd] for fd in ready if fd in self._leases])
                self._sweep = self._sweep or not ready

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            while True:
                connection, _ = self._listener.accept()
                connection.settimeout(PATIENCE_SECONDS)
                self._leases[connection.fileno()] = Lease(connection)
                self._poll.register(connection, select.POLLIN)

    def _serve(self, leases: Sequence[Lease]) -> None:
        """Hear everyone who has something to say; then answer those who want in, all at once."""
        waiting = []
        for lease in leases:
            try:
                message = Channel(lease.connection).receive()
                request = self._hear(lease, message)
            except (ChannelError, TimeoutError):
                self._end(lease)
            else:
                if request is not None:
                    waiting.append((lease, request, bytes.fromhex(message["public"])))
        if waiting or self._documents:
            self._enter(waiting)

    def _hear(self, lease: Lease, message: Message) -> SessionRequest | None:
        """Take note of what a worker says; the request of one who wants its session to be admitted."""
        if "public" in message and not lease.session:
            lease.user, lease.uid = message["request"]["user"], message["request"]["uid"]
            return _session_request(message["request"])
        if "resumes" in message and not lease.session:
            lease.session = str(message["resumes"])
            lease.user, lease.uid = message["user"], message["uid"]
        elif "log" in message:
            occasion = Occasion(self._store.host, message["time_ms"], message["user"], message["uid"])
            self._documents.append(entries.occurrence(message["log"], occasion, message["facts"]))
            if message["log"] == entries.CONFIGURATION_CHANGED:
                self._policy = message["facts"]["policy"]
        elif "failed" in message:
            reason = str(message["failed"])
            journal.note("recording-failed", session=lease.session, reason=reason)
            self._add(
                lease, entries.RECORDING_FAILED, {"reason": reason, "goes_on": bool(message.get("goes_on"))}
            )
        elif "finished" in message:
            lease.closing = Closing(tuple(message.get("left_running") or ()), message.get("notice"))
            if message["finished"] in _LIMITS:
                self._add(lease, entries.LIMIT_REACHED, {"limit": message["finished"]})
        return None

    def _add(self, lease: Lease, kind: str, facts: Message) -> None:
        occasion = Occasion(self._store.host, now_ms(), lease.user, lease.uid)
        self._documents.append(entries.occurrence(kind, occasion, {"session": lease.session or None} | facts))

    def _end(self, lease: Lease) -> None:
        self._poll.unregister(lease.connection)
        del self._leases[lease.connection.fileno()]
        lease.connection.close()
        if lease.session:
            self._ended[lease.session] = lease.closing

    def _enter(self, waiting: "Sequence[tuple[Lease, SessionRequest, bytes]]") -> None:
        """Everything under one checkpoint. Where the log cannot be written, nobody gets in."""
        try:
            with self._store.notary.batch() as batch:
                for document in self._documents:
                    batch.append(document)
                admitted = [batch.admit(request, public) for _, request, public in waiting]
        except SealcastError as error:
            journal.note("log-failed", reason=error.message)
            del self._documents[:-MAX_KEPT]
            for lease, _, _ in waiting:
                self._answer(lease, {"refused": error.message})
            return
        if any(entries.action(document) == entries.CONFIGURATION_CHANGED for document in self._documents):
            remember_policy(self._store, self._policy)
        self._documents.clear()
        for (lease, request, _), admission in zip(waiting, admitted, strict=True):
            self._admit(lease, request, admission)

    def _admit(self, lease: Lease, request: SessionRequest, admission: Admission) -> None:
        self._store.release(admission.session_id)
        lease.session = admission.session_id
        started = time.monotonic()
        header = recording_header(admission, request, started, policy=self._policy)
        journal.note("admitted", session=admission.session_id, user=request.user, origin=request.origin)
        answer = {
            "session": admission.session_id,
            "host": admission.host,
            "started": started,
            "header": encode_header(header).decode(),
            "certificate": admission.certificate,
        }
        self._answer(lease, answer)

    def _answer(self, lease: Lease, answer: Message) -> None:
        try:
            Channel(lease.connection).send(answer)
        except (ChannelError, TimeoutError):
            self._end(lease)

    def _seal_if_needed(self) -> None:
        """One child at a time seals what has ended; what ends meanwhile is the next child's."""
        if self._sealer and os.waitpid(self._sealer, os.WNOHANG)[0]:
            self._sealer = 0
        if self._sealer or not (self._ended or self._sweep):
            return
        ended, self._ended = self._ended, {}
        sweep, self._sweep = self._sweep, False
        notes = sweep and time.monotonic() >= self._notes_due
        if notes:
            self._notes_due = time.monotonic() + NOTES_SECONDS
        orphans = self._orphans(ended) if sweep else []
        self._sealer = os.fork()
        if self._sealer == 0:
            self._seal_and_exit(ended, orphans, notes=notes)

    def _orphans(self, ended: Collection[str]) -> list[str]:
        """What lies there of sessions whose workers do not report to this notary."""
        leased = {lease.session for lease in self._leases.values()}
        return [session for session in self._store.live_ids() if session not in leased | set(ended)]

    def _seal_and_exit(self, ended: dict[str, Closing], orphans: list[str], *, notes: bool) -> None:
        status = 1
        try:
            self._listener.close()
            for lease in self._leases.values():
                lease.connection.close()
            sessions = [*ended, *orphans]
            for start in range(0, len(sessions), _HANDFUL):
                self._seal(sessions[start : start + _HANDFUL], ended)
            if notes:
                enter_notes(self._store)
            status = 0
        except Exception as error:  # the last frame of a process: the journal must hear of it
            journal.note("sealing-failed", reason=str(error))
        finally:
            os._exit(status)

    def _seal(self, sessions: list[str], closings: dict[str, Closing]) -> None:
        """What cannot be sealed now stays in live/, and a later sweep comes by."""
        try:
            done = seal_all(self._store, sessions, closings)
        except SealcastError as error:
            journal.note("sealing-failed", sessions=" ".join(sessions), reason=error.message)
            return
        for sealed in done:
            journal.note("sealed", session=sealed.session_id, verdict=str(sealed.verdict))


_LIMITS = ("idle", "duration")


def _session_request(fields: dict[str, Any]) -> SessionRequest:
    columns, rows = fields.pop("terminal")
    return SessionRequest(terminal=(int(columns), int(rows)), **fields)
