"""Frames arrive as they were sent; what is no frame ends the conversation."""

import socket
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.capture.channel import MAX_FRAME, Channel, ChannelError, channel_pair


@pytest.fixture
def raw() -> Iterator[tuple[socket.socket, Channel]]:
    one, other = socket.socketpair()
    yield one, Channel(other)
    one.close()
    other.close()


@given(st.dictionaries(st.text(), st.none() | st.integers() | st.text()))
def test_a_message_comes_back_as_it_was(message: dict[str, object]) -> None:
    one, other = channel_pair()
    one.send(message)
    assert other.receive() == message
    one.close()
    other.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x00\x00",
        struct.pack(">I", 10) + b"{}",
        struct.pack(">I", 2) + b"[]",
        struct.pack(">I", 3) + b"{\xff}",
        struct.pack(">I", MAX_FRAME + 1),
    ],
    ids=["nothing", "half a length", "half a frame", "no object", "no JSON", "too long"],
)
def test_what_is_no_frame_is_refused(raw: tuple[socket.socket, Channel], sent: bytes) -> None:
    one, channel = raw
    one.sendall(sent)
    one.shutdown(socket.SHUT_WR)
    with pytest.raises(ChannelError):
        channel.receive()


def test_sending_to_nobody_is_an_error() -> None:
    one, other = channel_pair()
    other.close()
    with pytest.raises(ChannelError):
        one.send({"a": 1})
    one.close()
