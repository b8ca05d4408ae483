"""Installed on a copy of this machine that runs under systemd: the unit with all its hardening, for real."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from recorder.host import places
from tests.e2e.sessions import DEADLINE_SECONDS, killed_at_the_end, wait_for
from tests.host.booted import NoContainerError, booted_machine, may_boot
from tests.host.namespaces import Machine
from tests.marks import needs

pytestmark = [
    pytest.mark.skipif(not may_boot(), reason="missing: root with control groups, to boot a container"),
    needs("systemd-nspawn", "systemd-analyze", "sshd", "ssh", "ssh-keygen", "ps"),
    pytest.mark.slow,
]
ROOT = Path(__file__).parents[2]
KEY = "/home/sc-alice/key"
SSH = (
    *("ssh", "-F", "none", "-i", KEY, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
    *("-o", "BatchMode=yes", "-o", "LogLevel=ERROR"),
)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """With one covered account, and installed as the README says."""
    with ExitStack() as stack:
        try:
            booted = stack.enter_context(booted_machine(tmp_path_factory.mktemp("booted")))
        except NoContainerError as error:
            pytest.skip(f"missing: a machine that can boot a container: {error}")
        booted.sure("useradd", "-m", "-s", "/bin/bash", "sc-alice")
        booted.sure("ssh-keygen", "-A")
        booted.sure("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", KEY)
        booted.sure("install", "-d", "-o", "sc-alice", "/home/sc-alice/.ssh")
        booted.sure("install", "-o", "sc-alice", f"{KEY}.pub", "/home/sc-alice/.ssh/authorized_keys")
        booted.sure("systemctl", "start", "systemd-user-sessions", "ssh")
        program = ("env", f"PYTHONPATH={ROOT}", sys.executable, "-P", "-m", "recorder.cli")
        booted.sure(*program, "install", "--cover", "user:sc-alice")
        yield booted


def sessions(machine: Machine) -> list[dict[str, object]]:
    listed = machine.sure(places.COMMAND, "ls", "--json", "--store", "/var/lib/sealcast")
    items: list[dict[str, object]] = json.loads(listed)["items"]
    return items


def is_active(machine: Machine) -> bool:
    return machine.run("systemctl", "is-active", "sealcast").stdout == "active\n"


def main_pid(machine: Machine) -> str:
    return machine.sure("systemctl", "show", "--property=MainPID", "--value", "sealcast").strip()


def test_the_service_is_up_and_nothing_in_its_unit_is_wrong(machine: Machine) -> None:
    assert is_active(machine)
    assert machine.sure("systemctl", "is-enabled", "sealcast") == "enabled\n"
    verified = machine.run("systemd-analyze", "verify", places.UNIT, places.INDEXER_UNIT)
    assert (verified.returncode, verified.stderr) == (0, "")


@pytest.mark.parametrize("name", [places.UNIT_NAME, places.INDEXER_UNIT_NAME])
def test_its_exposure_is_among_the_lowest(machine: Machine, name: str) -> None:
    told = machine.sure("systemd-analyze", "security", "--no-pager", name)
    found = re.search(r"Overall exposure level for [a-z.-]+: ([0-9.]+)", told)
    assert found is not None
    assert float(found[1]) <= 1.0


@pytest.mark.parametrize("terminal", [(), ("-tt",)], ids=["streams", "terminal"])
def test_a_login_is_recorded(machine: Machine, terminal: tuple[str, ...]) -> None:
    done = machine.run(*SSH, *terminal, "sc-alice@localhost", "echo out; exit 4")
    assert (done.returncode, done.stdout.split()) == (4, ["out"]), done.stderr
    wait_for(lambda: sessions(machine)[0]["exit_status"] == 4, lambda: f"it is sealed: {sessions(machine)}")


def test_what_was_recorded_can_be_found_soon(machine: Machine) -> None:
    word = "indexed-by-itself"
    assert machine.run(*SSH, "-tt", "sc-alice@localhost", f"echo {word}").returncode == 0
    search = (places.COMMAND, "search", "--no-update", "--store", "/var/lib/sealcast", f"out:{word}")
    wait_for(lambda: machine.run(*search).returncode == 0, lambda: f"it is indexed: {_what_goes_on(machine)}")


@pytest.mark.timeout(1200)
def test_the_host_is_closed(machine: Machine) -> None:
    done = machine.run(places.COMMAND, "doctor", "--probe", timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr + _what_goes_on(machine)


def _what_goes_on(machine: Machine) -> str:
    commands = (("systemctl", "list-jobs"), ("ps", "-ef"), ("journalctl", "--no-pager", "--lines=60"))
    return "\n".join(machine.run(*command).stdout for command in commands)


@pytest.mark.parametrize(
    "how", ["systemctl restart sealcast", "kill -KILL $(systemctl show -P MainPID sealcast)"]
)
def test_a_live_session_outlasts_the_service(machine: Machine, how: str) -> None:
    command = machine.command(*SSH, "-tt", "sc-alice@localhost", "echo begun; read x; echo got $x; exit 6")
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as session,
        killed_at_the_end(session),
    ):
        assert session.stdin is not None
        assert session.stdout is not None
        assert session.stdout.readline() == b"begun\r\n"
        before = main_pid(machine)
        machine.sure("sh", "-c", how)
        wait_for(
            lambda: main_pid(machine) not in {before, "0"}, lambda: f"it is back: {_what_goes_on(machine)}"
        )
        wait_for(lambda: is_active(machine), lambda: f"and ready: {_what_goes_on(machine)}")
        told, _ = session.communicate(b"word\n", timeout=DEADLINE_SECONDS)
    assert b"got word\r\n" in told
    assert session.returncode == 6
    wait_for(lambda: sessions(machine)[0]["exit_status"] == 6, lambda: f"it is sealed: {sessions(machine)}")
    assert machine.run(places.COMMAND, "verify", "--all", "--store", "/var/lib/sealcast").returncode == 0


@pytest.mark.timeout(1200)
def test_an_sshd_that_has_its_port_from_systemd_reads_its_configuration_again(machine: Machine) -> None:
    if machine.sure("systemctl", "show", "--property=Accept", "--value", "ssh.socket") != "no\n":
        pytest.skip("missing: an sshd that takes its port from systemd")
    forward = (*SSH, "-W", "localhost:22", "sc-alice@localhost")
    loosen = "s/Forwarding no/Forwarding yes/; s/DisableForwarding.*/DisableForwarding no/"
    machine.sure("sed", "-i", loosen, places.SSHD_DROP_IN)
    machine.sure("systemctl", "stop", "ssh")
    machine.sure("systemctl", "start", "ssh.socket")
    assert "SSH-2.0" in machine.run(*forward).stdout, "else this test could not fail"
    machine.sure(places.COMMAND, "install")
    for _ in range(6):  # more often than systemd starts anything in ten seconds
        machine.sure("sh", "-c", f"echo >>{places.SSHD_DROP_IN}")
        machine.sure(places.COMMAND, "install")
    assert machine.sure("systemctl", "is-active", "ssh") == "active\n"
    assert "SSH-2.0" not in machine.run(*forward).stdout
    machine.sure("systemctl", "stop", "ssh")
    probed = machine.run(places.COMMAND, "doctor", "--probe", timeout=900)
    assert probed.returncode == 0, f"nobody has connected yet: {probed.stdout}{probed.stderr}"
    machine.sure("systemctl", "stop", "ssh.socket")
    machine.sure("systemctl", "restart", "ssh")


def test_an_installation_that_was_interrupted_before_the_service_ran_is_finished(machine: Machine) -> None:
    machine.sure("systemctl", "disable", "--now", "sealcast")
    assert "run systemctl restart sealcast.service" in machine.sure(places.COMMAND, "install", "--dry-run")
    machine.sure(places.COMMAND, "install")
    wait_for(lambda: is_active(machine), "the service runs")
    assert machine.sure("systemctl", "is-enabled", "sealcast") == "enabled\n"
    assert machine.sure(places.COMMAND, "install", "--dry-run") == ""


def test_what_a_session_leaves_is_ended_where_the_policy_asks_for_it(machine: Machine) -> None:
    """Detached from its session, and so found by the control group that logind made for the login."""
    setting = "s/^# end_survivors = false/end_survivors = true/"
    machine.sure("sed", "-i", setting, places.CONFIG)
    told = machine.run(places.COMMAND, "config", "check")
    assert "the service has not got CAP_KILL yet" in told.stderr
    assert machine.run(places.COMMAND, "doctor").returncode == 1
    machine.sure(places.COMMAND, "install")
    wait_for(lambda: is_active(machine), "the service runs with the privilege")
    told = machine.run(places.COMMAND, "config", "check")
    assert "CAP_KILL" not in told.stderr
    script = "trap '' HUP; for n in 1 2; do setsid sleep 1234 >/dev/null 2>&1 </dev/null & done; echo left"
    assert machine.run(*SSH, "sc-alice@localhost", script).stdout == "left\n"
    wait_for(lambda: machine.run("pgrep", "-f", "sleep 1234").returncode == 1, "they were ended")
    done = machine.run(places.COMMAND, "doctor")
    assert done.returncode == 0, done.stdout + done.stderr


def test_uninstalling_takes_the_service_away(machine: Machine) -> None:
    machine.sure(places.COMMAND, "install", "--uninstall")
    assert not is_active(machine)
    assert machine.run("test", "-e", places.UNIT).returncode != 0
    assert machine.run("test", "-e", places.INDEXER_UNIT).returncode != 0
    wait_for(  # sshd has been told to read its configuration again
        lambda: machine.run(*SSH, "sc-alice@localhost", "echo free").stdout == "free\n",
        lambda: machine.run(*SSH, "sc-alice@localhost", "echo free").stderr,
    )
