"""The asking side of the daemon's administration."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from recorder.daemon.administration import CHUNK, DATA, SECONDS, Wish
from recorder.errors import ExitCode, SealcastError
from recorder.safe_text import safe

_MAX_PACKET = 2 * CHUNK + 1024 * 1024


@contextmanager
def connected(path: Path, wish: Wish) -> Iterator[socket.socket]:
    """A connection that the request was sent over; `SealcastError` where no daemon listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(SECONDS)
        try:
            connection.connect(str(path))
            connection.send(wish.packet())
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            message = f"the recorder does not answer at {safe(str(path))}: {reason}"
            raise SealcastError(message, "is it running? sealcast doctor", ExitCode.SOURCE) from error
        yield connection


def answer(connection: socket.socket) -> dict[str, Any] | bytes:
    """The next packet: an object, or bytes of a recording. `SealcastError` for a refusal and for silence."""
    try:
        packet = connection.recv(_MAX_PACKET)
    except OSError as error:
        raise _gone() from error
    if packet.startswith(DATA):
        return packet[len(DATA) :]
    try:
        found = orjson.loads(packet)
    except orjson.JSONDecodeError:
        raise _gone() from None
    if not isinstance(found, dict):
        raise _gone()
    if "refused" in found:
        raise SealcastError(str(found["refused"]), found.get("hint"), ExitCode(found.get("code", 2)))
    return found


def answers(path: Path, wish: Wish) -> list[dict[str, Any]]:
    """All objects up to the one that says `end`; for a request that ends with one, that one."""
    found: list[dict[str, Any]] = []
    with connected(path, wish) as connection:
        while True:
            item = answer(connection)
            if isinstance(item, bytes):
                raise _gone()
            if item.get("end"):
                return found
            found.append(item)
            if wish.verb == "end":
                return found


def _gone() -> SealcastError:
    return SealcastError("the recorder broke off", code=ExitCode.SOURCE)
