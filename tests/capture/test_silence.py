"""Nothing happens for half an hour, by a clock: the pump waits without end, and takes the next key."""

import os
import pty
import select
import socket
import termios
import tty
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from recorder.capture import recording
from recorder.capture.elision import Caps
from recorder.capture.leader import LoginLeader
from recorder.capture.pump import Reason, TerminalPump
from recorder.capture.recording import Recording
from recorder.capture.stream_plan import StreamPlan
from recorder.capture.streams import StreamPump
from recorder.cast import events
from recorder.cast.events import Event
from recorder.cast.v2 import parse_event
from recorder.seal.keys import generate_key
from recorder.seal.sealer import Sealer

HALF_AN_HOUR = 1800.0
START = 5000.0


class Clock:
    """Moves only while the pump waits."""

    def __init__(self) -> None:
        self.now = START

    def monotonic(self) -> float:
        return self.now

    def time_ns(self) -> int:
        return int(self.now * 1e9)


class Waiting:
    """A poll whose time is the clock's. Where the pump would wait for ever the next of `steps` is taken."""

    def __init__(self, clock: Clock, steps: Iterator[None]) -> None:
        self._poll = select.poll()
        self._clock = clock
        self._steps = steps
        self.register = self._poll.register
        self.modify = self._poll.modify
        self.unregister = self._poll.unregister

    def poll(self, milliseconds: float | None) -> list[tuple[int, int]]:
        found = self._poll.poll(0)
        if not found and milliseconds is not None:
            self._clock.now += milliseconds / 1000
        elif not found:
            next(self._steps)
            found = self._poll.poll(30_000)
        return found


def test_half_an_hour_of_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, path = Clock(), tmp_path / "live.cast"
    outer, user = pty.openpty()
    master, slave = pty.openpty()
    login, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    modes = termios.tcgetattr(slave)

    def steps() -> Iterator[None]:
        clock.now += HALF_AN_HOUR
        os.write(outer, b"x\r")
        yield
        while _shown(path) != "x\r\n":
            yield  # the kernel echoes when one of its workers comes to it
        login.send(b"exited\0007")
        yield

    tty.setraw(user)
    os.set_blocking(user, False)
    record = Recording(
        os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), Sealer("host/session", generate_key()), START
    )
    monkeypatch.setattr(recording, "time", clock)
    record.begin(b'{"version": 2, "width": 80, "height": 24}\n')
    pumped = TerminalPump(user, (master, slave), record, LoginLeader(ours), modes)
    monkeypatch.setattr(pumped, "_poll", Waiting(clock, steps()))
    ending = pumped.run()
    record.close()
    for fd in (outer, user, master, slave):
        os.close(fd)
    login.close()
    ours.close()
    assert (ending.reason, ending.status) == (Reason.SHELL_ENDED, 7)
    after = [event for event in _events(path) if event.time >= HALF_AN_HOUR]
    assert [event.data for event in after if event.code == events.KEY] == ["enter echo canonical"]
    assert [event.code for event in after].index(events.OUTPUT) > [event.code for event in after].index(
        events.KEY
    )
    assert [event.code for event in _events(path) if event.time < HALF_AN_HOUR] == [events.SEAL]


def test_half_an_hour_of_silence_without_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, path = Clock(), tmp_path / "live.cast"
    (user_in, typing), (showing, user_out), (_, user_err) = pairs = [os.pipe() for _ in range(3)]
    (reading, in_write), (out_read, writing), (err_read, complaining) = inner = [os.pipe() for _ in range(3)]
    login, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def steps() -> Iterator[None]:
        clock.now += HALF_AN_HOUR
        os.write(typing, b"x\n")
        yield
        assert os.read(reading, 10) == b"x\n"
        clock.now += HALF_AN_HOUR
        os.write(writing, b"y\n")
        yield
        for fd in (writing, complaining):
            os.close(fd)
        login.send(b"exited\0007")
        yield

    record = Recording(
        os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), Sealer("host/session", generate_key()), START
    )
    monkeypatch.setattr(recording, "time", clock)
    record.begin(b'{"version": 2, "width": 80, "height": 24}\n')
    user, pipes = (user_in, user_out, user_err), (in_write, out_read, err_read)
    caps = Caps(1024, 1024, 1024, with_input=True)
    pumped = StreamPump(user, pipes, record, LoginLeader(ours), StreamPlan(caps, caps))
    monkeypatch.setattr(pumped, "_poll", Waiting(clock, steps()))
    ending = pumped.run()
    record.close()
    assert os.read(showing, 10) == b"y\n"
    for fd in {fd for pair in (*pairs, *inner) for fd in pair} - {writing, complaining}:
        with suppress(OSError):  # the pump closes what has ended
            os.close(fd)
    login.close()
    ours.close()
    assert (ending.reason, ending.status) == (Reason.SHELL_ENDED, 7)
    found = [(event.code, event.data) for event in _events(path) if event.time >= HALF_AN_HOUR]
    assert (events.INPUT, "x\n") in found
    late = [event.data for event in _events(path) if event.time >= 2 * HALF_AN_HOUR]
    assert "y\n" in late


def _shown(path: Path) -> str:
    return "".join(event.data for event in _events(path) if event.code == events.OUTPUT)


def _events(path: Path) -> list[Event]:
    return [parse_event(line, "live") for line in path.read_bytes().splitlines(keepends=True)[1:]]
