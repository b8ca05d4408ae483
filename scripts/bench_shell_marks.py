#!/usr/bin/env python3
"""What a shell's hooks cost: to the first prompt, and from Enter to the next one, with marks and without.

Both take turns, and medians are compared: other work on the machine slows both down.
"""

import os
import pty
import select
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from recorder.shell.launch import with_marks
from recorder.shell.secret import SCRIPTS, new_secret, pipe_with

SHELLS = ("bash", "zsh", "fish")
STARTS = 15
LINES = 150
_PROMPT = b"ready> "
_LONGEST_S = 10.0


class Terminal:
    """A shell in a pty. `started_s` is how long it took to show its first prompt."""

    def __init__(self, name: str, home: str, *, marks: bool) -> None:
        environment = {b"HOME": home.encode(), b"PATH": os.environb[b"PATH"], b"TERM": b"xterm"}
        arguments = [name.encode()]
        pipe = pipe_with(new_secret())
        if marks:
            arguments = with_marks(name.encode(), arguments, environment, bytes(SCRIPTS), pipe)
        begun = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(name, arguments, environment)  # noqa: S606  a shell is what is measured
        os.close(pipe)
        self._wait()
        self.started_s = time.perf_counter() - begun

    def line_s(self, line: bytes) -> float:
        """From Enter to the next prompt."""
        os.write(self.fd, line)
        while select.select([self.fd], [], [], 0.005)[0]:
            os.read(self.fd, 65536)
        begun = time.perf_counter()
        os.write(self.fd, b"\r")
        self._wait()
        return time.perf_counter() - begun

    def close(self) -> None:
        """Hang up."""
        os.close(self.fd)
        os.waitpid(self.pid, 0)

    def _wait(self) -> None:
        shown = b""
        while _PROMPT not in shown:
            if not select.select([self.fd], [], [], _LONGEST_S)[0]:
                raise TimeoutError(f"no prompt: {shown!r}")
            shown += os.read(self.fd, 65536)


def main() -> None:
    """A row per shell."""
    with tempfile.TemporaryDirectory() as home:
        _write_files(Path(home))
        sys.stdout.write("| shell | start | with marks | command | with marks |\n|---|---|---|---|---|\n")
        for name in SHELLS:
            starts, lines = _measure(name, home)
            cells = [f"{1000 * statistics.median(one):.2f} ms" for one in (*starts, *lines)]
            sys.stdout.write(f"| {name} | {' | '.join(cells)} |\n")


def _write_files(home: Path) -> None:
    (home / ".bashrc").write_text("PS1='ready> '\n")
    (home / ".zshrc").write_text("PROMPT='ready> '\n")
    fish = home / ".config" / "fish"
    fish.mkdir(parents=True)
    (fish / "config.fish").write_text("function fish_prompt; echo -n 'ready> '; end; set -g fish_greeting\n")


def _measure(name: str, home: str) -> tuple[list[list[float]], list[list[float]]]:
    starts: list[list[float]] = [[], []]
    lines: list[list[float]] = [[], []]
    for number in range(STARTS):
        for marks in (False, True):
            terminal = Terminal(name, home, marks=marks)
            starts[marks].append(terminal.started_s)
            for _ in range(LINES // STARTS if number else 0):
                lines[marks].append(terminal.line_s(b"true"))
            terminal.close()
    return starts, lines


if __name__ == "__main__":
    main()
