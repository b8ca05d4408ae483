"""Our engine against a live tmux: the same bytes at the same size, compared at many moments."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recorder.terminal import Screen, Step
from recorder.terminal.keyframes import play
from tests.terminal.captures import NAMES, Capture, checkpoints, load, stages
from tests.terminal.differences import CASES, Case, rows_of, unexplained
from tests.terminal.pictures import Picture, picture_of
from tests.terminal.tmux import Tmux, pictures_of

SIZE = (30, 12)
CHECKPOINTS = 6


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tmux]:
    """A tmux server of its own."""
    directory: Path = tmp_path_factory.mktemp("tmux")
    with Tmux(directory) as running:
        yield running


def ours(capture: Capture, points: list[int]) -> Iterator[Picture]:
    """What we show after each of the events `points`."""
    screen = Screen(*capture.size)
    for point, steps in stages(capture, points):
        for step in steps:
            play(screen, step)
        yield picture_of(screen, point)


def compare(server: Tmux, capture: Capture, points: list[int]) -> list[str]:
    """All differences without an accepted reason."""
    pairs = zip(ours(capture, points), pictures_of(server, capture, points), strict=True)
    more = rows_of(server.version)
    return [problem for mine, theirs in pairs for problem in unexplained(capture.name, mine, theirs, more)]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_capture(server: Tmux, name: str) -> None:
    capture = load(name)
    assert compare(server, capture, checkpoints(capture, CHECKPOINTS)) == []


def parts(kinds: str, seed: int) -> list[Step]:
    """Random output of the given kinds, the same for the same seed."""
    source = random.Random(seed)
    return [Step(0, PARTS[source.choice(kinds)](source)) for _ in range(source.randint(3, 30))]


def text(source: random.Random) -> bytes:
    """Letters and blanks."""
    return bytes(source.choices(b"abcdefgh  XYZ", k=source.choice([1, 3, 8, 20, 45])))


def newline(source: random.Random) -> bytes:
    """Line ends."""
    return source.choice([b"\r\n", b"\r\n\r\n", b"\r", b"\n"])


def place(source: random.Random) -> bytes:
    """Cursor positions, some outside of the screen."""
    return b"\x1b[%d;%dH" % (source.randint(1, 14), source.randint(1, 32))


def look(source: random.Random) -> bytes:
    """SGR without a background, whose erased cells tmux does not print."""
    codes = ["", "1", "31", "7", "0", "38;5;99", "4:3", "22", "27", "39", "1;3;4;5;9", "58:5:9", "53", "96"]
    return b"\x1b[%bm" % source.choice(codes).encode()


def erase(source: random.Random) -> bytes:
    """EL and ED."""
    return b"\x1b[%b%b" % (source.choice([b"", b"1", b"2"]), source.choice([b"K", b"J"]))


def move_and_shift(source: random.Random) -> bytes:
    """Control functions with a count."""
    final = source.choice("PX@SABCEFGdZ").encode()
    return b"\x1b[%b%b" % (source.choice([b"", b"1", b"2", b"5", b"40"]), final)


def state(source: random.Random) -> bytes:
    """Margins, modes, tabs, character sets, saved cursors."""
    choices = (
        "\x1b[r \x1b[3;7r \x1b[1;5r \x1bM \x1bD \x1bE \x1b7 \x1b8 \x1b[?7l \x1b[?7h \x1b(0 \x1b(B \x0e \x0f"
    )
    choices += " \x1b)0 \t \x1bH \x1b[g \x1b[3g \x1b[5b \x1bc \x1b#8 \x1b[?25l \x1b[?25h"
    return source.choice(choices.split(" ")).encode()


def alternate(source: random.Random) -> bytes:
    """The alternate screen."""
    return b"\x1b[?1049%b" % source.choice([b"h", b"l"])


def height(source: random.Random) -> tuple[int, int]:
    """A new height."""
    return SIZE[0], source.randint(3, 16)


PARTS: dict[str, Callable[[random.Random], bytes | tuple[int, int]]]
PARTS = {"t": text, "n": newline, "c": place, "m": look, "e": erase, "x": move_and_shift, "r": state}
PARTS |= {"a": alternate, "z": height}


@pytest.mark.slow
@pytest.mark.parametrize("kinds", ["tncm", "tncex", "tncxr", "tncea", "tnz", "tnmz"])
def test_random_output(server: Tmux, kinds: str) -> None:
    for seed in range(12):
        steps = parts(kinds, seed)
        capture = Capture(f"{kinds} {seed}", SIZE, steps)
        assert compare(server, capture, [len(steps)]) == [], (seed, steps)


@pytest.mark.slow
@pytest.mark.parametrize("cols", [7, 13, 20, 29, 31, 45, 80])
def test_width_change(server: Tmux, cols: int) -> None:
    lines = [b"%d " % number + b"word" * number + b"\r\n" for number in range(30)]
    steps = [Step(0, b"".join(lines) + b"$ prompt"), Step(0, (cols, 12)), Step(0, b" goes on"), Step(0, SIZE)]
    assert compare(server, Capture("width", SIZE, steps), [1, 2, 3, 4]) == []


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_accepted_difference_is_still_there(server: Tmux, case: Case) -> None:
    steps = [Step(0, case.feed.encode())] + ([Step(0, case.resize)] if case.resize else [])
    assert compare(server, Capture("case", SIZE, steps), [len(steps)]) != []
