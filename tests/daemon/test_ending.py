"""Ending what a session left: real processes of real uids, none of which is anybody else's."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from recorder.capture import survivors
from recorder.capture.peer import start_of
from recorder.capture.survivors import Traces, name_of, traces_from
from recorder.daemon import ending
from tests.e2e.sessions import children, wait_for, wait_to_see

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="missing: root, to be several users")
ABSENT = 4_000_000
"""The pid of a login that has ended: over what Linux gives (PID_MAX_LIMIT is 4,194,304; hosts use less)."""


@pytest.fixture
def uid() -> int:
    """Nobody's, and no other test's at the same time."""
    return 70_000 + 2 * (os.getpid() % 100_000)


@pytest.fixture
def everybodys() -> Iterator[Path]:
    """A directory out of which every user can run programs."""
    with tempfile.TemporaryDirectory(dir=os.environ["PYTEST_DEBUG_TEMPROOT"]) as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


class Processes:
    """Starts processes that lead sessions of their own; kills them at the end."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def start(
        self, uid: int, script: str = "exec sleep 1000", shell: str = "/bin/sh"
    ) -> "subprocess.Popen[bytes]":
        """A shell as this user, once it has run `script` up to its `echo ready` (which is added before)."""
        process = subprocess.Popen(
            [shell, "-c", f"echo ready; {script}"],
            user=uid,
            group=uid,
            extra_groups=[],
            start_new_session=True,
            stdout=subprocess.PIPE,
        )
        self._stack.callback(_end, process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process


def _end(leader: "subprocess.Popen[bytes]") -> None:
    """With all its session: the group outlives a leader that was ended by the test."""
    with suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGKILL)
    leader.wait(30)
    if leader.stdout is not None:
        leader.stdout.close()


@pytest.fixture
def processes() -> Iterator[Processes]:
    with ExitStack() as stack:
        yield Processes(stack)


def traces(uid: int, *leaders: "subprocess.Popen[bytes]") -> Traces:
    found = Traces(ABSENT, 0, uid)
    for leader in leaders:
        found.add_leader(leader.pid)
    return traces_from(found.facts())


def test_each_is_asked_first_and_killed_where_that_does_not_help(uid: int, processes: Processes) -> None:
    soft = processes.start(uid, "exec sleep 1000")
    hard = processes.start(uid, "trap '' HUP TERM; echo ready; exec sleep 1000")
    assert hard.stdout is not None
    assert hard.stdout.readline() == b"ready\n"
    stopped = processes.start(uid, "exec sleep 1000")
    wait_to_see({"sleep"}, lambda: {name_of(one.pid) for one in (soft, hard, stopped)}, "what goes on")
    stopped.send_signal(signal.SIGSTOP)
    told = ending.end_survivors(traces(uid, soft, hard, stopped))
    assert {one["pid"]: one["ended"] for one in told} == {
        soft.pid: "HUP",
        hard.pid: "KILL",
        stopped.pid: "HUP",
    }
    assert {one["name"] for one in told} == {"sleep"}
    assert (soft.wait(30), hard.wait(30), stopped.wait(30)) == (-1, -9, -1)


def test_another_session_and_another_user_are_left_alone(uid: int, processes: Processes) -> None:
    own, other, foreign = processes.start(uid), processes.start(uid), processes.start(uid + 1)
    told = ending.end_survivors(traces(uid, own, foreign))
    assert {one["pid"] for one in told} >= {own.pid}
    assert own.wait(30) == -1
    assert (other.poll(), foreign.poll()) == (None, None)


def test_a_session_number_that_is_somebody_elses_by_now_names_nobody(uid: int, processes: Processes) -> None:
    other = processes.start(uid)
    stale = Traces(ABSENT, 0, uid, {other.pid: (start_of(other.pid) or 0) - 1})
    assert ending.end_survivors(stale) == []
    assert other.poll() is None


def test_a_pid_that_is_somebody_elses_by_now_names_nobody(uid: int, processes: Processes) -> None:
    other = processes.start(uid)
    stale = Traces(other.pid, (start_of(other.pid) or 0) - 1, uid, waits=False)
    assert ending.end_survivors(stale) == []
    assert other.poll() is None


def test_what_starts_anew_when_it_is_hung_up_is_ended_as_well(
    uid: int, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "GRACE_SECONDS", 0.5)
    script = "trap '(trap \"\" HUP; exec sleep 1001) & exit' HUP; while :; do sleep 0.05; done"
    found = traces(uid, processes.start(uid, script))
    ending.end_survivors(found)
    assert found.left() == []


def test_it_cannot_be_hidden_by_a_program_that_may_not_be_read(
    uid: int, processes: Processes, everybodys: Path
) -> None:
    """The kernel shows what is in /proc/PID as root's then; ssh-agent is such a one."""
    hidden = everybodys / "sleep"
    shutil.copy("/bin/sleep", hidden)
    hidden.chmod(0o711)
    process = processes.start(uid, f"exec {hidden} 1000")
    wait_for(lambda: os.stat(f"/proc/{process.pid}/environ").st_uid == 0, "the kernel shows it as root's")
    assert [one["pid"] for one in ending.end_survivors(traces(uid, process))] == [process.pid]
    assert process.wait(30) == -1


@pytest.mark.parametrize("busy", [True, False])
def test_what_only_the_login_has_in_common_is_ended_after_its_last_channel(
    uid: int, processes: Processes, everybodys: Path, monkeypatch: pytest.MonkeyPatch, busy: bool
) -> None:
    """A detached process may be that of another channel of the same connection, which sshd still serves."""
    sshd = everybodys / "sshd"
    shutil.copy("/bin/sh", sshd)
    detached, channel = processes.start(uid), processes.start(uid, "sleep 1000 & wait", str(sshd))
    wait_for(lambda: children(channel.pid), "the channel's command")
    login = {detached.pid, *children(detached.pid), *((channel.pid, *children(channel.pid)) if busy else ())}
    monkeypatch.setattr(survivors, "audit_number", lambda pid, _name: 7 if pid in login else None)
    found = Traces(ABSENT, 0, uid, audit_session=7)
    assert found.left() != []
    told = ending.end_survivors(found)
    assert (detached.pid in {one["pid"] for one in told}) is not busy
    assert channel.poll() is None
    if busy:
        assert detached.poll() is None
    else:
        assert detached.wait(30) == -1
