"""How each program is started, and how it tells what it ran: never by way of the extraction."""

import codeop
import os
import re
import sqlite3
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.accuracy.databases import mariadb_history, psql_history
from tests.accuracy.prompts import PROMPTS
from tests.accuracy.scenario import Scenario

_STRACE_READ = re.compile(r'^(?:\d+ +)?read\(0, "((?:[^"\\]|\\.)*)", 8192\)', re.MULTILINE)


@dataclass(frozen=True)
class Launch:
    """A program to record: its command line, its environment besides the common one, the truth afterwards."""

    argv: list[str]
    env: dict[str, str]
    truth: Callable[[], list[str]]
    ready: str = "\x1b[?2004h"
    """What is shown when it waits for the first line."""
    own_shell: bool = False
    """It is recorded as the user's own shell, which then reports what it runs."""


def launch(scenario: Scenario, prompt: str, home: Path) -> Launch:
    """Writes startup files into `home`; what the program ran goes to files there as well."""
    for name, content in scenario.files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (home / "truth").mkdir()
    return _PROGRAMS[scenario.program](scenario, PROMPTS[scenario.program][prompt], home)


def _nul_separated(home: Path) -> list[str]:
    texts: list[str] = []
    for path in sorted([*(home / "truth").glob("zsh.*"), *(home / "truth").glob("fish.*")]):
        texts += path.read_text(errors="replace").split("\0")[:-1]
    return texts


def _bash(scenario: Scenario, prompt: str, home: Path) -> Launch:
    """Its history, in which lines that came as one command are one; also of shells started inside."""
    (home / "rc").write_text(
        "shopt -s lithist cmdhist; HISTCONTROL=; HISTTIMEFORMAT='%s '; HISTSIZE=1000\n"
        "HISTFILE=~/truth/bash.$BASHPID\n"
        "PROMPT_COMMAND='history -a'; trap 'history -a' EXIT\n"
        f"{scenario.setup}\nPS1='{prompt}'\n"
    )
    ready = (
        ("# " if prompt.endswith(r"\$ ") else prompt[-2:])
        if "enable-bracketed-paste off" in scenario.setup or _is_old_bash()
        else "\x1b[?2004h"
    )
    (home / ".bashrc").write_text("unset PYTHONPATH; . ~/rc\n")
    return Launch(["bash"], {"RC": str(home / "rc")}, lambda: _everything(home), ready, own_shell=True)


@cache
def _is_old_bash() -> bool:
    """Before 5.1 its line editor does not mark where it begins, unless it is told to."""
    asked = subprocess.run(["bash", "-c", "((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 501))"], check=False)
    return asked.returncode == 0


def _everything(home: Path) -> list[str]:
    """What every program told that was started from the shell, too."""
    texts: list[str] = []
    for path in sorted((home / "truth").glob("bash.*")):
        texts += _timed_history(path.read_text(errors="replace"))
    texts += _nul_separated(home) + _python_history(home) + _sqlite_history(home) + _node_history(home)
    return texts + psql_history(home) + mariadb_history(home)


def _timed_history(text: str) -> list[str]:
    entries = re.split(r"^#\d{9,}\n", text, flags=re.MULTILINE)
    return [entry.rstrip("\n") for entry in entries if entry.strip()]


def _zsh(scenario: Scenario, prompt: str, home: Path) -> Launch:
    """What its preexec hook is given."""
    left, _, right = prompt.partition("|")
    (home / ".zshrc").write_text(
        'unset PYTHONPATH; preexec() { print -rN -- "$1" >> ~/truth/zsh.$$ }\n'
        "HISTFILE=~/.history; HISTSIZE=1000; unsetopt beep\n"
        f"autoload -Uz compinit && compinit -u -D\nbindkey -e\n{scenario.setup}\n"
        f"PROMPT=$'{left}'\nRPROMPT='{right}'\n".replace("\n❯", r"\n❯").replace("$'\n", r"$'\n")
    )
    return Launch(["zsh"], {"ZDOTDIR": str(home)}, lambda: _nul_separated(home), own_shell=True)


def _fish(scenario: Scenario, prompt: str, home: Path) -> Launch:
    """What its fish_preexec event is given."""
    left, _, right = prompt.partition("|")
    folder = home / ".config" / "fish"
    folder.mkdir(parents=True)
    lines = [
        "function __told --on-event fish_preexec",
        "printf '%s\\0' \"$argv\" >> ~/truth/fish.$fish_pid",
        "end",
    ]
    lines += ["set -g fish_greeting", "set -e PYTHONPATH"]
    if left:
        lines += ["function fish_prompt", left, "end"]
    if right:
        lines += ["function fish_right_prompt", right, "end"]
    (folder / "config.fish").write_text("\n".join([*lines, scenario.setup, ""]))
    env = {"XDG_CONFIG_HOME": str(home / ".config"), "XDG_DATA_HOME": str(home / ".local")}
    return Launch(["fish"], env, lambda: _nul_separated(home), own_shell=True)


def _dash(scenario: Scenario, prompt: str, home: Path) -> Launch:
    """The lines it read from its terminal, by way of strace, grouped by its own syntax."""
    (home / "rc").write_text(f"{scenario.setup}\nPS1='{prompt}'\n")
    trace = home / "truth" / "strace"
    argv = ["strace", "-qq", "-o", str(trace), "-e", "trace=read", "-s", "4096", "dash", "-i"]
    return Launch(argv, {"ENV": str(home / "rc")}, lambda: _read_lines(trace), prompt)


def _ksh(scenario: Scenario, prompt: str, home: Path) -> Launch:
    """Its history file: two bytes of header, then the commands, NUL between them."""
    (home / "rc").write_text(f"{scenario.setup}\nPS1='{prompt}'\n")
    history = home / "truth" / "ksh"
    environment = {"ENV": str(home / "rc"), "HISTFILE": str(history)}
    return Launch(["ksh"], environment, lambda: _ksh_history(history), prompt)


def _ksh_history(path: Path) -> list[str]:
    texts = path.read_bytes()[2:].split(b"\0")
    return [text.decode(errors="replace").strip("\n") for text in texts if text.strip()]


def _read_lines(trace: Path) -> list[str]:
    lines = [
        found.encode("latin-1").decode("unicode_escape").encode("latin-1").decode(errors="replace")
        for found in _STRACE_READ.findall(trace.read_text(encoding="latin-1"))
    ]
    return _grouped([line.rstrip("\n") for line in lines if line.strip()], _dash_wants_more)


def _dash_wants_more(lines: list[str]) -> bool:
    """dash itself is asked, without running anything; an open here-document is no error to it."""
    for number, line in enumerate(lines):
        word = re.search(r"<<-?\s*'?(\w+)", line)
        if word and word[1] not in lines[number + 1 :]:
            return True
    text = "\n".join(lines) + "\n"
    checked = subprocess.run(["dash", "-n"], input=text, capture_output=True, text=True, check=False)
    return bool(re.search(r"end of file|Unterminated|expecting", checked.stderr)) or lines[-1].endswith("\\")


def _grouped(lines: list[str], wants_more: Callable[[list[str]], bool]) -> list[str]:
    commands: list[str] = []
    group: list[str] = []
    for line in lines:
        group.append(line)
        if not wants_more(group):
            commands.append("\n".join(group))
            group = []
    return commands + ["\n".join(group)] * bool(group)


def _python(scenario: Scenario, prompt: str, home: Path) -> Launch:
    """The history of its line editor, grouped as its own compiler would."""
    environment = python_environment(home)
    Path(environment["PYTHONSTARTUP"]).write_text(
        _PYTHON_STARTUP + f"sys.ps1 = {prompt!r}\n{scenario.setup}\n"
    )
    return Launch(["python3", "-q"], environment, lambda: _python_history(home), prompt)


_PYTHON_STARTUP = """import atexit, os, readline, sys
if sys.version_info < (3, 13):
    readline.set_history_length(1000)
    readline.set_auto_history(True)
    readline.clear_history()
    atexit.unregister(getattr(sys, '__interactivehook__', None))
    sys.__interactivehook__ = lambda: None
    atexit.register(lambda: readline.write_history_file(os.path.expanduser('~/truth/python')))
"""


def python_environment(home: Path) -> dict[str, str]:
    """For a python started as it stands, too."""
    path = home / "startup.py"
    if not path.exists():
        path.write_text(_PYTHON_STARTUP)
    return {"PYTHONSTARTUP": str(path), "PYTHON_HISTORY": str(home / "truth" / "python")}


def _python_history(home: Path) -> list[str]:
    """Blank lines are not in it, so a block ends where a line is not indented and begins nothing of it."""
    path = home / "truth" / "python"
    if not path.exists():
        return []
    commands: list[str] = []
    group: list[str] = []
    for line in [line for line in path.read_text().split("\n") if line]:
        if group and not line.startswith((" ", "else", "elif", "except", "finally")) and _is_block(group):
            commands.append("\n".join(group))
            group = []
        group.append(line)
        if not _python_wants_more(group):
            commands.append("\n".join(group))
            group = []
    return commands + ["\n".join(group)] * bool(group)


def _is_block(lines: list[str]) -> bool:
    return not _python_wants_more([*lines, ""])


def _python_wants_more(lines: list[str]) -> bool:
    try:
        return codeop.compile_command("\n".join(lines) + "\n" * (lines[-1] == "")) is None
    except (SyntaxError, ValueError, OverflowError):
        return False


def _sqlite(_scenario: Scenario, _prompt: str, home: Path) -> Launch:
    """The history of its line editor; its own library tells where statements end."""
    return Launch(
        ["sqlite3"], {"SQLITE_HISTORY": str(home / "truth" / "sqlite")}, lambda: _sqlite_history(home)
    )


def _sqlite_history(home: Path) -> list[str]:
    path = home / "truth" / "sqlite"
    if not path.exists():
        return []

    def wants_more(lines: list[str]) -> bool:
        return not lines[0].startswith(".") and not sqlite3.complete_statement("\n".join(lines))

    return _grouped([line for line in path.read_text().split("\n") if line], wants_more)


def _node(_scenario: Scenario, _prompt: str, home: Path) -> Launch:
    """Its history file, the newest line first."""
    env = {"NODE_REPL_HISTORY": str(home / "truth" / "node")}
    return Launch(["node"], env, lambda: _node_history(home), "> ")


def _node_history(home: Path) -> list[str]:
    path = home / "truth" / "node"
    return [line for line in path.read_text().split(os.linesep)[::-1] if line] if path.exists() else []


def _psql(scenario: Scenario, prompt: str, home: Path) -> Launch:
    """Its history."""
    prompts = [f"\\set PROMPT{number} '{prompt}'\n" for number in (1, 2) if prompt]
    (home / ".psqlrc").write_text(
        "\\set QUIET on\n" + "".join(prompts) + f"{scenario.setup}\n\\set QUIET off\n"
    )
    return Launch(["psql"], {}, lambda: psql_history(home))


def _mariadb(_scenario: Scenario, prompt: str, home: Path) -> Launch:
    """Its history."""
    argv = ["mariadb", *[f"--prompt={prompt}"] * bool(prompt)]
    return Launch(argv, {}, lambda: mariadb_history(home), "> ")


_PROGRAMS: dict[str, Callable[[Scenario, str, Path], Launch]] = {
    "bash": _bash,
    "zsh": _zsh,
    "fish": _fish,
    "dash": _dash,
    "ksh": _ksh,
    "python": _python,
    "sqlite": _sqlite,
    "node": _node,
    "psql": _psql,
    "mariadb": _mariadb,
}
