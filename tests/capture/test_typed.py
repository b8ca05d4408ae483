"""Type-ahead, with the kernel's own line discipline as the oracle."""

import json
import os
import pty
import select
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import given
from hypothesis import strategies as st

from recorder.capture.recording import Recording
from recorder.capture.terminal import Modes
from recorder.capture.typed import echo_of, hand_on, typed_bytes
from recorder.cast import events
from recorder.seal.keys import generate_key
from recorder.seal.sealer import Sealer

_SPECIAL = b"\x00\x03\x08\x0d\x0f\x11\x12\x13\x15\x16\x17\x1a\x1c\x7f\xff"
"""What a line discipline acts on by itself: signals, erasing, flow control, literal next."""
KEYS = st.lists(st.sampled_from([byte for byte in range(256) if byte not in _SPECIAL]), max_size=200)


@contextmanager
def terminal() -> Iterator[tuple[int, int, Modes]]:
    master, slave = pty.openpty()
    try:
        yield master, slave, termios.tcgetattr(slave)
    finally:
        os.close(master)
        os.close(slave)


def available(fd: int, seconds: float = 0.0) -> bytes:
    """What can be read now, or comes within the time."""
    found = b""
    deadline = time.monotonic() + seconds
    while select.select([fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
        found += os.read(fd, 65536)
        deadline = time.monotonic()
    return found


@given(KEYS)
def test_the_keys_come_back_out_of_a_cooked_terminal(keys: list[int]) -> None:
    typed = bytes(keys)
    with terminal() as (master, slave, modes):
        os.write(master, typed)
        select.select([slave], [], [], 0)  # a poll that finds nothing waits for the kernel's worker
        shown = available(master, 0.02 if typed else 0)
        tty.setraw(slave, termios.TCSANOW)
        held = available(slave, 0.02 if typed else 0)
        assert typed_bytes(held, modes) == typed
        assert echo_of(typed, modes) == shown


def record(typed: bytes, change: int = 0) -> tuple[bytes, list[tuple[str, str]], bytes]:
    """What the session reads, what is recorded, and what its pty shows, with `change` off in lflag."""
    read_end, write_end = os.pipe()
    with terminal() as (master, slave, modes):
        assert isinstance(modes[3], int)
        modes[3] &= ~change
        termios.tcsetattr(slave, termios.TCSANOW, modes)
        recording = Recording(write_end, Sealer("h/s", generate_key()), time.monotonic())
        hand_on(typed, (master, slave), recording, modes)
        os.close(write_end)
        assert termios.tcgetattr(slave)[3] == modes[3]
        told = (available(slave), available(master))
    with os.fdopen(read_end, "rb") as lines:
        recorded = [json.loads(line) for line in lines]
    return told[0], [(code, data) for _, code, data in recorded], told[1]


def test_a_session_gets_what_was_typed_without_a_second_echo() -> None:
    read, recorded, shown = record(b"one\ntwo\n\x04")
    assert read == b"one\ntwo\n"
    assert recorded == [
        *[(events.KEY, f"{key} echo canonical") for key in ("enter", "enter", "ctrl-d")],
        (events.OUTPUT, "one\r\ntwo\r\n"),
    ]
    assert shown == b""


def test_what_was_typed_without_an_echo_is_not_recorded() -> None:
    read, recorded, shown = record(b"secret\n", termios.ECHO)
    assert (read, shown) == (b"secret\n", b"")
    assert recorded == [(events.KEY, "enter noecho canonical")]
