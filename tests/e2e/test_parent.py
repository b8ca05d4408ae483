"""The login outlives its shell, until the recorder has passed on the last bytes; it holds nothing else."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from recorder.cast import events
from recorder.store.state import State
from tests.e2e.bastion import Bastion, bastion, named, processes_of, same_python
from tests.e2e.sessions import children, end, hang_up, is_running, run_line, terminal, wait_for, wait_to_see
from tests.marks import needs

pytestmark = [
    needs("sshd", "ssh"),
    pytest.mark.skipif(os.geteuid() != 0, reason="missing: root, to make accounts"),
    pytest.mark.skipif(not same_python(), reason="missing: a system Python of the same version"),
]
PROMPT = b"ready> "


@pytest.fixture
def host() -> Iterator[Bastion]:
    with bastion() as host:
        yield host


def login_of(host: Bastion) -> int:
    """The one process of `sealcast-shell`."""
    (found,) = [pid for pid in processes_of(host.user) if name(pid) == "sealcast-shell"]
    return found


def name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def kinds_of_descriptors(pid: int) -> list[str]:
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):  # closed just now
            found.append(os.readlink(f"/proc/{pid}/fd/{fd}").partition(":")[0])
    return sorted(found)


def shell_ended(host: Bastion) -> bool:
    """Whether only sshd and the login are left of the session."""
    return {name(pid) for pid in processes_of(host.user)} <= {"sshd", "sshd-session", "sealcast-shell"}


def test_the_last_bytes_arrive_however_late_the_recorder_is(host: Bastion) -> None:
    flag = host.base / "home" / "flag"
    command = f"echo begun; until [ -e {flag} ]; do sleep 0.02; done; seq 1 200; echo last"
    with terminal(*host.ssh("-tt", command)) as child:
        child.expect_exact("begun\r\n")
        (worker,) = host.workers()
        os.kill(worker, signal.SIGSTOP)
        flag.touch()
        wait_for(lambda: shell_ended(host), lambda: f"the shell ended: {named(processes_of(host.user))}")
        os.kill(worker, signal.SIGCONT)
        child.expect_exact("200\r\nlast\r\n")
        assert end(child) == 0
    assert host.recorded().exit_status == 0


@pytest.mark.parametrize("ending", ["exit 7", "kill -TERM $$", "kill -KILL $$"])
def test_it_ends_as_its_shell_did(host: Bastion, ending: str) -> None:
    plain = subprocess.run(["sh", "-c", ending], check=False).returncode
    done = host.run("-tt", ending)
    found = host.recorded()
    assert found.exit_status == (plain if plain >= 0 else 128 - plain)
    assert done.returncode == (plain if plain >= 0 else 255), "ssh ends with 255 after a death by signal"


def test_it_holds_nothing_of_the_session(host: Bastion) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        login = login_of(host)
        held = ["/dev/null"] * 3 + ["anon_inode", "socket"]
        wait_to_see(held, lambda: kinds_of_descriptors(login), "once it has let go of the session")
        assert b"denied" in run_line(child, f"ls /proc/{login}/fd").lower()
        (shell,) = children(login)
        assert name(shell) == "bash"
        child.send("exit 0\r")
        assert end(child) == 0


def test_killing_it_ends_the_session_and_the_record_says_so(host: Bastion) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        child.send("kill -9 $PPID\r")
        end(child)
    found = host.recorded()
    assert found.verdict.state is State.VERIFIED
    assert found.exit_status is None


def test_a_shell_that_ignores_the_hangup_does_not_go_on_unrecorded(host: Bastion) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        run_line(child, "trap '' HUP")
        child.send("exec sleep 1000\r")
        (shell,) = children(login_of(host))
        wait_to_see("sleep", lambda: name(shell), "the shell")
        (worker,) = host.workers()
        os.kill(worker, signal.SIGKILL)
        end(child)
    wait_for(lambda: not is_running(shell), "the shell was ended")


def test_a_shell_that_outlives_its_connection_lives_on(host: Bastion) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        run_line(child, "trap '' HUP")
        child.send("exec sleep 1000\r")
        (shell,) = children(login_of(host))
        wait_to_see("sleep", lambda: name(shell), "the shell")
        hang_up(child)
        host.recorded()
    assert name(shell) == "sleep"


def test_output_to_a_file_is_there_when_su_returns(host: Bastion, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for number in range(10):
        with out.open("wb") as file:
            su = ["su", "-", host.user, "-c", f"seq 1 {number}000; exit {number}"]
            assert subprocess.run(su, stdin=subprocess.DEVNULL, stdout=file, check=False).returncode == number
        assert out.read_text().splitlines()[-1:] == ([f"{number}000"] if number else [])
    assert all(session.exit_status is not None for session in host.sessions(10))


def test_su_from_a_terminal_that_is_not_recorded(host: Bastion) -> None:
    """The terminal stays that of the outer session: its new size comes by way of the login."""
    with terminal("bash", "--norc") as child:
        child.expect_exact(PROMPT)
        child.send(f"su - {host.user}\r")
        child.expect_exact(PROMPT)
        assert b"24 80" in run_line(child, "stty size")
        child.setwinsize(40, 120)
        wait_for(lambda: b"40 120" in run_line(child, "stty size"), "the new size")
        child.send("exit 3\r")
        child.expect_exact("logout\r\n")
        child.expect_exact(PROMPT)
        child.send("echo status $?; stty -a | grep -o ' icanon'; cat\r")
        child.expect_exact("status 3\r\n icanon\r\n")
        child.send("read by cat\r")
        child.expect_exact("read by cat\r\nread by cat\r\n")
    found = host.recorded()
    assert found.data(events.RESIZE) == ["120x40"]
    assert found.exit_status == 3


def test_a_command_of_su_on_a_terminal_that_is_not_recorded(host: Bastion) -> None:
    """su starts it in a session that has no terminal, and leaves it the one of the session outside."""
    with terminal("bash", "--norc") as child:
        child.expect_exact(PROMPT)
        child.send(f"su - {host.user} -c 'stty size; read x; echo got $x; sleep 1000; exit 3'\r")
        child.expect_exact("24 80\r\n")
        child.send("word\r")
        child.expect_exact("got word\r\n")
        child.send("\x03")
        child.expect_exact(PROMPT)
        assert b"status 130\r\n" in run_line(child, "echo status $?")
        child.send("stty -a | grep -o ' icanon'; cat\r")
        child.expect_exact(" icanon\r\n")
        child.send("read by cat\r")
        child.expect_exact("read by cat\r\nread by cat\r\n")
    assert host.recorded().exit_status == 130
