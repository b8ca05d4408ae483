"""Whatever the user's file says, the shell reports what it runs, and shows nothing else for it."""

import re
from pathlib import Path

import pytest

from tests.marks import needs
from tests.shell.shells import marked

pytestmark = needs("zsh", "fish")
BASH = [
    "set -u",
    "set -a; IFS=x",
    "export PS1='mine> '",
    "PS0='go '",
    "readonly LC_ALL IFS",
    "set -o vi; shopt -s extglob nocasematch failglob",
    "set -o posix",
    "set -o noclobber; umask 777",
    "broken ( syntax",
    "alias printf=false local=false builtin=false read=false",
    "printf() { false; }",
    "trap 'echo err' ERR; set -E",
    "PROMPT_COMMAND=('true' 'true')",
    "PROMPT_COMMAND='PS1=\"theme> \"'",
    "HISTCONTROL=ignoreboth; HISTIGNORE=ls",
    "return 3",
]
ZSH = [
    "setopt ksh_arrays sh_word_split",
    "setopt xtrace",
    "setopt no_unset warn_create_global all_export",
    "print() { : }",
    "alias builtin=false",
    "preexec_functions=()",
    "broken (",
]


@pytest.mark.parametrize("line", BASH)
def test_bash(tmp_path: Path, line: str) -> None:
    (tmp_path / ".bashrc").write_text(f"{line}\n")
    with marked("bash", tmp_path) as shell:
        second = shell.run("false"), shell.run('echo "<$?>"')
        _tells_what_it_runs(*second, shell.secret)
        assert f"\x1b]633;C;{shell.secret}\x07<1>\r\n".encode() in second[1]


@pytest.mark.parametrize("line", ZSH)
def test_zsh(tmp_path: Path, line: str) -> None:
    (tmp_path / ".zshrc").write_text(f"{line}\n")
    with marked("zsh", tmp_path) as shell:
        _tells_what_it_runs(shell.run("false"), shell.run('echo "<$?>"'), shell.secret)


def _tells_what_it_runs(first: bytes, second: bytes, secret: str) -> None:
    assert f"\x1b]633;E;false;{secret}\x07\x1b]633;C;{secret}\x07".encode() in first
    assert f"\x1b]633;D;1;{secret}\x07".encode() in first
    assert b"<1>\r\n" in second
    plain = second.replace(f";{secret}\x07".encode(), b"")
    assert secret.encode() not in plain


@pytest.mark.parametrize("name", ["bash", "zsh"])
def test_tracing_does_not_show_the_secret(tmp_path: Path, name: str) -> None:
    (tmp_path / f".{name}rc").write_text("set -x\n")
    with marked(name, tmp_path) as shell:
        shown = shell.greeting + shell.run("true")
        assert shell.secret.encode() not in shown.replace(f";{shell.secret}\x07".encode(), b"")


@pytest.mark.parametrize("line", ["PROMPT_COMMAND=(': one' ': two')", "PROMPT_COMMAND=$': one\\n: two'"])
def test_only_what_is_typed_comes_into_the_history(tmp_path: Path, line: str) -> None:
    (tmp_path / ".bashrc").write_text(f"set -E\n{line}\n")
    with marked("bash", tmp_path) as shell:
        shell.run("true")
        shell.run("false")
        assert shell.run("history").count(b"    ") == 3
        assert re.search(rb"<\w*E\w*>", shell.run('echo "<$->"'))


def test_a_readonly_prompt_command_stays_what_it_is(tmp_path: Path) -> None:
    with marked("bash", tmp_path) as shell:
        shell.child.send("unset PROMPT_COMMAND; readonly PROMPT_COMMAND=:; echo re''ady\r")
        shell.child.expect_exact("ready\r\n")
        shell.child.send("set -u; declare -p PROMPT_COMMAND\r")
        shell.child.expect_exact('declare -r PROMPT_COMMAND=":"\r\n')
        shell.child.send("echo re''ady\r")
        shell.child.expect_exact("\x07ready\r\n")
        assert b"unbound" not in (shell.child.before or b"")


def test_a_history_that_cannot_be_read_without_its_times_tells_no_text(tmp_path: Path) -> None:
    (tmp_path / ".bashrc").write_text("readonly HISTTIMEFORMAT='%s '\n")
    with marked("bash", tmp_path) as shell:
        assert [report.kind for report in shell.told("true")] == ["C", "D", "P", "A"]


def test_without_promptvars_nothing_is_shown_in_clear(tmp_path: Path) -> None:
    (tmp_path / ".bashrc").write_text("shopt -u promptvars\n")
    with marked("bash", tmp_path) as shell:
        assert b"sealcast" not in shell.greeting + shell.run("true")


@pytest.mark.parametrize("other", ["zsh -f", "fish --no-config"])
def test_a_file_that_starts_another_shell(tmp_path: Path, other: str) -> None:
    with marked("bash", tmp_path) as shell:
        shell.child.send(f"exec {other}\r")
        shell.child.expect_exact("\x1b[?2004h")
        shell.child.send("env; echo EN''D\r")
        shell.child.expect_exact("END\r\n")
        shown = shell.child.before or b""
        assert b"SEALCAST" not in shown
        assert shell.secret.encode() not in shown.rpartition(b"\x07")[2]
