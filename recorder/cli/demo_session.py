"""The built-in session: a real shell, typed into by a script and recorded by the real recorder."""

import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect

from recorder.errors import ExitCode, SealcastError

TITLE = "Demo: a release that fails, and is put right"
SIZE = (24, 80)
LARGER = (30, 100)
_PROMPT = r"release \$ "
_WAIT_S = 20
_KEY_S = 0.03
_IDLE_S = 4.0

_RELEASE = r"""#!/bin/sh
. ./release.conf
printf '\033[1mReleasing shop %s\033[0m\n' "$VERSION"
for step in build test upload; do
    printf '  %-8s' "$step"
    for dot in 1 2 3 4 5 6; do printf '\033[32m■\033[0m'; sleep 0.05; done
    printf ' ok\n'
done
if [ "$REPLICAS" -lt 2 ]; then
    printf '\033[31merror:\033[0m REPLICAS=%s, at least 2 are needed\n' "$REPLICAS"
    exit 1
fi
printf '\033[32mreleased\033[0m to %s replicas\n' "$REPLICAS"
"""
_CONFIG = "VERSION=4.18.2\nREPLICAS=1\nREGION=eu-central\n"
_BASHRC = r"""PS1='\[\e[36m\]release $ \[\e[0m\]'
"""
_EDITOR = r"""#!/bin/sh
# stands in where there is no vi
printf '\033[?1049h\033[2J\033[H'; cat "$1"; printf '\033[24;1H"%s"' "$1"
read -r keys
sed -i 's/REPLICAS=1/REPLICAS=3/' "$1"
printf '\033[?1049l'
"""


def record_demo(store: Path, folder: Path, said: Callable[[str], None]) -> None:
    """Records the session into the store at `store`; `folder` is the home the shell gets.

    Takes about 12 seconds: the pauses are part of what is recorded. Raises `SealcastError` where the shell
    does not do what was expected of it.
    """
    said("recording the demo session, once: about 12 seconds")
    _furnish(folder)
    child = _start(store, folder)
    try:
        _Typist(child).play(_editor(folder))
        child.expect(pexpect.EOF)
    except (pexpect.TIMEOUT, pexpect.EOF) as error:
        raise SealcastError(
            "the demo session could not be recorded", _last_line(child), ExitCode.RECORDING
        ) from error
    finally:
        child.close(force=True)
    if child.exitstatus != 0:
        raise SealcastError("the demo session could not be recorded", _last_line(child), ExitCode.RECORDING)


def _furnish(folder: Path) -> None:
    for name, text, mode in (
        ("release.sh", _RELEASE, 0o755),
        ("release.conf", _CONFIG, 0o644),
        ("edit", _EDITOR, 0o755),
        (".bashrc", _BASHRC, 0o644),
    ):
        path = folder / name
        path.write_text(text)
        path.chmod(mode)


def _start(store: Path, folder: Path) -> "pexpect.spawn[str]":
    """With an environment of its own: nothing of the person's gets into the demo."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "SEALCAST_HOME": str(store),
        "TERM": "xterm-256color",
        "LC_ALL": "C.UTF-8",
        "SHELL": shutil.which("bash") or "/bin/bash",
    }
    arguments = ["-P", "-m", "recorder.cli", "rec", "-q", "--title", TITLE]
    return pexpect.spawn(
        sys.executable,
        arguments,
        env=environment,
        cwd=str(folder),
        dimensions=SIZE,
        encoding="utf-8",
        timeout=_WAIT_S,
    )


def _editor(folder: Path) -> str:
    return "vi" if shutil.which("vi") else str(folder / "edit")


def _last_line(child: "pexpect.spawn[str]") -> str | None:
    lines = (child.before or "").strip().splitlines() if isinstance(child.before, str) else []
    return lines[-1] if lines else None


class _Typist:
    """Types like a person, and waits for what a person would wait for."""

    def __init__(self, child: "pexpect.spawn[str]") -> None:
        self._child = child
        child.delaybeforesend = _KEY_S

    def play(self, editor: str) -> None:
        self._child.expect(_PROMPT)
        self._run("ls -l")
        self._run("./release.sh")
        self._run("cat release.conf")
        self._pause(_IDLE_S)
        self._edit(editor)
        self._child.setwinsize(*LARGER)
        self._run("./release.sh")
        self._run("echo 'naïve café ✓ 漢字'")
        self._type("exit\r")

    def _type(self, text: str) -> None:
        for key in text:
            self._child.send(key)

    def _run(self, command: str) -> None:
        """Its echo first: a prompt may have been drawn twice before (bash does, on a change of size)."""
        self._type(f"{command}\r")
        self._child.expect(re.escape(command[-6:]) + r"\r\n")
        self._child.expect(_PROMPT)

    def _edit(self, editor: str) -> None:
        """What is typed is vi's; the stand-in takes it as one line."""
        self._type(f"{editor} release.conf\r")
        self._child.expect("REGION")
        self._pause(1.0)
        self._type("/REPL\rf=lr3")
        self._pause(1.0)
        self._type(":wq\r")
        self._child.expect(_PROMPT)

    def _pause(self, seconds: float) -> None:
        """Nothing but time passes; output that comes meanwhile is taken along."""
        self._child.expect([pexpect.TIMEOUT, pexpect.EOF], timeout=seconds)
