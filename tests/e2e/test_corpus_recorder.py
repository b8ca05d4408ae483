"""Section B of the corpus: ways to kill, wedge or silently stop the recorder, from inside a session."""

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pexpect
import pytest

from recorder.cast import events
from recorder.store.catalog import list_sessions
from recorder.store.state import State
from tests.e2e.bastion import Bastion, bastion, processes_of
from tests.e2e.corpus import NEEDS_BASTION, PROMPT, NewSessions
from tests.e2e.sessions import (
    DEADLINE_SECONDS,
    arguments,
    end,
    pid_of,
    run_line,
    terminal,
    wait_for,
    wait_to_see,
)

pytestmark = NEEDS_BASTION
CTRL_C_SECONDS = 0.2
"""What issue 3 asks for under a flood of output."""


@pytest.fixture(scope="module")
def host() -> Iterator[Bastion]:
    with bastion() as host:
        yield host


@pytest.fixture
def new(host: Bastion) -> NewSessions:
    return NewSessions(host)


@pytest.mark.parametrize("name", ["KILL", "STOP", "TERM", "HUP", "WINCH", "USR1"])
def test_b1_b16_no_signal_of_the_user_reaches_the_recorder(
    host: Bastion, new: NewSessions, name: str
) -> None:
    assert host.daemon is not None
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        (worker,) = host.workers()
        for pid in (worker, host.daemon.pid):
            assert b"not permitted" in run_line(child, f"kill -{name} {pid}").lower()
        child.send("exit\r")
        end(child)
    assert new.one().verdict.state is State.VERIFIED


@pytest.mark.slow
def test_b2_after_a_minute_of_silence_every_key_is_recorded(host: Bastion, new: NewSessions) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        with pytest.raises(pexpect.TIMEOUT):
            child.expect_exact("anything", timeout=60)
        assert b"42" in run_line(child, "echo $((6 * 7))")
        child.send("exit 5\r")
        assert end(child) == 5
    found = new.one()
    assert found.verdict.state is State.VERIFIED
    assert b"42\r\n" in found.output
    times = [event.time for event in found.events]
    assert max(after - before for before, after in pairwise(times)) > 59


def test_b6_resizing_while_output_wraps(host: Bastion, new: NewSessions) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        child.send("yes abcdefghijklmnopqrstuvwxyz | tr -d '\\n'\r")
        for turn in range(200):
            child.read_nonblocking(65536, DEADLINE_SECONDS)
            child.setwinsize(1 + turn % 7, 1 + turn % 97)
        child.send("\x03")
        child.expect(re.compile(rb"\^C.*ready> ", re.DOTALL))
        child.setwinsize(33, 77)
        wait_for(lambda: b"33 77" in run_line(child, "stty size"), "the last size")
        child.send("exit 0\r")
        assert end(child) == 0
    found = new.one()
    assert found.verdict.state is State.VERIFIED
    assert found.data(events.RESIZE)[-1] == "77x33"


@pytest.mark.parametrize("size", [(0, 0), (0, 80), (24, 0), (1, 1), (65535, 65535)])
def test_b7_terminals_of_any_size(host: Bastion, new: NewSessions, size: tuple[int, int]) -> None:
    rows, columns = size
    with terminal(*host.ssh("-tt", "stty size"), size=size) as child:
        end(child)
        assert (child.before or b"") == b"%d %d\r\n" % size
    found = new.one()
    assert found.header.session is not None
    assert found.header.session.terminal == (columns, rows)
    wanted = (columns, rows) if columns and rows else (80, 24)
    assert (found.header.width, found.header.height) == wanted


def test_b7_no_terminal_at_the_clients_end(host: Bastion, new: NewSessions) -> None:
    assert host.run("-tt", "stty size").stdout == b"0 0\r\n"
    assert new.one().header.session is not None


@pytest.mark.parametrize("options", [(), ("-tt",)], ids=["streams", "terminal"])
def test_b8_a_reader_that_ends_before_its_writer(
    host: Bastion, new: NewSessions, options: tuple[str, ...]
) -> None:
    done = host.run(*options, "find / 2>/dev/null | head -5")
    assert len(done.stdout.split()) == 5
    found = new.one()
    assert found.output == done.stdout
    assert host.workers() == [], "nobody goes on to spin"


def test_b9_ctrl_c_comes_through_a_flood_in_time(host: Bastion, new: NewSessions) -> None:
    """The prompt is the proof; what was on its way when the key came has to be read first."""
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        wait_for(
            lambda: _interrupted(child) < CTRL_C_SECONDS, "a prompt in time, when nobody else is in the way"
        )
        child.send("exit\r")
        end(child)
    assert new.one().verdict.state is State.VERIFIED


def _interrupted(child: "pexpect.spawn[bytes]") -> float:
    """Seconds from Ctrl-C under `yes` to the next prompt."""
    child.send("yes\r")
    for _ in range(50):
        child.read_nonblocking(65536, DEADLINE_SECONDS)
    pressed = time.monotonic()
    child.send("\x03")
    child.expect(re.compile(rb"\^C.*ready> ", re.DOTALL), searchwindowsize=4096)
    return time.monotonic() - pressed


def test_b10_a_long_session_holds_no_more_descriptors_than_a_short_one(
    host: Bastion, new: NewSessions
) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        (worker,) = host.workers()
        before = len(os.listdir(f"/proc/{worker}/fd"))
        child.send('seq 1 1500000 | tail -c 9000000; echo do""ne\r')
        child.expect_exact("done\r\n")
        child.expect_exact(PROMPT)
        wait_to_see(before, lambda: len(os.listdir(f"/proc/{worker}/fd")), "as many descriptors as before")
        child.send("exit\r")
        end(child)
    assert len(new.one().data(events.SEAL)) > 8


def test_b12_a_file_that_is_no_recording_does_not_stop_the_others(host: Bastion, new: NewSessions) -> None:
    live = host.store.root / "live"
    owner = live.stat()
    before = _sealed(host)
    strange = [live / "20261121T000000-00000000.cast", live / "20261121T000000-11111111.cast"]
    strange[0].write_bytes(os.urandom(5000))
    strange[1].write_bytes(b"")
    for path in strange:
        os.chown(path, owner.st_uid, owner.st_gid)
    try:
        assert host.run("echo $((6 * 7))").stdout == b"42\n"
        wait_for(lambda: len(_sealed(host) - before) == 1, "it is sealed")
        assert host.run("echo $((6 * 7))").stdout == b"42\n"
        wait_for(lambda: len(_sealed(host) - before) == 2, "both are sealed")
    finally:
        for path in strange:
            path.unlink(missing_ok=True)


def _sealed(host: Bastion) -> set[str]:
    return {s.id for s in list_sessions(host.store) if not s.live and s.command == "echo $((6 * 7))"}


def test_b13_a_client_that_vanishes_ends_its_session(host: Bastion, new: NewSessions) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        run_line(child, "echo $((6 * 7))")
        os.kill(pid_of(child), signal.SIGKILL)
        found = new.one()
    assert found.verdict.state is State.VERIFIED
    assert b"42\r\n" in found.output


def test_b14_only_the_sessions_own_processes_are_hung_up(host: Bastion, new: NewSessions) -> None:
    with terminal(*host.ssh("-tt")) as other:
        other.expect_exact(PROMPT)
        with terminal(*host.ssh("-tt")) as child:
            child.expect_exact(PROMPT)
            run_line(child, "setsid sleep 1001 & (trap '' HUP; exec sleep 1002) & sleep 1003 &")
            # a shell that reads may see the end of its terminal before the hang-up, and then sends none on
            child.send("sleep 1004\r")
            everything = {"1001", "1002", "1003", "1004"}
            wait_to_see(everything, lambda: set(_sleeping(host)), "all are past their preparations")
            os.kill(pid_of(child), signal.SIGKILL)
            wait_to_see({"1001", "1002"}, lambda: set(_sleeping(host)), "who was not hung up")
        assert b"42" in run_line(other, "echo $((6 * 7))")
        for pid in _sleeping(host).values():
            os.kill(pid, signal.SIGKILL)
        other.send("exit\r")
        end(other)
    assert len(new.sealed(2)) == 2


def _sleeping(host: Bastion) -> dict[str, int]:
    """Each `sleep` of the user, by how long it was told to."""
    found = {pid: arguments(pid) for pid in processes_of(host.user)}
    return {words[1]: pid for pid, words in found.items() if words[:1] == ["sleep"]}


_HALF_CLOSED = {
    "input ends": ("cat; echo after", b"typed", b"typedafter\n", b""),
    "output ends early": ("echo out; exec >&-; cat >&2", b"typed", b"out\n", b"typed"),
    "error only": ("exec >&-; cat >&2", b"typed", b"", b"typed"),
    "error ends early": ("exec 2>&-; cat", b"typed", b"typed", b""),
    "input is not read": ("exec <&-; echo out", b"typed" * 100_000, b"out\n", b""),
    "no input": ("cat; echo out", None, b"out\n", b""),
    "nothing at all": ("true", None, b"", b""),
}


@pytest.mark.parametrize("case", _HALF_CLOSED)
def test_b15_each_stream_ends_by_itself(host: Bastion, new: NewSessions, case: str) -> None:
    command, stdin, out, err = _HALF_CLOSED[case]
    done = host.run(command, stdin=stdin)
    assert (done.returncode, done.stdout, done.stderr) == (0, out, err)
    assert new.one().verdict.state is State.VERIFIED


def test_b17_the_recorder_holds_nothing_of_other_sessions(host: Bastion, new: NewSessions) -> None:
    with terminal(*host.ssh("-tt")) as one:
        one.expect_exact(PROMPT)
        (first,) = host.workers()
        held = _terminals(first)
        with terminal(*host.ssh("-tt")) as other:
            other.expect_exact(PROMPT)
            (second,) = set(host.workers()) - {first}
            assert host.daemon is not None
            held_by_other = _terminals(second)
            assert held
            assert held_by_other
            assert not held_by_other & held
            recorder = set(processes_of(host.recorder)) - {first, second}
            assert recorder
            wait_for(  # who has just handed descriptors on may not have closed its own yet
                lambda: all(not _terminals(pid) & (held | held_by_other) for pid in recorder),
                lambda: {pid: _terminals(pid) for pid in recorder},
            )
            other.send("exit\r")
            end(other)
        assert host.run("echo out").stdout == b"out\n", "ends while the first session goes on"
        one.send("exit\r")
        end(one)
    assert len(new.sealed(3)) == 3


def _terminals(pid: int) -> set[str]:
    """Both ends of the pseudo-terminals that a process holds: `/dev/pts/N`, and `master N`."""
    found = set()
    with suppress(OSError):  # the process has ended
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with suppress(OSError):  # closed just now
                name = os.readlink(f"/proc/{pid}/fd/{fd}")
                index = re.search(r"^tty-index:\s*(\d+)", _information(pid, fd), re.MULTILINE)
                found.add(f"master {index[1]}" if index else name)
    return {name for name in found if name.startswith(("/dev/pts/", "master "))}


def _information(pid: int, fd: str) -> str:
    return Path(f"/proc/{pid}/fdinfo/{fd}").read_text()
