"""Logins by a real sshd: recorded by a process of another user, and as if it were not there."""

import hashlib
import io
import os
import re
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pexpect
import pytest

from recorder.cast import events
from recorder.store.state import State
from tests.e2e.bastion import Bastion, bastion, same_python
from tests.e2e.sessions import DEADLINE_SECONDS, end, read, run_line, terminal, wait_for
from tests.marks import needs

pytestmark = [
    needs("sshd", "ssh", "scp", "sftp"),
    pytest.mark.skipif(os.geteuid() != 0, reason="missing: root, to make accounts"),
    pytest.mark.skipif(not same_python(), reason="missing: a system Python of the same version"),
]
PROMPT = b"ready> "


@pytest.fixture
def host() -> Iterator[Bastion]:
    with bastion() as host:
        yield host


def test_an_interactive_login_is_recorded(host: Bastion) -> None:
    with terminal(*host.ssh("-tt"), size=(30, 100)) as child:
        child.expect_exact(PROMPT)
        assert b"30 100" in run_line(child, "stty size")
        child.setwinsize(40, 120)
        wait_for(lambda: b"40 120" in run_line(child, "stty size"), "the new size")
        child.send("sh -c 'echo st\"\"arted; exec sleep 1000'\r")
        child.expect_exact("started\r\n")
        child.send("\x03")
        child.expect_exact(PROMPT)
        child.send("exit 7\r")
        assert end(child) == 7
    found = host.recorded()
    assert found.verdict.state is State.VERIFIED
    assert found.exit_status == 7
    session = found.header.session
    assert session is not None
    assert (session.origin, session.user) == ("sshd", host.user)
    assert session.source is not None
    assert session.source["ip"] == "127.0.0.1"
    assert "publickey" in str(session.authentication)
    assert found.data(events.RESIZE) == ["120x40"]


def test_commands_without_a_terminal_behave_as_under_plain_sshd(host: Bastion) -> None:
    done = host.run("cat; echo oops >&2; exit 5", stdin=b"typed\n")
    assert (done.returncode, done.stdout, done.stderr) == (5, b"typed\n", b"oops\n")
    assert host.run("echo no input").stdout == b"no input\n"
    assert host.run("bash", stdin=b"echo $((6*7)); exit 3\n").stdout == b"42\n"
    assert host.run("kill -TERM $$").returncode in {143, 255}, "as ssh reports a death by signal"
    found = [read(session, host.store) for session in host.sessions(4)]
    assert [item.verdict.state for item in found] == [State.VERIFIED] * 4


@pytest.mark.parametrize("protocol", [[], ["-O"]], ids=["sftp protocol", "scp protocol"])
def test_files_are_copied_both_ways(host: Bastion, tmp_path: Path, protocol: list[str]) -> None:
    source, back = tmp_path / "source", tmp_path / "back"
    source.write_bytes(os.urandom(5_000_000))
    options = ["-q", *protocol, "-P", str(host.port), "-i", str(host.base / "user-key"), *host.ssh()[1:7]]
    remote = f"{host.user}@127.0.0.1:copied"
    subprocess.run(["scp", *options, str(source), remote], check=True, timeout=DEADLINE_SECONDS)
    subprocess.run(["scp", *options, remote, str(back)], check=True, timeout=DEADLINE_SECONDS)
    assert back.read_bytes() == source.read_bytes()
    assert [read(item, host.store).verdict.state for item in host.sessions(2)] == [State.VERIFIED] * 2


def test_megabytes_each_way_have_equal_hashes(host: Bastion) -> None:
    data = os.urandom(20_000_000)
    done = host.run("cat", stdin=data, timeout=DEADLINE_SECONDS)
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(data).digest()


def test_the_outer_terminal_cannot_be_used_past_the_recorder(host: Bastion) -> None:
    """Row A19 of the corpus: what was shown equals what was recorded."""
    shown = io.BytesIO()
    with terminal(*host.ssh("-tt")) as child:
        child.logfile_read = shown
        child.expect_exact(PROMPT)
        attack = 'for p in /dev/pts/[0-9]*; do [ $p = $(tty) ] || echo "past the recorder" > $p; done'
        child.send(attack + "\r")
        child.expect(re.compile(rb"(busy|denied).*ready> ", re.DOTALL))
        child.send("exit 0\r")
        assert end(child) == 0
    assert b"\npast the recorder" not in shown.getvalue()
    assert shown.getvalue().rstrip() == host.recorded().output.rstrip()


def test_the_user_can_neither_signal_the_recorder_nor_reach_its_files(host: Bastion) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        (worker,) = host.workers()
        assert b"not permitted" in run_line(child, f"kill -9 {worker}").lower()
        assert b"denied" in run_line(child, f"ls {host.store.root}").lower()
        assert b"denied" in run_line(child, f"ls -l /proc/{worker}/fd").lower()
        child.send("exit 0\r")
        assert end(child) == 0
    assert host.recorded().verdict.state is State.VERIFIED


def test_the_login_shell_is_closed_to_its_own_user_from_its_first_instruction(host: Bastion) -> None:
    """Row A20: descriptors cannot be taken out of it before it has handed them over."""
    python = host.base / "libexec" / "python"
    code = "import sys; print('up', flush=True); sys.stdin.read()"
    # its own user starts it, as sshd does: setpriv leaves root's saved uid, and with it another answer
    start = f"exec {python} -I -S -c {shlex.quote(code)}"
    command = ["su", "-s", "/bin/sh", host.user, "-c", start]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        (pid,) = _children(process.pid)
        look = ["su", "-s", "/bin/sh", host.user, "-c", f"ls /proc/{pid}/fd"]
        looked = subprocess.run(look, capture_output=True, check=False)
        process.communicate()
    assert looked.returncode != 0
    assert b"denied" in looked.stderr.lower()


def test_without_the_recorder_a_login_is_refused_with_one_line(host: Bastion) -> None:
    host.stop_daemon()
    done = host.run("echo must-not-run")
    assert done.returncode == 9
    assert done.stdout == b""
    assert done.stderr.count(b"\n") == 1
    assert b"this login is refused" in done.stderr


def test_killing_the_daemon_leaves_sessions_alone_and_the_next_one_seals_them(host: Bastion) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        host.stop_daemon(signal.SIGKILL)
        assert b"still here" in run_line(child, "echo still he''re")
        host.start_daemon()
        assert b"and here" in run_line(child, "echo and he''re")
        child.send("exit\r")
        assert end(child) == 0
    found = host.recorded()
    assert found.verdict.state is State.VERIFIED
    assert b"and here" in found.output


def test_killing_a_worker_ends_its_session_only(host: Bastion) -> None:
    with terminal(*host.ssh("-tt")) as one:
        one.expect_exact(PROMPT)
        (first,) = host.workers()
        with terminal(*host.ssh("-tt")) as other:
            other.expect_exact(PROMPT)
            os.kill(first, signal.SIGKILL)
            one.expect(pexpect.EOF)
            assert b"alive" in run_line(other, "echo ali''ve")
            other.send("exit\r")
            assert end(other) == 0
    states = sorted(read(item, host.store).verdict.state for item in host.sessions(2))
    assert states == sorted([State.VERIFIED, State.TRUNCATED])


def test_killing_the_notary_does_not_keep_the_next_login_out(host: Bastion) -> None:
    assert host.daemon is not None
    daemon = host.daemon.pid
    wait_for(lambda: _children(daemon), "a notary")
    (notary,) = _children(daemon)
    os.kill(notary, signal.SIGKILL)
    wait_for(lambda: _children(daemon) not in ([], [notary]), "another notary")
    assert host.run("echo back").stdout == b"back\n"


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_shell_inside_a_recorded_session_is_recorded_once(host: Bastion) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        run_line(child, str(host.login_shell))
        assert b"inner" in run_line(child, "echo inn''er")
        child.send("exit\r")
        child.expect_exact(PROMPT)
        child.send("exit\r")
        assert end(child) == 0
    assert b"inner" in host.recorded().output


def test_a_program_that_plays_sshd_is_not_taken_for_it(host: Bastion) -> None:
    account = ["setpriv", f"--reuid={host.user}", f"--regid={host.user}", "--clear-groups"]
    play = f"exec -a sshd python3 -c 'import os; os.system(\"{host.login_shell} -c id\")'"
    env = {"PATH": "/usr/bin:/bin", "SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22", "HOME": "/"}
    subprocess.run(
        [*account, "bash", "-c", play], env=env, check=True, capture_output=True, timeout=DEADLINE_SECONDS
    )
    session = host.recorded().header.session
    assert session is not None
    assert session.origin == "local"
    assert session.source is None


def test_a_second_channel_of_one_connection_is_a_session_of_its_own(host: Bastion) -> None:
    control = host.base / "control"
    shared = ["-o", "ControlMaster=auto", "-o", f"ControlPath={control}", "-o", "ControlPersist=no"]
    with terminal(*host.ssh("-tt", *shared)) as child:
        child.expect_exact(PROMPT)
        wait_for(control.exists, "the control socket")
        assert host.run(*shared, "echo second").stdout == b"second\n"
        child.send("exit\r")
        assert end(child) == 0
    assert len(host.sessions(2)) == 2


def test_many_logins_at_once_are_all_recorded(host: Bastion) -> None:
    with ThreadPoolExecutor(25) as pool:
        done = list(pool.map(lambda number: host.run(f"echo {number}").stdout, range(50)))
    assert done == [f"{number}\n".encode() for number in range(50)]
    found = [read(session, host.store) for session in host.sessions(50)]
    assert {item.verdict.state for item in found} == {State.VERIFIED}
    assert sorted(item.session.number or 0 for item in found) == list(range(1, 51))


def test_nonsense_on_the_socket_drops_its_sender_and_nobody_else(host: Bastion) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        for packet in _nonsense(2000):
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
                peer.connect(str(host.socket))
                if packet:
                    with suppress(BrokenPipeError):  # who is silent for five seconds is sent away
                        peer.send(packet)
        assert b"unmoved" in run_line(child, "echo un''moved")
        child.send("exit\r")
        assert end(child) == 0
    assert host.run("echo next").stdout == b"next\n"


def _nonsense(count: int) -> Iterator[bytes]:
    """Malformed requests: noise, cut ones, unknown fields, and well-formed ones without descriptors."""
    good = b"sealcast/1\0kind=terminal\0shell=bash\0env.TERM=xterm\0"
    for number in range(count):
        kinds = (
            os.urandom(number % 300),
            good[: number % len(good)],
            good + b"unknown=1\0",
            good,
            b"sealcast/1\0" + b"kind=streams\0" * (number % 50),
            b"",
        )
        yield kinds[number % len(kinds)]


def test_ctrl_c_works_under_a_flood(host: Bastion) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        child.send("yes\r")
        child.expect_exact("y\r\ny\r\n")
        child.send("\x03")
        child.expect(re.compile(rb"\^C.*ready> ", re.DOTALL))
        child.send("exit\r")
        end(child)
    assert b"^C" in host.recorded().output
