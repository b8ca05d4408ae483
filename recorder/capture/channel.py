"""Length-prefixed JSON messages over a Unix stream socket, with bounds.

One frame is a 4-byte big-endian length and that many bytes of one JSON object.
"""

import json
import socket
import struct
from typing import Any

MAX_FRAME = 4 * 1024 * 1024
_LENGTH = struct.Struct(">I")

Message = dict[str, Any]


class ChannelError(Exception):
    """The peer is gone, or sent what is not a frame."""


class Channel:
    """One end of the conversation between a worker and whoever started it."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def fileno(self) -> int:
        """The descriptor to poll; readable means that a message has begun."""
        return self._socket.fileno()

    def send(self, message: Message) -> None:
        """Send one message; raises ChannelError when the peer is gone."""
        data = json.dumps(message, separators=(",", ":")).encode()
        try:
            self._socket.sendall(_LENGTH.pack(len(data)) + data, socket.MSG_NOSIGNAL)
        except OSError as error:
            raise ChannelError(f"the peer is gone: {error.strerror}") from error

    def receive(self) -> Message:
        """Wait for the next message; raises ChannelError at the end of the conversation."""
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size))
        if length > MAX_FRAME:
            raise ChannelError(f"a frame of {length} bytes is over the limit of {MAX_FRAME}")
        try:
            message = json.loads(self._read(length))
        except ValueError as error:
            raise ChannelError("a frame is not JSON") from error
        if not isinstance(message, dict):
            raise ChannelError("a frame is not an object")
        return message

    def _read(self, size: int) -> bytes:
        parts = []
        while size:
            try:
                part = self._socket.recv(size)
            except OSError as error:
                raise ChannelError(f"the peer is gone: {error.strerror}") from error
            if not part:
                raise ChannelError("the peer is gone")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """End the conversation; the peer's next receive raises ChannelError."""
        self._socket.close()


def channel_pair() -> tuple[Channel, Channel]:
    """Two connected ends, both close-on-exec."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    return Channel(one), Channel(other)
