"""A store with real recordings in it, made once and copied for each test; and ways to run the program."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pexpect
import pytest

from recorder.cli.main import run
from recorder.store.catalog import list_sessions
from recorder.store.layout import Store

COMMAND = [sys.executable, "-P", "-m", "recorder.cli"]
HOSTILE = r"printf '\033]0;owned\007\033]52;c;ZWNobw==\007\033[2Jplain \302\233text\n'; exit 7"


@dataclass(frozen=True, slots=True)
class Result:
    code: int
    out: str
    err: str


Run = Callable[..., Result]


def _rec(home: Path, *arguments: str) -> None:
    subprocess.run(
        [*COMMAND, "rec", "-q", *arguments],
        env=os.environ | {"SEALCAST_HOME": str(home)},
        check=False,
        timeout=120,
    )


def _rec_terminal(home: Path) -> None:
    """In a terminal: more lines than rows, a wrapped line, a full-screen program, a cleared screen."""
    environment = os.environ | {"SEALCAST_HOME": str(home), "PS1": "> ", "TERM": "xterm-256color"}
    child: pexpect.spawn[str] = pexpect.spawn(
        COMMAND[0],
        [*COMMAND[1:], "rec", "-q", "--title", "In a terminal", "--", "sh"],
        env=environment,
        dimensions=(10, 40),
        encoding="utf-8",
        timeout=120,
    )
    child.expect("> ")
    for line in (
        "seq 1 30",
        "printf 'x%.0s' $(seq 90); echo",
        r"printf '\033[?1049h\033[Hinside\033[?1049l'",
        r"echo kept; printf '\033[H\033[2J'; echo after",
        "exit 3",
    ):
        child.sendline(line)
        child.expect("> " if line != "exit 3" else pexpect.EOF)
    child.close()


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sessions, the oldest first: hostile output and exit 7, an untitled one, one in a terminal."""
    home = tmp_path_factory.mktemp("recorded") / "store"
    _rec(home, "--title", "Web upgrade\x1b[31m", "--reason", "INC-4711", "--", "sh", "-c", HOSTILE)
    _rec(home, "--", "echo", "second")
    _rec_terminal(home)
    return home


@pytest.fixture
def store(recorded: Path, home: Path) -> Path:
    """A copy of the recordings in the test's own SEALCAST_HOME."""
    target = Path(os.environ["SEALCAST_HOME"])
    shutil.copytree(recorded, target)
    return target


@pytest.fixture
def ids(store: Path) -> list[str]:
    """The sessions of `store`, the oldest first."""
    return [session.id for session in reversed(list_sessions(Store(store)))]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Runs a command line in this process, without a terminal."""
    before = signal.getsignal(signal.SIGPIPE)

    def call(*arguments: str) -> Result:
        code = run(arguments)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    yield call
    signal.signal(signal.SIGPIPE, before)


@pytest.fixture
def program(home: Path) -> Run:
    """Runs a command line in a process of its own, without a terminal."""

    def call(*arguments: str, stdin: str = "", extra: dict[str, str] | None = None) -> Result:
        done = subprocess.run(
            [*COMMAND, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=os.environ | (extra or {}),
            cwd=home,
            timeout=120,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    return call
