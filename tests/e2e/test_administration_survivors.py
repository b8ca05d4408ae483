"""What a session leaves is ended where the policy says so, by the one process that has the privilege."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from recorder.log import entries
from tests.e2e.bastion import SYSTEM_PYTHON, Bastion, bastion, processes_of
from tests.e2e.corpus import NEEDS_BASTION, PROMPT
from tests.e2e.sessions import DEADLINE_SECONDS, end, run_line, terminal, wait_for
from tests.e2e.test_administration import live, logged, sealcast, the_only
from tests.marks import needs

pytestmark = [*NEEDS_BASTION, needs("setpriv")]
CAP_KILL = 1 << 5
LEFT_ALONE, HUNG_UP, KILLED = "sleep 1001", "sleep 1002", "sleep 1003"


@pytest.fixture
def host() -> Iterator[Bastion]:
    with bastion() as host:
        host.stop_daemon()
        config = host.base / "config.toml"
        config.write_text(config.read_text().replace("[daemon]\n", "[daemon]\nend_survivors = true\n"))
        host.start_daemon()
        yield host


def capabilities(pid: int) -> set[int]:
    """All that a process holds or may pass on."""
    lines = (line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {int(words[1], 16) for words in lines if words[0] in {"CapInh:", "CapPrm:", "CapEff:", "CapAmb:"}}


def privileged(host: Bastion) -> dict[int, set[int]]:
    """The recorder's processes that hold anything, and what."""
    found = {}
    for pid in processes_of(host.recorder):
        with suppress(OSError):  # it has ended
            found[pid] = capabilities(pid)
    return {pid: held for pid, held in found.items() if held != {0}}


def running(host: Bastion, command: str) -> list[int]:
    """The processes of the covered account with this command line."""
    wanted = [*command.encode().split(), b""]
    found = []
    for pid in processes_of(host.user):
        with suppress(OSError):  # it has ended
            if Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") == wanted:
                found.append(pid)
    return found


def test_what_a_session_leaves_is_ended_and_the_log_says_how(host: Bastion) -> None:
    with terminal(*host.ssh("-tt")) as other:
        other.expect_exact(PROMPT)
        run_line(other, f"{LEFT_ALONE} &")
        wait_for(lambda: running(host, LEFT_ALONE), "the other session's")
        jobs = f"{HUNG_UP} & one=$!; trap '' HUP; {KILLED} & other=$!"
        are_there = "for pid in $one $other; do until grep -q sleep /proc/$pid/comm; do :; done; done"
        host.run(f"({jobs}; {are_there}) >/dev/null 2>&1")
        wait_for(lambda: logged(host, entries.CLOSED), "the closing entry")
        found = the_only(host, entries.CLOSED)["sealcast"]["left_running"]
        assert sorted((one["name"], one["ended"]) for one in found) == [("sleep", "HUP"), ("sleep", "KILL")]
        assert (running(host, KILLED), running(host, HUNG_UP)) == ([], [])
        assert running(host, LEFT_ALONE), "that is another session's"
        assert b"unmoved" in run_line(other, "echo un''moved")


def test_a_worker_finds_the_ender_of_a_later_daemon(host: Bastion) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        run_line(child, f"set +m; (trap '' HUP; exec {KILLED}) &")
        wait_for(lambda: running(host, KILLED), "it is there")
        host.stop_daemon()
        host.start_daemon()
        child.send("exit\r")
        assert end(child) == 0
    wait_for(lambda: not running(host, KILLED), "it was ended")


def test_a_command_that_ignores_the_hang_up_is_ended_with_its_session(host: Bastion) -> None:
    deaf = f"trap '' HUP; echo deaf; exec {KILLED}"
    with subprocess.Popen(host.ssh(deaf), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"deaf\n"
        wait_for(lambda: running(host, KILLED), "it is there")
        assert sealcast(host, "end", live(host)[0]["id"], "--reason", "enough").returncode == 0
        wait_for(lambda: not running(host, KILLED), "it was ended")
    (left,) = the_only(host, entries.CLOSED)["sealcast"]["left_running"]
    assert (left["name"], left["ended"]) == ("sleep", "KILL")


def test_one_process_has_the_privilege_and_no_other(host: Bastion) -> None:
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        assert len(host.workers()) == 1
        ((ender, held),) = privileged(host).items()
        assert held == {0, CAP_KILL}
        assert ender not in host.workers()
        assert host.daemon is not None
        assert ender != host.daemon.pid
        links = [os.readlink(f"/proc/{ender}/fd/{fd}") for fd in os.listdir(f"/proc/{ender}/fd")]
        assert not [link for link in links if "store" in link or "ptmx" in link or "pts" in link]


def test_a_session_ends_as_ever_when_the_ender_is_lost(host: Bastion) -> None:
    wait_for(lambda: len(privileged(host)) == 1, "the ender, and the daemon has given it up")
    (ender,) = privileged(host)
    os.kill(ender, signal.SIGKILL)
    wait_for(lambda: "ender-ended" in (host.base / "daemon.log").read_text(), "the journal says so")
    with terminal(*host.ssh("-tt")) as child:
        child.expect_exact(PROMPT)
        run_line(child, f"set +m; (trap '' HUP; exec {KILLED}) &")
        wait_for(lambda: running(host, KILLED), "it is there")
        child.send("exit\r")
        assert end(child) == 0
    (left,) = the_only(host, entries.CLOSED)["sealcast"]["left_running"]
    assert left == {"pid": running(host, KILLED)[0], "name": "sleep"}


def as_recorder(host: Bastion, *privileges: str) -> "subprocess.Popen[bytes]":
    """The daemon, started as the recorder's own user."""
    become = [
        "setpriv",
        f"--reuid={host.recorder}",
        f"--regid={host.recorder}",
        "--clear-groups",
        *privileges,
    ]
    program = [
        SYSTEM_PYTHON,
        "-P",
        "-m",
        "recorder.cli",
        "daemon",
        "--config",
        str(host.base / "config.toml"),
    ]
    variables = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(host.base / "program")}
    return subprocess.Popen([*become, *program], env=variables, stderr=subprocess.PIPE, cwd="/")


def test_without_the_privilege_the_daemon_does_not_start(host: Bastion) -> None:
    host.stop_daemon()
    with as_recorder(host) as process:
        _, said = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 3
    assert b"daemon.end_survivors is on, and the recorder has not the capability CAP_KILL" in said
    assert b"sealcast install gives it to the service" in said
    assert not logged(host, entries.OPENED)


def test_it_takes_the_privilege_that_a_service_manager_gives_and_drops_others(host: Bastion) -> None:
    host.stop_daemon()
    given = ("--inh-caps=+kill,+net_raw", "--ambient-caps=+kill,+net_raw")
    process = as_recorder(host, *given)
    host.daemon = process
    wait_for(host._answers, "the daemon")
    wait_for(lambda: [*privileged(host).values()] == [{0, CAP_KILL}], "the ender has it, and nothing else")
    assert process.pid not in privileged(host)
    assert process.stderr is not None
    host.stop_daemon()
    process.stderr.close()
