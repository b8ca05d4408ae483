"""Real shells in real terminals, started so that they mark what they run."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect

from recorder.commands.reports import Authority, Report
from recorder.shell.launch import with_marks
from recorder.shell.secret import SCRIPTS, digest, new_secret
from tests.e2e.sessions import DEADLINE_SECONDS, hang_up, tool

_MARK = re.compile(rb"\x1b\]633;[^\x07]*\x07")
_PIPE = 7
_START = 'exec 7< <(echo "$1"); name=$2 program=$3; shift 3; exec -a "$name" "$program" "$@"'
"""For pexpect, which passes no descriptors on, and starts every program under its own name."""


class Shell:
    """A shell that was given `secret`."""

    def __init__(self, child: "pexpect.spawn[bytes]", secret: str) -> None:
        self.child = child
        self.secret = secret
        self.greeting = self._until_prompt()

    def run(self, line: str) -> bytes:
        """Type `line` and Enter; what is written until the shell reports its next prompt."""
        self.child.send(line + "\r")
        return self._until_prompt()

    def end(self, line: str = "exit") -> bytes:
        """Leave it; the last it wrote."""
        self.child.send(line + "\r")
        self.child.expect(pexpect.EOF)
        return self.child.before or b""

    def reports(self, output: bytes) -> list[Report]:
        """The shell's own marks in `output`."""
        authority = Authority(digest(self.secret))
        found = [authority.read(mark) for mark in _MARK.findall(output)]
        return [report for report in found if report is not None]

    def told(self, line: str) -> list[Report]:
        """The shell's own marks from a line to the next prompt."""
        return self.reports(self.run(line))

    def _until_prompt(self) -> bytes:
        mark = f"\x1b]633;A;{self.secret}\x07".encode()
        self.child.expect_exact(mark)
        return (self.child.before or b"") + mark


@contextmanager
def marked(name: str, home: Path, *, login: bool = False, **variables: str) -> Iterator[Shell]:
    """The shell `name` with its files in `home`, at its first prompt."""
    secret = new_secret()
    if not any(home.glob(".z*")):
        (home / ".zlogin").touch()  # else zsh asks a new user questions
    environment = {
        b"HOME": bytes(home),
        b"PATH": os.environb[b"PATH"],
        b"TERM": b"xterm",
        b"LC_ALL": b"C.UTF-8",
    }
    environment |= {key.encode(): value.encode() for key, value in variables.items()}
    arguments = [f"-{name}".encode() if login else name.encode()]
    arguments = with_marks(name.encode(), arguments, environment, bytes(SCRIPTS), _PIPE)
    child = _spawn(secret, tool(name), arguments, environment, home)
    try:
        yield Shell(child, secret)
    finally:
        hang_up(child)


def _spawn(
    secret: str, program: str, arguments: list[bytes], environment: dict[bytes, bytes], home: Path
) -> "pexpect.spawn[bytes]":
    name, *words = [os.fsdecode(argument) for argument in arguments]
    child: pexpect.spawn[bytes] = pexpect.spawn(
        tool("bash"),
        ["--norc", "--noprofile", "-c", _START, "start", secret, name, program, *words],
        env={os.fsdecode(key): os.fsdecode(value) for key, value in environment.items()},
        cwd=str(home),
        timeout=DEADLINE_SECONDS,
        dimensions=(24, 200),
    )
    child.delaybeforesend = None
    return child
