"""Hostile output leaves a bounded state behind. (`scripts/bench_terminal.py` plays 50 MB of each kind.)"""

import pytest

from recorder.terminal import Screen, Timeline, parser
from recorder.terminal.attributes import LOOKS, MAX_STEPS
from recorder.terminal.events import MAX_CHARACTERS, MAX_EVENTS
from recorder.terminal.state import HISTORY_ROWS
from recorder.terminal.strings import MAX_PAYLOAD
from recorder.terminal.widths import MAX_CLUSTER
from tests.terminal.hostile import KINDS, play_kind, retained
from tests.terminal.test_properties import check

SIZE = (120, 40)
LARGEST = (HISTORY_ROWS + 2 * 65) * 220 * (MAX_CLUSTER + 17) + 2 * MAX_PAYLOAD


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_state_stays_bounded(kind: str) -> None:
    screen = Screen(*SIZE)
    play_kind(kind, 1 << 20, screen)
    check(screen)
    assert retained(screen) < LARGEST
    events = screen.events()
    assert len(events) <= MAX_EVENTS
    assert sum(len(part) for event in events for part in event if isinstance(part, str)) <= MAX_CHARACTERS
    assert len(parser.remembered()) <= parser.MAX_COMMANDS
    assert LOOKS.count <= MAX_STEPS


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["one OSC", "one zalgo", "CSI of digits", "long line", "line feeds", "prompt marks"]
)
def test_more_of_the_same_keeps_no_more(kind: str) -> None:
    less, more = Screen(*SIZE), Screen(*SIZE)
    play_kind(kind, 1 << 18, less)
    play_kind(kind, 1 << 21, more)
    assert retained(more) <= retained(less) + 1024


@pytest.mark.parametrize("kind", ["one DCS", "one APC", "CSI of digits", "CSI of semicolons", "one OSC"])
def test_the_screen_goes_on_behind_it(kind: str) -> None:
    screen = Screen(*SIZE)
    play_kind(kind, 1 << 18, screen)
    screen.feed(b"\x1b\\\r\x1b[mstill here")
    assert screen.row_text(0).rstrip() == "still here"


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (-5, 10**9), (10**6, 3)])
def test_sizes_are_clamped(size: tuple[int, int]) -> None:
    screen = Screen(*size)
    screen.feed("日本語 text\r\nmore".encode())
    check(screen)
    screen.resize(80, 24)
    screen.resize(*size)
    check(screen)


def test_keyframes_of_a_large_screen_stay_within_their_memory() -> None:
    timeline = Timeline(1000, 500, memory=4 << 20)
    for number in range(60):
        timeline.append(number, b"\x1b[H" + b"%d" % number * 60_000)
    timeline.build_all()
    assert timeline.memory <= 4 << 20
    screen = Screen(1000, 500)
    for number in range(31):
        screen.feed(b"\x1b[H" + b"%d" % number * 60_000)
    assert timeline.seek(30).text() == screen.text()
