"""Real keys through tmux, over the program as `sealcast` starts it."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tui.studio import Studio

pytestmark = [pytest.mark.slow, pytest.mark.needs("tmux")]

PROGRAM = """
import sys
from pathlib import Path
from recorder.store.layout import Store
from recorder.store.targets import resolve
from tui.app import run_library, run_player
store = Store(Path(sys.argv[1]))
code = run_player(store, resolve(store, sys.argv[2])) if sys.argv[2:] else run_library(store)
print(f"EXIT={code}")
"""
REDIRECTED = """
import os, sys
terminal = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
os.environ |= {"COLUMNS": "80", "LINES": "24"}
from pathlib import Path
from recorder.store.layout import Store
from tui.app import run_library
code = run_library(Store(Path(sys.argv[1])))
os.write(terminal, f"EXIT={code}".encode())
"""
DEADLINE = 120.0


class Tmux:
    """A private tmux server with one window."""

    def __init__(self, folder: Path) -> None:
        self._base = ["tmux", "-S", str(folder / "tmux"), "-f", "/dev/null"]

    def run(self, *arguments: str) -> str:
        result = subprocess.run([*self._base, *arguments], capture_output=True, text=True, check=True)
        return result.stdout

    def start(self, script: str, studio: Studio, *arguments: str, size: tuple[int, int]) -> None:
        """Start the program; the window stays when it ends."""
        program = [sys.executable, "-c", script, str(studio.store.root), *arguments]
        geometry = ["-x", str(size[0]), "-y", str(size[1])]
        environment = ["-e", "COLORTERM=truecolor", "-e", f"PYTHONPATH={os.getcwd()}"]
        self.run("new-session", "-d", *geometry, *environment, "-s", "a", "cat")
        self.run("set", "-g", "remain-on-exit", "on")
        self.run("set", "-g", "set-clipboard", "on")
        self.run("respawn-pane", "-k", *environment, "-t", "a", *program)

    def keys(self, *keys: str) -> None:
        self.run("send-keys", "-t", "a", *keys)

    def screen(self, *options: str) -> str:
        return self.run("capture-pane", "-t", "a", "-p", *options)

    def see(self, pattern: str) -> str:
        return self.until(lambda: re.search(pattern, self.screen()) is not None, pattern)

    def until(self, condition: Callable[[], bool], what: str) -> str:
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, f"not seen: {what}\n{self.screen()}"
        return self.screen()


@pytest.fixture
def tmux(home: Path) -> Iterator[Tmux]:
    server = Tmux(home.parent / "run")
    yield server
    server.run("kill-server")
    deadline = time.monotonic() + DEADLINE
    while subprocess.run([*server._base, "ls"], capture_output=True, check=False).returncode == 0:
        assert time.monotonic() < deadline


def test_from_the_list_to_a_moment_and_out(demo: Studio, tmux: Tmux) -> None:
    """8, 9, 13, 17 with the keys a terminal really sends."""
    tmux.start(PROGRAM, demo, size=(80, 24))
    tmux.see("4 sessions")
    tmux.keys("End", "Enter")
    tmux.see("✓ verified  alice")
    tmux.keys("Space")
    tmux.see("‖")
    tmux.keys("5")
    tmux.see(r"02:50\.0 / 05:40")
    tmux.keys("S-Left", "Left")
    tmux.see(r"01:45\.0")
    tmux.keys("S-Right", "Right")
    tmux.see(r"02:50\.0")
    tmux.keys("g", "01:44", "Enter")
    tmux.see(r"01:44\.0")
    tmux.keys(",")
    tmux.see(r"01:43\.\d")
    tmux.keys("g", "g")
    tmux.see(r"00:00\.0")
    tmux.keys("}", "}", "BSpace")
    tmux.see("  1×")
    tmux.keys("q")
    tmux.see("4 sessions")
    tmux.keys("q")
    tmux.see("EXIT=0")


def test_a_copied_link_arrives_in_the_clipboard_and_opens_there(demo: Studio, tmux: Tmux) -> None:
    """27"""
    tmux.start(PROGRAM, demo, "11111111@1m05.2s", size=(110, 32))
    tmux.see(r"‖ 01:05\.2 / 05:40")
    tmux.keys("Y")
    tmux.see("copied link 11111111@1m05.2s")
    tmux.until(lambda: "1m05.2s" in tmux.run("show-buffer"), "the buffer")
    assert tmux.run("show-buffer").strip() == "11111111@1m05.2s"


def test_search_with_the_keys_a_terminal_sends(demo: Studio, tmux: Tmux) -> None:
    """22, 23"""
    tmux.start(PROGRAM, demo, "11111111@0", size=(80, 24))
    tmux.see("✓ verified  alice")
    tmux.keys("/", "answer", "Enter")
    tmux.see("/answer 1/3")
    tmux.keys("n", "n")
    tmux.see(r"01:07\.0 .*/answer 3/3")
    tmux.keys("n")
    tmux.see("search went past the end, now at the start")
    tmux.keys("Escape")
    tmux.until(lambda: "/answer" not in tmux.screen(), "no search any more")


def test_too_small_at_the_start_and_after_every_change_of_size(demo: Studio, tmux: Tmux) -> None:
    """7: by the terminal's own size, whatever the environment says and wherever standard output goes."""
    tmux.start(REDIRECTED, demo, size=(59, 15))
    tmux.see("Terminal is 59×15")
    for cols, rows in ((80, 24), (59, 15), (80, 24), (59, 16), (60, 15), (100, 30), (59, 16)):
        tmux.run("resize-window", "-t", "a", "-x", str(cols), "-y", str(rows))
        if cols < 60 or rows < 16:
            tmux.see(f"Terminal is {cols}×{rows}")
            assert "sessions" not in tmux.screen()
        else:
            tmux.see("4 sessions")
            assert "Terminal is" not in tmux.screen()
    tmux.keys("q")
    tmux.see("EXIT=0")
