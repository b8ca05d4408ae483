"""A worker's control socket: through it the recorder asks after a session, and ends it.

It lies in a directory that only the recorder's own user can enter, under the session's id, so that it is
found by a daemon that started after the session did. One request, one answer, one packet each; both are JSON.
"""

import json
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from recorder.capture.channel import Message

PATIENCE_SECONDS = 2.0
"""How long either side waits for the other."""
MAX_PACKET = 16 * 1024
_BACKLOG = 16


class Control:
    """The worker's end: a listening socket at `path`, which `close` removes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            path.unlink(missing_ok=True)
            self._listener.bind(os.fspath(path))
            self._listener.listen(_BACKLOG)
            self._listener.setblocking(False)
        except BaseException:
            self._listener.close()
            raise

    def fileno(self) -> int:
        """Readable when somebody asks."""
        return self._listener.fileno()

    def serve(self, answer: Callable[[Message], Message]) -> None:
        """Answer one who waits; whoever says nothing, or nonsense, is hung up on."""
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        with connection, suppress(OSError, ValueError):
            connection.settimeout(PATIENCE_SECONDS)
            message = json.loads(connection.recv(MAX_PACKET))
            if isinstance(message, dict):
                connection.send(json.dumps(answer(message)).encode())

    def close(self) -> None:
        """Nobody is answered any more."""
        self._listener.close()
        self._path.unlink(missing_ok=True)


def ask(path: Path, message: Message, seconds: float = PATIENCE_SECONDS) -> Message | None:
    """The answer of whoever listens at `path`; None where nobody does, or does not answer in time."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(os.fspath(path))
            connection.send(json.dumps(message).encode())
            answer = json.loads(connection.recv(MAX_PACKET))
        except (OSError, ValueError):
            return None
    return answer if isinstance(answer, dict) else None
