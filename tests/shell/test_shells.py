"""bash, zsh and fish report what they run, and are otherwise what they would have been."""

import os
import subprocess
from pathlib import Path

import pytest

from recorder.commands.reports import Report
from recorder.shell.secret import SCRIPTS
from tests.e2e.sessions import DEADLINE_SECONDS, tool
from tests.marks import needs
from tests.shell.shells import marked

pytestmark = needs("zsh", "fish", "strace")
SHELLS = pytest.mark.parametrize("name", ["bash", "zsh", "fish"])


def _facts(reports: list[Report]) -> list[tuple[str, str]]:
    return [(report.kind, report.value) for report in reports]


@SHELLS
@pytest.mark.parametrize("login", [False, True], ids=["shell", "login shell"])
def test_text_status_and_directory(tmp_path: Path, name: str, login: bool) -> None:
    with marked(name, tmp_path, login=login) as shell:
        told = _facts(shell.told("echo 'a;b'"))
        assert told[:2] == [("E", "echo 'a;b'"), ("C", "")]
        assert ("D", "0") in told
        assert ("P", str(tmp_path)) in told
        assert ("D", "1") in _facts(shell.told("false"))
        assert ("P", "/") in _facts(shell.told("cd /"))
        assert ("E", "exit 3") in _facts(shell.reports(shell.end("exit 3")))


@SHELLS
def test_everything_that_could_end_a_mark_is_escaped(tmp_path: Path, name: str) -> None:
    odd = tmp_path / "a;b\\c\x07\x1b]633;C\x07\nd"
    odd.mkdir()
    with marked(name, tmp_path) as shell:
        assert ("P", str(odd)) in _facts(shell.told("cd a*"))


@SHELLS
@pytest.mark.parametrize("login", [False, True], ids=["shell", "login shell"])
def test_programs_do_not_learn_the_secret(tmp_path: Path, name: str, login: bool) -> None:
    with marked(name, tmp_path, login=login) as shell:
        process = "fish_pid" if name == "fish" else "$"
        shell.run(f"env > told; cat /proc/${process}/environ /proc/${process}/cmdline >> told")
        told = (tmp_path / "told").read_text()
        assert shell.secret not in told
        assert "HOME=" in told
        shell.run("sh -c 'for n in 3 4 5 6 7 8 9; do timeout 1 cat /dev/fd/$n; done' >> told 2>/dev/null")
        assert shell.secret not in (tmp_path / "told").read_text()
        shell.run("env > children")
        assert "SEALCAST" not in (tmp_path / "children").read_text()


def test_bash_reports_each_line_of_a_paste_and_how_it_ended(tmp_path: Path) -> None:
    with marked("bash", tmp_path) as shell:
        told = shell.told("\x1b[200~(exit 3)\nfalse\ntrue\x1b[201~")
        ends = [report.value for report in told if report.kind == "D"]
        assert [report.value for report in told if report.kind == "E"] == ["(exit 3)", "false", "true"]
        assert ends == ["3", "1", "0"]
        assert [report.value for report in shell.told("false") if report.kind == "D"] == ["1"]


def test_bash_reads_the_files_of_its_user(tmp_path: Path) -> None:
    (tmp_path / ".bashrc").write_text("rc=read; PS1='mine> '; PROMPT_COMMAND='seen=$?'; PS0='[go]'\n")
    (tmp_path / ".bash_profile").write_text(". ~/.bashrc; profile=read\n")
    (tmp_path / ".bash_logout").write_text("echo logged out\n")
    with marked("bash", tmp_path, login=True) as shell:
        output = shell.run("echo $rc $profile $0; echo $(shopt login_shell; shopt -o posix); false")
        assert b"[go]" in output
        assert b"read read -bash" in output
        assert b"login_shell on posix off" in output
        assert b"<1>" in shell.run('echo "<$seen>"')
        assert b"mine> " in shell.run('echo "<$HISTFILE>"')
        assert b"logged out" in shell.end("logout")
    with marked("bash", tmp_path) as shell:
        assert b"<read >" in shell.run('echo "<$rc $profile>"')


def test_zsh_reads_the_files_of_its_user(tmp_path: Path) -> None:
    for place in ("zshenv", "zprofile", "zshrc", "zlogin"):
        (tmp_path / f".{place}").write_text(f"order+={place}.\n")
    with marked("zsh", tmp_path, login=True) as shell:
        assert b"<zshenv.zprofile.zshrc.zlogin. none>" in shell.run('echo "<$order ${ZDOTDIR-none}>"')
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".zshrc").write_text("order=elsewhere\n")
    with marked("zsh", tmp_path, ZDOTDIR=str(elsewhere)) as shell:
        assert f"<elsewhere {elsewhere}>".encode() in shell.run('echo "<$order $ZDOTDIR>"')


@pytest.mark.parametrize("files", [[], [".zshrc"]], ids=["new user", "other user"])
def test_zsh_greets_a_new_user(tmp_path: Path, files: list[str]) -> None:
    """Its script for them is read, by which it does nothing more for root."""
    for name in files:
        (tmp_path / name).touch()
    command = [
        "strace",
        "-o",
        str(tmp_path / "trace"),
        "-e",
        "trace=openat",
        tool("zsh"),
        "-i",
        "-c",
        "exit 3",
    ]
    env = {
        "HOME": str(tmp_path),
        "ZDOTDIR": str(SCRIPTS / "zsh"),
        "PATH": os.environ["PATH"],
        "TERM": "xterm",
    }
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, timeout=DEADLINE_SECONDS, check=False)
    assert done.returncode == 3
    assert ('/newuser", O_RDONLY' in (tmp_path / "trace").read_text()) is not bool(files)


def test_fish_keeps_its_data_directories(tmp_path: Path) -> None:
    with marked("fish", tmp_path) as shell:
        assert b"<0>" in shell.run('echo "<"(set -q XDG_DATA_DIRS; and echo 1; or echo 0)">"')
    with marked("fish", tmp_path, XDG_DATA_DIRS="/one:/two") as shell:
        assert b"</one:/two>" in shell.run('echo "<$XDG_DATA_DIRS>"')
