"""The notary process: it holds the host key, admits sessions, and seals what their workers leave.

Workers reach it over a socket in the store, where no user can. A worker's connection is its lease: when it
ends, however it ends, the session is sealed, by a child of the notary, so that the next login does not wait.
"""

import os
import select
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recorder.capture.channel import Channel, ChannelError, Message
from recorder.capture.signals import SignalPipe
from recorder.cast.v2 import encode_header
from recorder.errors import SealcastError
from recorder.log.notary import SessionRequest
from recorder.safe_text import safe
from recorder.store.layout import Store
from recorder.store.opening import recording_header
from recorder.store.sealing import seal, seal_orphans

SWEEP_SECONDS = 5.0
"""How long a recording may wait to be sealed whose worker belonged to an earlier notary."""
PATIENCE_SECONDS = 5.0
"""How long a worker may take to send its request once it has connected."""
BACKLOG = 1024


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
    return listener


@dataclass(slots=True)
class Lease:
    """One worker's connection; `session` is empty until it is admitted."""

    connection: socket.socket
    session: str = ""


class NotaryService:
    """Serves until `owner`, the read end of a pipe that the daemon holds, reads end of file."""

    def __init__(self, store: Store, listener: socket.socket, owner: int, policy: str | None) -> None:
        self._store = store
        self._listener = listener
        self._owner = owner
        self._policy = policy
        self._leases: dict[int, Lease] = {}
        self._sealer = 0
        self._ended: list[str] = []
        self._sweep = True
        self._poll = select.poll()

    def run(self) -> None:
        """Admit and seal until the daemon is gone."""
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
                for fd in [fd for fd in ready if fd in self._leases]:
                    self._serve(self._leases[fd])
                self._sweep = self._sweep or not ready

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(PATIENCE_SECONDS)
        self._leases[connection.fileno()] = Lease(connection)
        self._poll.register(connection, select.POLLIN)

    def _serve(self, lease: Lease) -> None:
        channel = Channel(lease.connection)
        try:
            message = channel.receive()
            if "public" in message and not lease.session:
                channel.send(self._admit(lease, message))
            elif "failed" in message:
                _log("recording-failed", session=lease.session, reason=str(message["failed"]))
        except (ChannelError, TimeoutError):
            self._end(lease)

    def _end(self, lease: Lease) -> None:
        self._poll.unregister(lease.connection)
        del self._leases[lease.connection.fileno()]
        lease.connection.close()
        if lease.session:
            self._ended.append(lease.session)

    def _admit(self, lease: Lease, message: Message) -> Message:
        try:
            request = _session_request(message["request"])
            admission = self._store.notary.admit(request, bytes.fromhex(message["public"]))
        except SealcastError as error:
            _log("refused", reason=error.message)
            return {"refused": error.message}
        self._store.release(admission.session_id)
        lease.session = admission.session_id
        started = time.monotonic()
        header = recording_header(admission, request, started, policy=self._policy)
        _log("admitted", session=admission.session_id, user=request.user, origin=request.origin)
        return {
            "session": admission.session_id,
            "host": admission.host,
            "started": started,
            "header": encode_header(header).decode(),
            "certificate": admission.certificate,
        }

    def _seal_if_needed(self) -> None:
        """One child at a time seals what has ended; what ends meanwhile is the next child's."""
        if self._sealer and os.waitpid(self._sealer, os.WNOHANG)[0]:
            self._sealer = 0
        if self._sealer or not (self._ended or self._sweep):
            return
        ended, self._ended = self._ended, []
        sweep, self._sweep = self._sweep, False
        self._sealer = os.fork()
        if self._sealer == 0:
            self._seal_and_exit(ended, sweep)

    def _seal_and_exit(self, ended: list[str], sweep: bool) -> None:
        status = 1
        try:
            self._listener.close()
            for lease in self._leases.values():
                lease.connection.close()
            for session in ended:
                self._seal(session)
            for sealed in seal_orphans(self._store) if sweep else ():
                _log("sealed", session=sealed.session_id, verdict=str(sealed.verdict))
            status = 0
        except Exception as error:  # the last frame of a process: the journal must hear of it
            _log("sealing-failed", reason=str(error))
        finally:
            os._exit(status)

    def _seal(self, session: str) -> None:
        """What cannot be sealed now stays in live/, and a later sweep comes by."""
        try:
            sealed = seal(self._store, session)
        except SealcastError as error:
            _log("sealing-failed", session=session, reason=error.message)
        else:
            _log("sealed", session=session, verdict=str(sealed.verdict))


def _session_request(fields: dict[str, Any]) -> SessionRequest:
    columns, rows = fields.pop("terminal")
    return SessionRequest(terminal=(int(columns), int(rows)), **fields)


def _log(event: str, **fields: str) -> None:
    """One line for the journal: `event name=value …`, values made safe."""
    text = " ".join(f"{name}={safe(value, 500)!r}" for name, value in fields.items())
    sys.stderr.write(f"sealcast: {event} {text}\n")
    sys.stderr.flush()
