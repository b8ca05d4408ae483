"""Who is measured: how each records a command, where its recording lies, and how to read it back."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scripts.benchmarks import recordings
from scripts.benchmarks.errors import BenchError
from scripts.benchmarks.results import OURS

BARE = "bare"
_SEALCAST = (sys.executable, "-P", "-m", "recorder.cli")
_STORE = "store"


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to run a command in a terminal.

    `command` gives the argument vector for a text for `sh -c` and the folder for what is recorded.
    """

    name: str
    program: str
    package: str
    command: Callable[[str, Path], list[str]]
    pattern: str
    """Glob of the finished recording's files in that folder."""
    live_pattern: str
    output: recordings.Output

    def files(self, folder: Path, *, live: bool = False) -> list[Path]:
        """What it has written."""
        return sorted(folder.glob(self.live_pattern if live else self.pattern))

    def size(self, folder: Path, *, live: bool = False) -> int:
        """Bytes of what it has written."""
        return sum(path.stat().st_size for path in self.files(folder, live=live))


def _none(_path: Path) -> list[bytes]:
    return []


def _bare(text: str, _folder: Path) -> list[str]:
    return ["/bin/sh", "-c", text]


def _sealcast(text: str, _folder: Path) -> list[str]:
    return [*_SEALCAST, "rec", "--", "/bin/sh", "-c", text]


def _script(text: str, folder: Path) -> list[str]:
    return ["script", "-q", "-c", text, str(folder / "typescript")]


def _script_flush(text: str, folder: Path) -> list[str]:
    return ["script", "-q", "-f", "-c", text, str(folder / "typescript")]


def _ttyrec(text: str, folder: Path) -> list[str]:
    return ["ttyrec", "-e", text, str(folder / "ttyrecord")]


def _tlog(text: str, folder: Path) -> list[str]:
    path = folder / "tlog.json"
    return ["tlog-rec", "--writer=file", f"--file-path={path}", "--", "/bin/sh", "-c", text]


def _asciinema(text: str, folder: Path) -> list[str]:
    return ["asciinema", "rec", "-q", "-c", text, str(folder / "session.cast")]


_ALL = (
    Contestant(BARE, "sh", "", _bare, "nothing", "nothing", lambda path: iter(_none(path))),
    Contestant(
        OURS,
        sys.executable,
        "",
        _sealcast,
        "store/sealed/**/*.cast*",
        "store/live/*.cast*",
        recordings.asciicast,
    ),
    Contestant("script", "script", "bsdutils", _script, "typescript", "typescript", recordings.typescript),
    Contestant(
        "script -f", "script", "bsdutils", _script_flush, "typescript", "typescript", recordings.typescript
    ),
    Contestant("ttyrec", "ttyrec", "ttyrec", _ttyrec, "ttyrecord", "ttyrecord", recordings.ttyrec),
    Contestant("tlog-rec", "tlog-rec", "tlog", _tlog, "tlog.json", "tlog.json", recordings.tlog),
    Contestant(
        "asciinema",
        "asciinema",
        "asciinema",
        _asciinema,
        "session.cast",
        "session.cast",
        recordings.asciicast,
    ),
)
NAMES = tuple(contestant.name for contestant in _ALL)


def installed() -> list[Contestant]:
    """Those that this machine has, in the order in which they run."""
    return [contestant for contestant in _ALL if shutil.which(contestant.program)]


def environment(folder: Path) -> dict[str, str]:
    """The same for everybody: a plain terminal, UTF-8 (tlog wants it), and every home in `folder`."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "SHELL": "/bin/sh",
        "TERM": "xterm-256color",
        "LC_ALL": "C.UTF-8",
        "SEALCAST_HOME": str(folder / _STORE),
        "ASCIINEMA_CONFIG_HOME": str(folder / "asciinema"),
    }


def make_store(folder: Path) -> None:
    """A store as it is after its first session: with a key, and a log with an entry."""
    text = [*_SEALCAST, "rec", "--", "true"]
    done = subprocess.run(  # noqa: S603 -- our own command
        text, env=environment(folder), stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
    )
    if done.returncode:
        raise BenchError(f"sealcast cannot record here: {done.stderr.decode(errors='replace').strip()}")
    for path in (folder / _STORE / "sealed").rglob("*.cast*"):
        path.unlink()


def copy_store(source: Path, folder: Path) -> None:
    """Give a run its own copy of that store."""
    shutil.copytree(source / _STORE, folder / _STORE)


def versions(contestants: list[Contestant]) -> dict[str, str]:
    """The versions of their Debian packages, where they come from such."""
    dpkg = shutil.which("dpkg-query")
    found = {}
    for contestant in contestants:
        if dpkg is None or not contestant.package:
            continue
        argv = [dpkg, "-W", "-f", "${Version}", contestant.package]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603 -- fixed words
        if done.returncode == 0:
            found[contestant.package] = done.stdout.strip()
    return found
