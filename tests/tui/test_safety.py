"""Recorded bytes reach the reviewer's terminal only as cells (acceptance 31): seen from outside."""

import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from recorder.cast.events import MARKER, OUTPUT, RESIZE
from tests.tui.studio import Studio, demo_events
from tui import cells
from tui.paint import shape

SOURCES = Path(__file__).parent.parent.parent / "tui"
EVIL = (
    "\x1b]0;evil title\x07\x1b]52;c;ZXZpbA==\x07\x1b]8;;http://evil/\x07link\x1b]8;;\x07"
    "\x1bP+q544e\x1b\\\x1b_evil\x1b\\\x1b^evil\x1b\\\x9b31m\x9d0;evil\x07\x1b[2J\x1b[c\x1b[6n\x1b[21t"
    "[@click=app.quit]click[/] [/x] \u202eevil\u202c \u200b\U000e0041 \x07\x08\x0e\x0f"
)
FORBIDDEN = [
    b"\x1bP",
    b"\x1b_",
    b"\x1b^",
    b"\xc2\x9b",
    b"\xc2\x9d",
    b"\x1b]0;",
    b"\x1b]52;",
    b"\x1b]8;",
    b"evil\x07",
]
PROGRAM = """
import sys
from pathlib import Path
from recorder.store.layout import Store
from tui.app import run_library
sys.exit(run_library(Store(Path(sys.argv[1]))))
"""
DEADLINE = 120.0


@given(st.text(max_size=80))
def test_what_becomes_cells_holds_no_control(text: str) -> None:
    shown = cells.segment(text, Style()).text
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)
    assert cells.width(cells.fit(text, 30)) == 30


@given(st.text(min_size=1, max_size=8), st.sampled_from([1, 2]))
def test_every_cluster_takes_the_cells_it_took_when_recorded(cluster: str, width: int) -> None:
    assert cell_len(shape(cluster, width)) == width


def test_only_one_place_makes_segments_and_nothing_is_markup() -> None:
    allowed = {"cells.py"}
    for path in SOURCES.rglob("*.py"):
        text = path.read_text()
        if path.name not in allowed:
            for line in re.findall(r".*\bSegment\(.*", text):
                assert "part.text" in line, f"{path.name}: {line}"
        assert ".notify(" not in text, path.name
        for line in re.findall(r".*\bStatic\(.*", text):
            assert "markup=False" in line or "class" in line, f"{path.name}: {line}"


class Terminal:
    """A program under a terminal of its own, and every byte it wrote."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self.master, self.process = master, process
        self.written = b""
        self._pressed = 0
        """How much was written before the last keys."""

    def keys(self, keys: bytes) -> None:
        self._drain()
        self._pressed = len(self.written)
        os.write(self.master, keys)

    def until(self, text: str) -> None:
        """Wait until this was drawn since the last keys."""
        deadline, start = time.monotonic() + DEADLINE, self._pressed
        while text.encode() not in self.written[start:]:
            assert time.monotonic() < deadline, f"{text!r} not in {self.written[start:][-3000:]!r}"
            if select.select([self.master], [], [], 0.1)[0]:
                self.written += self._read()

    def _read(self) -> bytes:
        try:
            return os.read(self.master, 65536)
        except OSError:
            raise AssertionError(f"it has ended: {self.written[-3000:]!r}") from None

    def press_until(self, key: bytes, text: str) -> None:
        """Press a key that does no harm twice, until the program takes it."""
        start = len(self.written)
        deadline = time.monotonic() + DEADLINE
        while text.encode() not in self.written[start:]:
            assert time.monotonic() < deadline, text
            self.keys(key)
            self._listen(time.monotonic() + 0.5, text.encode())

    def _listen(self, deadline: float, text: bytes) -> None:
        """Read for a while: a program that plays never falls silent."""
        start = len(self.written)
        while text not in self.written[start:] and time.monotonic() < deadline:
            if select.select([self.master], [], [], 0.1)[0]:
                self.written += self._read()

    def finish(self) -> int:
        """The exit status, with what is written on the way out."""
        deadline = time.monotonic() + DEADLINE
        while self.process.poll() is None and time.monotonic() < deadline:
            self._drain()
        self._drain()
        return self.process.wait(1)

    def _drain(self) -> None:
        """Read what there is: a program that plays never falls silent for long."""
        deadline = time.monotonic() + 1
        while select.select([self.master], [], [], 0.05)[0] and time.monotonic() < deadline:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            self.written += data


@contextmanager
def terminal(studio: Studio, **environment: str) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 110, 0, 0))
    command = [sys.executable, "-c", PROGRAM, str(studio.store.root)]
    known = {**os.environ, "TEXTUAL_ANIMATIONS": "none", "COLORTERM": "truecolor", **environment}
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=known, start_new_session=True
    )
    os.close(slave)
    try:
        yield Terminal(master, process)
    finally:
        process.kill()
        process.wait()
        os.close(master)


@pytest.fixture
def hostile(studio: Studio) -> Studio:
    """A store whose only session is hostile in everything it can say."""
    events = [(0.1, OUTPUT, EVIL), (0.2, MARKER, EVIL), (0.3, OUTPUT, EVIL * 30), (0.4, RESIZE, "90x20")]
    events += [(0.5 + n / 10, OUTPUT, EVIL[n : n + 7]) for n in range(30)]
    studio.record([*events, (4.0, OUTPUT, "\x18\x1b\\\x1bc\x1b[Hthe end\r\n")], user=EVIL[:200], title=EVIL)
    return studio


@pytest.mark.slow
def test_a_hostile_session_cannot_reach_the_terminal(hostile: Studio) -> None:
    with terminal(hostile) as screen:
        screen.until("1 session")
        screen.until("verified")
        screen.keys(b"\r")
        screen.until("▶")
        screen.keys(b" ")
        screen.until("‖")
        screen.keys(b"}}}G")
        screen.until("the end")
        screen.keys(b"gg")
        screen.until("00:00.0")
        screen.keys(b"]")
        screen.until("00:00.2")
        screen.keys(b"d")
        screen.until("Verification: VERIFIED")
        screen.keys(b"q?")
        screen.until("Keys: player")
        screen.keys(b"qq")
        screen.until("1 session")
        screen.keys(b"q")
        assert screen.finish() == 0
    for bad in FORBIDDEN:
        assert bad not in screen.written, bad
    drawn = screen.written.partition(b"\x1b[?1049h")[2]
    assert b"\x1b[2J" not in drawn
    other = [
        found for found in re.findall(rb"\x1b\][^\x07\x1b]*", drawn) if not found.startswith(b"\x1b]22;")
    ]
    assert not other


@pytest.mark.slow
def test_a_closed_terminal_ends_the_program(demo: Studio) -> None:
    with terminal(demo) as screen:
        screen.until("4 sessions")
        with open(os.devnull, "rb") as null:
            os.dup2(null.fileno(), screen.master)  # closes the terminal; nobody sends a signal
        assert screen.process.wait(DEADLINE) == 129


@pytest.mark.slow
@pytest.mark.parametrize(("way", "status"), [("ctrl-c", 130), ("sigterm", 143), ("crash", 70), ("ctrl-q", 0)])
def test_every_way_out_restores_the_terminal(demo: Studio, way: str, status: int) -> None:
    """39"""
    crash = {"SEALCAST_TEST_CRASH": "1"} if way == "crash" else {}
    with terminal(demo, **crash) as screen:
        if way == "crash":
            screen.until("this is a bug; the report is in")
        else:
            screen.until("4 sessions")
        if way == "sigterm":
            screen.process.send_signal(signal.SIGTERM)
        if way == "ctrl-c":
            screen.keys(b"\x03")
            screen.until("press Ctrl+C again to quit")
            screen.keys(b"\x03\x03")  # where two seconds have gone by the first of these is the first again
        if way == "ctrl-q":
            screen.keys(b"\x11")
        assert screen.finish() == status
        after = termios.tcgetattr(screen.master)
    assert after[3] & (termios.ECHO | termios.ICANON)
    for on, off in (
        (b"\x1b[?1049h", b"\x1b[?1049l"),
        (b"\x1b[?25l", b"\x1b[?25h"),
        (b"\x1b[?1000h", b"\x1b[?1000l"),
    ):
        assert screen.written.rfind(off) > screen.written.rfind(on), off
    for report in Path(os.environ["TMPDIR"]).glob("sealcast-*.txt"):
        assert "SEALCAST_TEST_CRASH" in report.read_text()
        report.unlink()


@pytest.mark.slow
@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_without_colour_only_bold_underline_and_reverse_are_sent(
    studio: Studio, environment: dict[str, str]
) -> None:
    """36"""
    studio.record(demo_events())
    with terminal(studio, **environment) as screen:
        screen.until("1 session")
        screen.until("verified")
        screen.keys(b"/alic")
        screen.until("alic")
        screen.press_until(b"\r", "▶")
        screen.keys(b"8q")
        screen.until("1 session")
        screen.keys(b"q")
        assert screen.finish() == 0
    sent = {code for found in re.findall(rb"\x1b\[([0-9;]*)m", screen.written) for code in found.split(b";")}
    assert sent <= {b"", b"0", b"1", b"4", b"7", b"39", b"49"}
