"""The shell of a login reports what it runs, and nobody else can."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder.cast.reader import open_events
from recorder.commands import Command, Flag, ForgedMark, extract
from recorder.store.reading import open_stored
from tests.e2e.bastion import Bastion, bastion, same_python
from tests.e2e.sessions import SEALCAST, end, only_session, run_line, terminal, tool
from tests.marks import needs

PROMPT = b"ready> "
needs_host = [
    needs("sshd", "ssh", "zsh", "fish"),
    pytest.mark.skipif(os.geteuid() != 0, reason="missing: root, to make accounts"),
    pytest.mark.skipif(not same_python(), reason="missing: a system Python of the same version"),
]


def _commands(path: Path) -> tuple[list[Command], list[ForgedMark]]:
    forged: list[ForgedMark] = []
    with open_stored(path) as file:
        header, events = open_events(file, path.name)
        return sorted(extract(header, events, forged), key=lambda one: one.start_s), forged


@pytest.fixture
def host() -> Iterator[Bastion]:
    with bastion() as host:
        yield host


class TestLogins:
    """Through sshd and the daemon."""

    pytestmark = needs_host

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_status_and_directory_of_a_login_shell(self, host: Bastion, shell: str) -> None:
        (host.base / "shells").write_text(f"*\t{tool(shell)}\n")
        (host.base / "home" / ".zshrc").write_text("PROMPT='ready> '\n")
        configuration = host.base / "home" / ".config" / "fish"
        configuration.mkdir(parents=True)
        (configuration / "config.fish").write_text("function fish_prompt; echo -n 'ready> '; end\n")
        with terminal(*host.ssh("-tt"), size=(30, 100)) as child:
            child.expect_exact(PROMPT)
            run_line(child, "cd /")
            run_line(child, "false")
            run_line(child, "printf '\\e]633;E;forged\\a'")
            child.send("exit 3\r")
            assert end(child) == 3
        (session,) = host.sessions(1)
        assert session.path is not None
        found, forged = _commands(session.path)
        assert [(one.text, one.evidence) for one in found][:2] == [("cd /", "both"), ("false", "both")]
        assert (found[1].exit_status, found[1].cwd) == (1, "/")
        assert found[2].flags == (Flag.FORGED_MARKS,)
        assert [mark.text for mark in forged] == ["633;E;forged"]

    def test_the_policy_can_turn_it_off(self, host: Bastion) -> None:
        host.stop_daemon()
        config = host.base / "config.toml"
        config.write_text(config.read_text() + "[recording]\nshell_marks = false\n")
        host.start_daemon()
        with terminal(*host.ssh("-tt")) as child:
            child.expect_exact(PROMPT)
            assert b"none" in run_line(child, "[[ ${PROMPT_COMMAND[*]}$PS0 == *sealcast* ]] || echo no''ne")
            child.send("exit\r")
            end(child)
        recorded_ = host.recorded()
        assert b"\x1b]633" not in recorded_.output
        assert recorded_.header.session is not None
        assert recorded_.header.session.marks is None


@pytest.mark.parametrize("options", [[], ["--no-shell-marks"]], ids=["marks", "no marks"])
def test_the_shell_of_a_recorded_terminal(home: Path, options: list[str]) -> None:
    (home / ".bashrc").write_text("PS1='ready> '\n")
    with terminal(*SEALCAST, "rec", *options, env={"SHELL": tool("bash"), "HOME": str(home)}) as child:
        child.expect_exact(PROMPT)
        run_line(child, "false")
        child.send("exit\r")
        end(child)
    assert [b"633;D;1" in only_session().output] == [not options]
