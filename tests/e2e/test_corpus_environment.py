"""Rows A3, A4, C10 and C14 of the corpus: what comes in with variables and names, on a careless sshd."""

import base64
import subprocess
from collections.abc import Iterator

import orjson
import pytest

from recorder.log.history import read_history
from recorder.store.state import State
from tests.e2e.bastion import Bastion, bastion
from tests.e2e.corpus import NEEDS_BASTION, NewSessions, another_sshd
from tests.e2e.sessions import DEADLINE_SECONDS, SEALCAST

pytestmark = NEEDS_BASTION


@pytest.fixture(scope="module")
def careless() -> Iterator[Bastion]:
    """Behind an sshd that lets every variable of the client and of `~/.ssh/environment` through."""
    with bastion() as host, another_sshd(host, AcceptEnv="*", PermitUserEnvironment="yes") as other:
        home = host.base / "home"
        (home / "trap").write_text('[ -n "$SEALCAST_SESSION" ] || : >"$HOME/outside"\n')
        for name in ("fcntl", "termios", "pwd", "select", "array", "sitecustomize", "usercustomize"):
            (home / f"{name}.py").write_text(f"open('{home}/outside', 'w')\n")
        yield other


@pytest.fixture
def new(careless: Bastion) -> NewSessions:
    return NewSessions(careless)


_HOSTILE = {
    "BASH_ENV": "{home}/trap",
    "ENV": "{home}/trap",
    "ZDOTDIR": "{home}",
    "PYTHONPATH": "{home}",
    "PYTHONHOME": "{home}",
    "PYTHONSTARTUP": "{home}/fcntl.py",
    "PYTHONINSPECT": "1",
    "PYTHONUSERBASE": "{home}",
    "PYTHONEXECUTABLE": "{home}/fcntl.py",
    "PYTHONMALLOCSTATS": "1",
    "PYTHONPROFILEIMPORTTIME": "1",
    "PYTHONVERBOSE": "1",
    "PYTHONIOENCODING": "utf-16",
    "PATH": "{home}",
    "TMPDIR": "{home}",
    "IFS": "/",
    "SHELL": "{home}/trap",
    "SHELLOPTS": "xtrace",
    "PS4": "$(: >{home}/outside)",
    "PROMPT_COMMAND": ": >{home}/outside",
    "LD_BIND_NOW": "1",
    "LC_ALL": "tr_TR.ISO-8859-9",
    "LANG": "../../../etc",
}


@pytest.mark.parametrize("name", _HOSTILE)
def test_a3_a_variable_of_the_client_does_not_act_on_the_recorder(
    careless: Bastion, new: NewSessions, name: str
) -> None:
    home = careless.base / "home"
    setting = _HOSTILE[name].format(home=home)
    done = careless.run("-o", f'SetEnv={name}="{setting}"', "echo $((6 * 7))")
    assert (done.returncode, done.stdout) == (0, b"42\n")
    assert b"42\n" in new.one().output
    assert not (home / "outside").exists()


def test_a3_all_of_them_from_the_users_own_file(careless: Bastion, new: NewSessions) -> None:
    home = careless.base / "home"
    (home / ".ssh").mkdir(exist_ok=True)
    file = home / ".ssh" / "environment"
    file.write_text("".join(f"{name}={value.format(home=home)}\n" for name, value in _HOSTILE.items()))
    try:
        assert careless.run("echo $((6 * 7))").stdout == b"42\n"
    finally:
        file.unlink()
    assert b"42\n" in new.one().output
    assert not (home / "outside").exists()


def test_a3_the_real_shell_gets_none_of_them(careless: Bastion, new: NewSessions) -> None:
    told = [f"SetEnv={' '.join(f'{name}=x' for name in _HOSTILE)} LC_OWN=y"]
    seen = careless.run("-o", told[0], "/usr/bin/env").stdout.decode().splitlines()
    names = {line.partition("=")[0] for line in seen}
    assert names & _HOSTILE.keys() <= {"PATH", "SHELL", "LC_ALL", "LANG"}
    assert "SHELL=/bin/bash" in seen
    assert "LC_OWN=y" in seen
    assert new.one().verdict.state is State.VERIFIED


@pytest.mark.parametrize(
    "setting",
    [
        "SEALCAST_HOME=/tmp/elsewhere",
        "SEALCAST_SOCKET=/tmp/elsewhere",
        "SEALCAST_CONFIG=/tmp/elsewhere",
        "SEALCAST_SESSION=20261121T000000-00000000",
        "SEALCAST_SHELLS=/tmp/elsewhere",
    ],
)
def test_a4_no_setting_comes_from_the_environment(careless: Bastion, new: NewSessions, setting: str) -> None:
    done = careless.run("-o", f"SetEnv={setting}", "echo $SEALCAST_SESSION; env | grep -c ^SEALCAST")
    found = new.one()
    assert done.stdout.decode().split() == [found.session.id, "1"]


@pytest.mark.parametrize(
    "setting",
    [
        "SSH_CONNECTION=192.0.2.1 1 192.0.2.2 22",
        "SSH_CLIENT=192.0.2.1 1 22",
        "USER=root",
        "LOGNAME=root",
        "SUDO_USER=root",
        "SSH_ORIGINAL_COMMAND=harmless",
        "SSH_USER_AUTH=/etc/shadow",
    ],
)
def test_c10_the_header_holds_what_sshd_and_the_kernel_say(
    careless: Bastion, new: NewSessions, setting: str
) -> None:
    name, _, value = setting.partition("=")
    careless.run("-o", f'SetEnv={name}="{value}"', "echo $((6 * 7))")
    session = new.one().header.session
    assert session is not None
    assert (session.user, session.origin, session.command) == (careless.user, "sshd", "echo $((6 * 7))")
    assert session.source is not None
    assert session.source["ip"] == "127.0.0.1"
    assert session.authentication is not None
    assert session.authentication["methods"][0].startswith("publickey ssh-ed25519 ")


_NASTY = {
    "newline": b"echo 42 #\nsession-closed forged",
    "control characters": b"echo 42 # \x1b]0;title\x07\x1b[2J\x08\x08\x7f\r",
    "bidi": "echo 42 # \u202etxt.exe\u2066".encode(),
    "C1": "echo 42 # \x9b31m\x9d0;t\x9c".encode(),
    "injection": b"echo 42 # $(touch /tmp/x) `id` ;\"'\\",
    "unicode": "echo 42 # \U0001f600 \u00e9 \ud55c".encode(),
}


@pytest.mark.parametrize("name", _NASTY)
def test_c14_a_command_is_stored_exactly_and_shown_escaped(
    careless: Bastion, new: NewSessions, name: str
) -> None:
    command = _NASTY[name].decode()
    assert careless.run(command).stdout == b"42\n"
    found = new.one()
    assert found.header.session is not None
    assert found.header.session.command == command
    history = read_history(careless.store.log)
    opened = orjson.loads(history.sessions[found.session.id].opened_entry or b"")
    assert opened["process"]["command_line"] == command
    listed = subprocess.run(
        [*SEALCAST, "ls", "--store", str(careless.store.root)], capture_output=True, check=True
    )
    shown = listed.stdout.decode()
    assert [char for char in shown if not char.isprintable() and char != "\n"] == []
    assert len(shown.splitlines()) == len(history.sessions) + 1


def test_c14_bytes_that_are_no_utf8_are_stored_exactly(careless: Bastion, new: NewSessions) -> None:
    command = b"echo 42 # \xff\xfe\\xff \xc3"
    argv: list[bytes | str] = [*careless.ssh(), command]
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=DEADLINE_SECONDS
    )
    assert done.stdout == b"42\n"
    alike = "echo 42 # \\xff\\xfe\\xff \\xc3"
    assert careless.run(alike).stdout == b"42\n"
    one, two = (found.header.session for found in new.sealed(2))
    assert one is not None
    assert two is not None
    assert (one.command, two.command) == (alike, alike)
    assert base64.b64decode(one.command_base64 or "") == command
    assert two.command_base64 is None
