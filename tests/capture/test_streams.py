"""The pump of three streams: half-close, readers that go away, caps, and what it says of the rest."""

import hashlib
import json
import os
import select
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

from recorder.capture import flow
from recorder.capture.elision import Caps
from recorder.capture.leader import LeaderLostError
from recorder.capture.pump import Ending, Reason
from recorder.capture.recording import Recording
from recorder.capture.sftp_observer import start_observer
from recorder.capture.stream_plan import StreamPlan, plan_streams
from recorder.capture.streams import StreamPump
from recorder.capture.transfer import judge
from recorder.cast import events
from recorder.cast.events import Event
from recorder.cast.v2 import parse_event
from recorder.seal.keys import generate_key
from recorder.seal.sealer import Sealer
from tests.capture.test_sftp import CONVERSATION, FACTS
from tests.e2e.sessions import DEADLINE_SECONDS, wait_for

Pair = Callable[[], tuple[int, int]]


def sockets() -> tuple[int, int]:
    """One-way, as sshd's socket pairs are used."""
    read, write = socket.socketpair()
    return read.detach(), write.detach()


class Leader:
    """A process that ends when it is told to."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        self.let_go_of = False

    def fileno(self) -> int:
        return self._read

    def exit(self, status: int) -> None:
        if self._write >= 0:
            os.write(self._write, bytes([status]))

    def ended(self) -> int:
        status = os.read(self._read, 1)
        if not status:
            raise LeaderLostError
        return status[0]

    def lose(self) -> None:
        os.close(self._write)
        self._write = -1

    def close(self) -> None:
        os.close(self._read)
        if self._write >= 0:
            os.close(self._write)

    def let_go(self) -> None:
        self.let_go_of = True


@dataclass
class Session:
    """A pump in a thread; the test is its user and its shell at once. Descriptors by name."""

    user: dict[str, int]
    shell: dict[str, int]
    leader: Leader
    recorded: int
    thread: threading.Thread
    ending: list[Ending] = field(default_factory=list)

    def end(self) -> Ending:
        """The pump's own end."""
        self.thread.join(DEADLINE_SECONDS)
        assert not self.thread.is_alive(), "the pump goes on"
        return self.ending[0]

    def close(self, side: dict[str, int], name: str) -> None:
        os.close(side.pop(name))

    def events(self) -> list[Event]:
        """All that was recorded, once the pump has ended."""
        with os.fdopen(os.dup(self.recorded), "rb") as file:
            return [parse_event(line, "pipe") for line in file]


def start(plan: StreamPlan, pair: Pair = os.pipe) -> Session:
    (in_read, user_in), (user_out, out_write), (user_err, err_write) = pair(), pair(), pair()
    (shell_in, in_write), (out_read, shell_out), (err_read, shell_err) = os.pipe(), os.pipe(), os.pipe()
    recorded, record_end = os.pipe()
    flow.enlarge(record_end)
    recording = Recording(record_end, Sealer("host/session", generate_key()), 0.0)
    leader = Leader()
    ending: list[Ending] = []
    user_ends, pipes = (in_read, out_write, err_write), (in_write, out_read, err_read)

    def run() -> None:
        ending.append(StreamPump(user_ends, pipes, recording, leader, plan=plan).run())
        recording.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    user = {"in": user_in, "out": user_out, "err": user_err}
    shell = {"in": shell_in, "out": shell_out, "err": shell_err}
    return Session(user, shell, leader, recorded, thread, ending)


@pytest.fixture(params=[os.pipe, sockets], ids=["pipes", "sockets"])
def pair(request: pytest.FixtureRequest) -> Pair:
    return request.param  # type: ignore[no-any-return]  # one of the two above


@pytest.fixture
def begin() -> Iterator[Callable[..., Session]]:
    started: list[Session] = []

    def begin(plan: StreamPlan, pair: Pair = os.pipe) -> Session:
        started.append(start(plan, pair))
        return started[-1]

    yield begin
    for session in started:
        for fd in (*session.user.values(), *session.shell.values()):
            os.close(fd)
        session.leader.exit(0)
        session.end()
        session.leader.close()
        os.close(session.recorded)


ALL = Caps(None, None, None, with_input=True)
SHELL = StreamPlan(ALL, ALL)
NOTHING = StreamPlan(Caps(0, 0, 0, with_input=True), ALL)
"""Stored, for tests of many bytes: the recording is a pipe that is read at the end."""


def read_all(fd: int) -> bytes:
    parts = []
    while part := os.read(fd, 65536):
        parts.append(part)
    return b"".join(parts)


def flood(fd: int) -> NoReturn:
    while True:
        os.write(fd, bytes(65536))


def test_each_end_of_file_goes_its_own_way(begin: Callable[..., Session], pair: Pair) -> None:
    session = begin(SHELL, pair)
    os.write(session.user["in"], b"typed\n")
    assert os.read(session.shell["in"], 100) == b"typed\n"
    session.close(session.user, "in")
    assert os.read(session.shell["in"], 100) == b""
    os.write(session.shell["out"], b"shown\n")
    session.close(session.shell, "out")
    assert read_all(session.user["out"]) == b"shown\n"
    os.write(session.shell["err"], b"told\n")
    session.close(session.shell, "err")
    assert read_all(session.user["err"]) == b"told\n"
    session.leader.exit(3)
    assert session.end() == Ending(Reason.SHELL_ENDED, 3)
    codes = [(event.code, event.data) for event in session.events() if event.code in "ioE"]
    assert codes == [("i", "typed\n"), ("o", "shown\n"), ("o", "told\n"), ("E", "")]


def test_a_reader_that_goes_away_is_noticed_by_the_writer(begin: Callable[..., Session], pair: Pair) -> None:
    session = begin(SHELL, pair)
    session.close(session.user, "out")
    with pytest.raises(BrokenPipeError):
        flood(session.shell["out"])
    session.close(session.shell, "in")
    with pytest.raises(OSError, match=r"Broken pipe|reset"):
        flood(session.user["in"])


def test_a_slow_reader_holds_the_writer_up_and_nothing_is_lost(
    begin: Callable[..., Session], pair: Pair
) -> None:
    session = begin(NOTHING, pair)
    data = os.urandom(3_000_000)

    def write() -> None:
        with os.fdopen(os.dup(session.shell["out"]), "wb") as file:
            file.write(data)

    writer = threading.Thread(target=write)
    writer.start()
    writer.join(0.3)
    assert writer.is_alive(), "three megabytes fit nowhere"
    got = b""
    while len(got) < len(data):
        got += os.read(session.user["out"], 100_000)
    writer.join(DEADLINE_SECONDS)
    assert got == data
    session.close(session.shell, "out")
    session.close(session.shell, "err")
    session.leader.exit(0)
    session.end()
    (told,) = [json.loads(event.data) for event in session.events() if event.code == events.ELISION][-1:]
    assert told == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "stream": "output"}


def test_old_kernels_get_no_more_than_they_promise_to_take(
    begin: Callable[..., Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without RWF_NOWAIT for pipes (before Linux 6.4)."""

    def refuse(*_: object) -> int:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "pwritev", refuse)
    session = begin(NOTHING)
    data = os.urandom(300_000)
    writer = threading.Thread(target=lambda: os.write(session.shell["out"], data))
    writer.start()
    got = b""
    while len(got) < len(data):
        got += os.read(session.user["out"], 100_000)
    writer.join(DEADLINE_SECONDS)
    assert got == data


def test_output_may_go_to_a_file_and_input_come_from_one(tmp_path: Path) -> None:
    data = os.urandom(1_000_000)
    (tmp_path / "in").write_bytes(data)
    source = os.open(tmp_path / "in", os.O_RDONLY)
    sink = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    seen: list[bytes] = []
    between = flow.Flow(source, sink, lambda chunk: seen.append(bytes(chunk)))
    while not between.closed:
        between.move({source: select.POLLIN, sink: select.POLLOUT})
    assert (tmp_path / "out").read_bytes() == b"".join(seen) == data


def test_a_source_that_another_process_emptied_has_not_ended() -> None:
    read, write = os.pipe()
    os.set_blocking(read, False)
    between = flow.Flow(read, os.open(os.devnull, os.O_WRONLY), lambda _: None)
    between.move({read: select.POLLIN})
    assert not between.ended
    os.close(write)
    between.move({read: select.POLLIN})
    assert between.closed


def test_beyond_its_cap_a_stream_is_counted_and_hashed(begin: Callable[..., Session]) -> None:
    caps = Caps(input=4, output=2, error=None, with_input=True)
    session = begin(StreamPlan(caps, caps))
    os.write(session.user["in"], b"abcdefg")
    assert os.read(session.shell["in"], 100) == b"abcdefg"
    os.write(session.shell["out"], b"xyz")
    assert os.read(session.user["out"], 100) == b"xyz"
    for name in ("out", "err"):
        session.close(session.shell, name)
    session.leader.exit(0)
    session.end()
    found = session.events()
    assert [event.data for event in found if event.code in "io"] == ["abcd", "xy"]
    told = {json.loads(event.data)["stream"]: json.loads(event.data) for event in found if event.code == "L"}
    assert told["input"] == {"bytes": 3, "sha256": hashlib.sha256(b"efg").hexdigest(), "stream": "input"}
    assert told["output"] == {"bytes": 1, "sha256": hashlib.sha256(b"z").hexdigest(), "stream": "output"}


def test_what_is_left_out_is_named_while_the_session_goes_on(begin: Callable[..., Session]) -> None:
    """So that a kill loses a second of it at most."""
    session = begin(NOTHING)
    os.write(session.user["in"], b"abc")
    with os.fdopen(os.dup(session.recorded), "rb") as file:
        first, seal = (parse_event(file.readline(), "pipe") for _ in range(2))
    assert json.loads(first.data)["bytes"] == 3
    assert (first.code, seal.code) == (events.ELISION, events.SEAL)
    assert session.thread.is_alive()


def test_a_leader_that_is_lost_ends_the_session(begin: Callable[..., Session]) -> None:
    session = begin(SHELL)
    session.leader.lose()
    assert session.end() == Ending(Reason.SUPERVISOR_GONE, None)


def test_a_leader_is_let_go_when_its_last_bytes_were_passed_on(begin: Callable[..., Session]) -> None:
    """Though a child of its holds the pipes open."""
    session = begin(SHELL)
    os.write(session.shell["out"], b"last")
    session.leader.exit(0)
    wait_for(lambda: session.leader.let_go_of, "the leader is let go")
    os.set_blocking(session.user["out"], False)
    assert os.read(session.user["out"], 100) == b"last"
    assert session.thread.is_alive()


def sftp() -> StreamPlan:
    transfer = judge(b"internal-sftp")
    return StreamPlan(Caps(0, 0, None, with_input=True), ALL, transfer, "/sftp-server", start_observer())


def test_sftp_is_followed_while_it_passes(begin: Callable[..., Session]) -> None:
    session = begin(sftp())
    for side, data in CONVERSATION:
        write, read = (("user", "shell"), ("shell", "user"))[side == "server"]
        name = "in" if side == "client" else "out"
        os.write(getattr(session, write)[name], data)
        got = b""
        while len(got) < len(data):
            got += os.read(getattr(session, read)[name], 100_000)
        assert got == data
    for name in ("out", "err"):
        session.close(session.shell, name)
    session.leader.exit(0)
    session.end()
    found = session.events()
    assert found[0].code == events.TRANSFER
    assert [json.loads(event.data) for event in found if event.code == events.FILE] == FACTS
    assert not [event for event in found if event.code in "io"]


def test_what_turns_out_not_to_be_sftp_is_stored_from_then_on(begin: Callable[..., Session]) -> None:
    session = begin(sftp())
    os.write(session.user["in"], b"exec bash -i\n")
    assert os.read(session.shell["in"], 100) == b"exec bash -i\n"
    with os.fdopen(os.dup(session.recorded), "rb") as file:
        lines = iter(file.readline, b"")
        assert next(event for line in lines if (event := parse_event(line, "pipe")).code == events.FILE)
        os.write(session.shell["out"], b"$ ")
        assert os.read(session.user["out"], 100) == b"$ "
        shown = next(event for line in lines if (event := parse_event(line, "pipe")).code == events.OUTPUT)
    assert shown.data == "$ "


def test_a_command_is_planned_by_who_started_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.capture.stream_plan.trusted_program", lambda paths: paths[0])
    command = b"scp -t 'a b'"
    plan = plan_streams(command, from_sshd=True, input_cap=7, output_cap=9)
    assert plan.caps == Caps(0, 0, 9, with_input=True)
    assert plan.orders() == b"\0/usr/bin/scp\0000\0scp\0-t\0a b"
    assert json.loads(plan.facts() or "")["arguments"] == ["scp", "-t", "a b"]
    for unsure in (
        plan_streams(command, from_sshd=False, input_cap=7, output_cap=9),
        plan_streams(b"scp -t x; id", from_sshd=True, input_cap=7, output_cap=9),
        plan_streams(None, from_sshd=True, input_cap=7, output_cap=9),
    ):
        assert unsure == StreamPlan(Caps(7, 9, 9, with_input=True), Caps(7, 9, 9, with_input=True))
        assert (unsure.orders(), unsure.facts()) == (b"", None)


def test_a_program_that_cannot_be_trusted_is_left_to_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.capture.stream_plan.trusted_program", lambda _: None)
    plan = plan_streams(b"rsync --server . x", from_sshd=True, input_cap=1, output_cap=1)
    assert plan.transfer is None


def test_git_is_named_and_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.capture.stream_plan.trusted_program", lambda paths: paths[0])
    plan = plan_streams(b"git-receive-pack 'x'", from_sshd=True, input_cap=7, output_cap=9)
    assert plan.transfer is not None
    assert plan.caps == Caps(7, 9, 9, with_input=True)
