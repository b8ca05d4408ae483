"""tmux as an oracle: the same bytes at the same size, and what it shows then."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from recorder.terminal import Step
from tests.terminal.captures import Capture, stages
from tests.terminal.pictures import Character, Picture, Row, trimmed

CONFIGURATION = """
set -g status off
set -g history-limit 2000
set -g exit-empty off
set -g escape-time 0
set -g focus-events off
"""
DEADLINE = 120.0
_REQUEST = re.compile(rb"\x1b\[\??6n")
_STATE = "#{cursor_x} #{cursor_y} #{cursor_flag} #{alternate_on}"
_ACS = dict(zip("`abcdefghijklmnopqrstuvwxyz{|}~", "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·", strict=True))


class Tmux:
    """A tmux server of its own, on a private socket, ended with the `with` block."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._socket = directory / "tmux"
        self._configuration = directory / "tmux.conf"
        self._panes = 0

    def __enter__(self) -> Self:
        self._configuration.write_text(CONFIGURATION)
        self.run("start-server")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.run("kill-server")

    def run(self, *arguments: str) -> str:
        """Run a tmux command; returns what it prints."""
        command = ["tmux", "-u", "-S", str(self._socket), "-f", str(self._configuration), *arguments]
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
        environment.pop("TMUX", None)
        done = subprocess.run(command, capture_output=True, env=environment, timeout=DEADLINE, check=True)
        return done.stdout.decode()

    @property
    def version(self) -> str:
        """Such as `tmux 3.3a`."""
        return self.run("-V").strip()

    def pane(self, cols: int, rows: int) -> "Pane":
        """A new session with one empty pane."""
        self._panes += 1
        return Pane(self, self._directory / f"pane{self._panes}", f"s{self._panes}", cols, rows)


class Pane:
    """One pane that shows what it is fed."""

    def __init__(self, server: Tmux, address: Path, name: str, cols: int, rows: int) -> None:
        self._server = server
        self._name = name
        self.size = (cols, rows)
        program = f"{sys.executable} -I {Path(__file__).with_name('tmux_pane.py')} {address}"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(address))
            listener.listen()
            listener.settimeout(DEADLINE)
            server.run("new-session", "-d", "-s", name, "-x", str(cols), "-y", str(rows), program)
            self._connection, _ = listener.accept()
        self._connection.settimeout(DEADLINE)
        self._await()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._server.run("kill-session", "-t", self._name)
        self._connection.close()

    def feed(self, data: bytes) -> None:
        """Show output, which must end at ground state; returns when tmux has carried it out.

        Cursor position requests in it are left out: their answers would be taken for ours.
        """
        data = _REQUEST.sub(b"", data)
        self._connection.sendall(len(data).to_bytes(4, "big") + data)
        self._await()

    def _await(self) -> None:
        if self._connection.recv(1) != b".":
            raise ConnectionError("the program in the tmux pane ended")

    def resize(self, cols: int, rows: int) -> None:
        """Change the size."""
        self.size = (cols, rows)
        self._server.run("resize-window", "-t", self._name, "-x", str(cols), "-y", str(rows))

    def play(self, steps: list[Step]) -> None:
        """Feed output and sizes; the output must end at ground state."""
        output = b""
        for step in steps:
            if isinstance(step.change, bytes):
                output += step.change
            else:
                self.feed(output)
                self.resize(*step.change)
                output = b""
        self.feed(output)

    def picture(self, event: int) -> Picture:
        """What tmux shows."""
        target = ("-t", self._name)
        printed = self._server.run(
            "capture-pane", "-p", "-e", "-N", *target, ";", "display-message", "-p", *target, _STATE
        )
        *lines, state, _ = printed.split("\n")
        x, y, visible, alternate = (int(word) for word in state.split())
        cols, rows = self.size
        styled = parse_rows(lines)
        styled += [()] * (rows - len(styled))
        cursor = (min(x, cols - 1), y)
        return Picture(event, self.size, cursor, visible == 1, alternate == 1, tuple(styled))


def pictures_of(server: Tmux, capture: Capture, points: list[int]) -> Iterator[Picture]:
    """What tmux shows of `capture` after each of the events `points`."""
    with server.pane(*capture.size) as pane:
        for point, steps in stages(capture, points):
            pane.play(steps)
            picture = pane.picture(point)
            yield picture._replace(
                rows=tuple(map(with_background, picture.rows, probe(server, capture, point)))
            )


def probe(server: Tmux, capture: Capture, point: int) -> tuple[Row, ...]:
    """The rows with an x in the last column: only then does tmux print erased cells in front of it."""
    with server.pane(*capture.size) as pane:
        pane.play(capture.steps[:point])
        cols, rows = pane.size
        marks = "".join(f"\x1b[{row};{cols}Hx" for row in range(1, rows + 1))
        pane.feed(f"\x1b[?6l\x1b[4l\x1b(B\x0f\x1b[m{marks}".encode())
        return pane.picture(point).rows


def with_background(row: Row, probed: Row) -> Row:
    """`row` with the erased cells at its end that have a background, as far as `probed` shows any.

    The last column holds the x, so it is taken to look like the one before it.
    """
    behind = probed[len(row) : -1]
    if probed[: len(row)] != row or not behind:
        return row
    return trimmed([*row, *behind, behind[-1]])


# ── reading what capture-pane prints ──────────────────────────────────────────

_PART = re.compile(r"\x1b\[([0-9;:]*)m|(\x0e)|(\x0f)|\x1b\]8;[^\x1b]*\x1b\\|([^\x1b])")
_FLAGS = {
    1: "bold",
    2: "dim",
    3: "italic",
    4: "underline",
    5: "blink",
    7: "reverse",
    8: "hidden",
    9: "strike",
}
_FLAGS[53] = "overline"
_UNDERLINES = {"2": "double", "3": "curly", "4": "dotted", "5": "dashed"}
_ORDER = ["bold", "dim", "italic", "underline", "blink", "reverse", "hidden", "strike", "overline"]
_ORDER += _UNDERLINES.values()


class Style:
    """The SGR state of the printed rows. tmux always resets before it takes anything away."""

    def __init__(self) -> None:
        self.colours: dict[str, str] = {}
        self.flags: set[str] = set()

    def apply(self, parameters: str) -> None:
        """Carry out one SGR sequence."""
        codes = parameters.split(";")
        while codes:
            code = codes.pop(0)
            if code.startswith("4:"):
                self.flags |= {"underline", _UNDERLINES[code[2:]]}
            elif code == "5:3":  # how tmux 3.3a prints 53
                self.flags.add("overline")
            elif ":" in code:
                self._set(code.split(":")[0], code.split(":")[1:])
            elif code in ("38", "48", "58"):
                count = 2 if codes[0] == "5" else 4
                self._set(code, codes[:count])
                del codes[:count]
            else:
                self._simple(int(code or 0))

    def _simple(self, code: int) -> None:
        if code == 0:
            self.__init__()  # type: ignore[misc]  # back to the beginning
        elif code in _FLAGS:
            self.flags.add(_FLAGS[code])
        elif code in (39, 49, 59):
            self.colours.pop({39: "fg", 49: "bg", 59: "ul"}[code], None)
        else:
            name = "fg" if code // 10 in (3, 9) else "bg"
            self.colours[name] = str(code % 10 + (8 if code >= 90 else 0))

    def _set(self, code: str, parts: list[str]) -> None:
        name = {"38": "fg", "48": "bg", "58": "ul"}[code]
        values = [int(part) for part in parts[1:] if part]
        self.colours[name] = str(values[0]) if parts[0] == "5" else "#" + "".join(f"{v:02x}" for v in values)

    def words(self) -> str:
        """The style as `pictures.style` writes it."""
        colours = [f"{name}={self.colours[name]}" for name in ("fg", "bg", "ul") if name in self.colours]
        return " ".join(colours + [flag for flag in _ORDER if flag in self.flags])


def parse_rows(lines: list[str]) -> list[tuple[Character, ...]]:
    """Rows of characters with their styles; the style goes on from row to row."""
    style = Style()
    rows = []
    graphics = False
    for line in lines:
        row: list[Character] = []
        for match in _PART.finditer(line):
            parameters, shift_out, shift_in, char = match.groups()
            if parameters is not None:
                style.apply(parameters)
            elif shift_out or shift_in:
                graphics = bool(shift_out)
            elif char:
                row.append((_ACS.get(char, char) if graphics else char, style.words()))
        rows.append(trimmed(row))
    return rows
