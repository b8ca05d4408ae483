"""A copy of this machine becomes a bastion, is used through ssh, examined, and taken back."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from recorder.host import places
from tests.e2e.sessions import wait_for
from tests.host.namespaces import Machine, copied_machine, needs_namespaces
from tests.marks import needs

pytestmark = [
    needs_namespaces,
    needs("sshd", "ssh", "ssh-keygen"),
    pytest.mark.slow,
    pytest.mark.timeout(1200),
]
PROBE_SECONDS = 900
ROOT = Path(__file__).parent.parent.parent
PROGRAM = ("env", f"PYTHONPATH={ROOT}", sys.executable, "-P", "-m", "recorder.cli")
KEY = "/home/sc-alice/key"
PAM = "/etc/pam.d/sshd"
SSHD_PID = "/run/sshd.pid"
SSHD_LOG = "/var/log/sshd"
SSH = (
    *("ssh", "-F", "none", "-i", KEY, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
    *("-o", "BatchMode=yes", "-o", "LogLevel=ERROR"),
)


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """With two people: alice, who has a key, and bob in the group sc-ops. Nothing is installed yet."""
    with copied_machine() as copy:
        copy.sure("groupadd", "sc-ops")
        copy.sure("useradd", "-m", "-s", "/bin/bash", "sc-alice")
        copy.sure("useradd", "-m", "-s", "/bin/sh", "-G", "sc-ops", "sc-bob")
        copy.sure("ssh-keygen", "-A")
        copy.sure("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", KEY)
        for user in ("sc-alice", "sc-bob"):
            script = "mkdir -p ~/.ssh && cat >~/.ssh/authorized_keys"
            copy.run("su", "-s", "/bin/sh", "-c", script, user, stdin=copy.read(f"{KEY}.pub"))
        yield copy


@pytest.fixture(scope="module")
def installed(machine: Machine) -> Machine:
    """Installed by root from this checkout, with daemon and sshd running."""
    machine.sure(*PROGRAM, "install", "--cover", "user:sc-alice", "group:sc-ops", "--no-systemd")
    machine.sure("sh", "-c", f"setsid {places.COMMAND} daemon >/var/log/daemon 2>&1 </dev/null &")
    machine.sure("sh", "-c", f"mkdir -p /run/sshd && $(command -v sshd) -E {SSHD_LOG}")
    asks = (places.COMMAND, "sessions")
    wait_for(
        lambda: machine.run(*asks).returncode == 0,
        lambda: f"the daemon answers: {machine.read('/var/log/daemon')}",
    )
    wait_for(lambda: machine.run("test", "-s", SSHD_PID).returncode == 0, lambda: machine.read(SSHD_LOG))
    return machine


def reload_sshd(machine: Machine) -> None:
    """Have sshd read its configuration again: it starts anew, and listens where it did."""
    before = listening(machine)
    machine.sure("sh", "-c", f": >{SSHD_LOG}; kill -HUP $(cat {SSHD_PID})")
    wait_for(lambda: listening(machine) == before, lambda: f"sshd is back: {machine.read(SSHD_LOG)}")


def listening(machine: Machine) -> int:
    """At how many addresses sshd has listened since its log began."""
    return machine.read(SSHD_LOG).count("Server listening on ")


def test_a_dry_run_changes_nothing_and_says_what_install_then_does(machine: Machine) -> None:
    arguments = ("install", "--cover", "user:sc-alice", "group:sc-ops", "--no-systemd")
    printed = machine.sure(*PROGRAM, *arguments, "--dry-run").splitlines()
    assert f"login shell of sc-alice: {places.SHELL}" in printed
    assert machine.sure(*PROGRAM, *arguments, "--dry-run").splitlines() == printed
    assert places.SHELL not in machine.read("/etc/passwd")


def test_a_login_is_recorded_and_looks_like_any_other(installed: Machine) -> None:
    done = installed.run(*SSH, "sc-alice@localhost", "echo out; echo err >&2; exit 5")
    seen = (done.returncode, done.stdout, done.stderr)
    assert seen == (5, "out\n", "err\n"), f"{seen}: {installed.read('/var/log/daemon')}"
    listed = json.loads(installed.sure(places.COMMAND, "ls", "--json", "--store", "/var/lib/sealcast"))
    found = [(item["user"], item["command"]) for item in listed["items"]]
    assert ("sc-alice", "echo out; echo err >&2; exit 5") in found


def test_who_enters_the_host_from_outside_is_answered(installed: Machine) -> None:
    """`docker exec` and nsenter: the parent of what they start has no number here."""
    assert installed.sure("sh", "-c", "echo $PPID") == "0\n"
    installed.sure(places.COMMAND, "sessions")


def test_the_group_has_its_shell_behind_the_recorder(installed: Machine) -> None:
    done = installed.run(*SSH, "sc-bob@localhost", "echo $0 $SHELL")
    assert done.stdout == "sh /bin/sh\n", done.stderr


@pytest.mark.parametrize("option", ["-L9999:localhost:22", "-R9999:localhost:22"])
def test_forwarding_is_closed(installed: Machine, option: str) -> None:
    done = installed.run(
        *SSH, "-o", "ExitOnForwardFailure=yes", option, "-W", "localhost:22", "sc-alice@localhost"
    )
    assert done.returncode != 0
    assert "SSH-2.0" not in done.stdout


def test_the_loader_ignores_what_pam_reads_from_the_users_home(installed: Machine) -> None:
    """Debian's sshd reads ~/.pam_environment; a preloaded library would run before the recorder."""
    told = installed.run(
        *("setpriv", "--reuid", "sc-alice", "--regid", "sc-alice", "--clear-groups", "sh", "-c"),
        f"LD_PRELOAD=/tmp/nowhere.so {places.INTERPRETER} -IS -c 'import termios; print(1)'",
    )
    assert (told.stdout, "nowhere.so" in told.stderr) == ("1\n", False)
    plain = installed.run("sh", "-c", "LD_PRELOAD=/tmp/nowhere.so /usr/bin/python3 -IS -c 1")
    assert "nowhere.so" in plain.stderr, "else this test could not fail"


def test_the_login_shell_cannot_be_looked_into_by_its_user(installed: Machine) -> None:
    look = "import posix; posix.system('ls /proc/%d/fd >/dev/null 2>&1 && echo open' % posix.getpid())"
    as_alice = ("setpriv", "--reuid", "sc-alice", "--regid", "sc-alice", "--clear-groups", "sh", "-c")
    assert installed.sure(*as_alice, f'{places.INTERPRETER} -IS -c "{look}"') == ""
    assert installed.sure(*as_alice, f'/usr/bin/python3 -IS -c "{look}"') == "open\n"


def chsh(machine: Machine, user: str) -> CompletedProcess[str]:
    """`user` asks for another login shell, with the right password."""
    become = ("setpriv", "--reuid", user, "--regid", user, "--init-groups")
    return machine.run(*become, "chsh", "-s", "/bin/bash", stdin="secret\n")


def test_covered_accounts_cannot_choose_another_login_shell(installed: Machine) -> None:
    installed.sure("useradd", "-s", "/bin/sh", "sc-carol")
    installed.sure("sh", "-c", "printf '%s:secret\\n' sc-alice sc-carol | chpasswd")
    done = chsh(installed, "sc-alice")
    assert done.returncode != 0
    assert installed.sure("getent", "passwd", "sc-alice").strip().endswith(places.SHELL)
    free = chsh(installed, "sc-carol")
    assert free.returncode == 0, f"else this test could not fail: {free.stderr}"


def test_doctor_says_that_the_host_is_closed(installed: Machine) -> None:
    done = installed.run(places.COMMAND, "doctor")
    assert done.returncode == 0, done.stdout
    assert "this host is closed" in done.stderr


def test_the_known_escapes_do_not_get_through(installed: Machine) -> None:
    done = installed.run(places.COMMAND, "doctor", "--probe", timeout=PROBE_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    probed = [line for line in done.stdout.splitlines() if " probe " in line]
    assert len(probed) == 10
    assert "sealcast-probe" not in installed.read("/etc/passwd")
    assert "sealcast-probe" not in installed.sure("ls", "/var/tmp")


def probed_open(machine: Machine) -> set[str]:
    done = machine.run(places.COMMAND, "doctor", "--probe", "--json", timeout=PROBE_SECONDS)
    items = json.loads(done.stdout)["items"]
    return {item["says"] for item in items if (item["check"], item["state"]) == ("probe", "open")}


@pytest.fixture
def opened(installed: Machine) -> Iterator[Machine]:
    """With forwarding and the loader's variables let through, for real."""
    edits = "s/DisableForwarding yes/DisableForwarding no/; s/AllowTcpForwarding no/AllowTcpForwarding yes/"
    keep = f"cp -a {places.SSHD_DROP_IN} {places.INTERPRETER} {PAM} /mnt"
    read = f"echo 'session required pam_env.so user_readenv=1' >>{PAM}"
    replace = f"cp --remove-destination /usr/bin/python3 {places.INTERPRETER}; chmod 711 {places.INTERPRETER}"
    installed.sure("sh", "-c", f"{keep}; sed -i '{edits}' {places.SSHD_DROP_IN}; {replace}; {read}")
    reload_sshd(installed)
    yield installed
    drop_in = f"cp -a /mnt/00-sealcast.conf {places.SSHD_DROP_IN}"
    put_back = f"{drop_in}; cp -a /mnt/sshd {PAM}; mv /mnt/python {places.INTERPRETER}"
    installed.sure("sh", "-c", put_back)
    reload_sshd(installed)


def test_escapes_that_get_through_are_reported(opened: Machine) -> None:
    assert probed_open(opened) == {
        "ssh -W, -L, -J and -D gets past the recorder",
        "ssh -R gets past the recorder",
        "~/.pam_environment loads code into the login shell",
    }


def test_a_shell_in_the_place_of_the_recorder_is_reported(installed: Machine) -> None:
    installed.sure("ln", "-sf", "/bin/bash", places.SHELL)
    found = probed_open(installed)
    installed.sure("ln", "-sf", places.LOGIN_SCRIPT, places.SHELL)
    assert "a file in the user's home (startup files, ~/.ssh) runs before the recorder" in found


def test_a_host_that_covers_users_only_can_be_probed(installed: Machine) -> None:
    edit = "sed -i 's/^groups = .*/groups = []/' /etc/sealcast/config.toml"
    installed.sure("sh", "-c", f"cp -a /etc/sealcast/config.toml /mnt; {edit}")
    done = installed.run(places.COMMAND, "doctor", "--probe", timeout=PROBE_SECONDS)
    installed.sure("mv", "/mnt/config.toml", "/etc/sealcast/config.toml")
    probed = [line for line in done.stdout.splitlines() if " probe " in line]
    assert len(probed) == 10
    assert all(line.startswith("✓") for line in probed), probed
    assert "probe" not in installed.sure("ls", "/etc/ssh/sshd_config.d")


@pytest.mark.parametrize(
    ("spoil", "repair", "check"),
    [
        ("usermod -s /bin/bash sc-bob", f"usermod -s {places.SHELL} sc-bob", "login shells"),
        (
            "sed -i 's/AllowTcpForwarding no/AllowTcpForwarding yes/' {drop_in}",
            "sed -i 's/AllowTcpForwarding yes/AllowTcpForwarding no/' {drop_in}",
            "sshd",
        ),
        ("echo 'AcceptEnv BASH_*' >>{drop_in}", "sed -i '/BASH/d' {drop_in}", "sshd"),
        ("chmod g+w /etc/sealcast", "chmod g-w /etc/sealcast", "permissions"),
        ("chmod 755 {interpreter}", "chmod 711 {interpreter}", "interpreter"),
        ("sed -i 1d /etc/pam.d/chsh", "sed -i '1i {line}' /etc/pam.d/chsh", "chsh"),
        (
            "mv /run/sealcast/socket /run/sealcast/away",
            "mv /run/sealcast/away /run/sealcast/socket",
            "recorder",
        ),
        ("chmod 755 /var/lib/sealcast", "chmod 700 /var/lib/sealcast", "store"),
        ("mv /var/lib/sealcast/keys/host /mnt", "mv /mnt/host /var/lib/sealcast/keys", "host key"),
        ("echo >>/etc/sealcast/shells", "sed -i '$d' /etc/sealcast/shells", "real shells"),
        ("chmod o+w /etc/sealcast/config.toml", "chmod o-w /etc/sealcast/config.toml", "policy"),
    ],
)
def test_doctor_finds_what_is_open(installed: Machine, spoil: str, repair: str, check: str) -> None:
    names = {"drop_in": places.SSHD_DROP_IN, "interpreter": places.INTERPRETER, "line": places.CHSH_LINE}
    installed.sure("sh", "-c", spoil.format(**names))
    try:
        done = installed.run(places.COMMAND, "doctor", "--json")
    finally:
        installed.sure("sh", "-c", repair.format(**names))
    document = json.loads(done.stdout)
    wrong = {item["check"] for item in document["items"] if item["state"] == "open"}
    assert (done.returncode, document["closed"]) == (1, False)
    assert check in wrong
    assert all(item["fix"] for item in document["items"] if item["state"] == "open")


def test_a_second_run_finds_nothing_to_do(installed: Machine) -> None:
    assert installed.sure(places.COMMAND, "install", "--no-systemd", "--dry-run") == ""
    done = installed.run(places.COMMAND, "install", "--no-systemd")
    assert (done.returncode, done.stderr) == (0, "sealcast: nothing to do\n")


def test_uninstalling_gives_everything_back_but_the_recordings(installed: Machine) -> None:
    before = installed.sure("find", "/var/lib/sealcast/sealed", "-type", "f").splitlines()
    assert before
    installed.sure(places.COMMAND, "install", "--uninstall", "--no-systemd")
    assert installed.sure("getent", "passwd", "sc-alice").strip().endswith(":/bin/bash")
    assert installed.sure("getent", "passwd", "sc-bob").strip().endswith(":/bin/sh")
    assert set(before) <= set(installed.sure("find", "/var/lib/sealcast/sealed", "-type", "f").splitlines())
    for path in (places.PREFIX, places.SSHD_DROP_IN, places.COMMAND, places.SHELL):
        assert installed.run("test", "-e", path).returncode != 0, path
    assert places.SHELL not in installed.read("/etc/shells") + installed.read(places.CHSH_PAM)
    wait_for(  # sshd has been told to start anew, and listens to nobody for a moment
        lambda: installed.run(*SSH, "sc-alice@localhost", "echo free").stdout == "free\n",
        lambda: installed.run(*SSH, "sc-alice@localhost", "echo free").stderr,
    )


def test_the_machine_itself_was_not_touched(machine: Machine) -> None:
    assert "sc-alice" in machine.read("/etc/passwd")
    assert "sc-alice" not in Path("/etc/passwd").read_text()
    assert os.path.lexists("/home/sc-alice") is False
