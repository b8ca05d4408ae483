"""Our screens against the golden ones, which tmux made from the same captures."""

import pytest

from recorder.terminal import Screen
from recorder.terminal.keyframes import play
from tests.terminal.captures import GOLDEN, NAMES, load, stages
from tests.terminal.differences import ROWS, explanation, unexplained
from tests.terminal.pictures import Picture, decode, encode, picture_of


def golden(name: str) -> list[Picture]:
    """The screens that tmux showed."""
    return decode((GOLDEN / f"{name}.screens").read_text(encoding="utf-8"))


def ours(name: str, points: list[int]) -> list[Picture]:
    """The screens that we show after the same events."""
    capture = load(name)
    screen = Screen(*capture.size)
    pictures = []
    for point, steps in stages(capture, points):
        for step in steps:
            play(screen, step)
        pictures.append(picture_of(screen, point))
    return pictures


@pytest.mark.parametrize("name", NAMES)
def test_capture_shows_what_tmux_shows(name: str) -> None:
    expected = golden(name)
    found = ours(name, [picture.event for picture in expected])
    problems = [unexplained(name, mine, theirs) for mine, theirs in zip(found, expected, strict=True)]
    assert problems == [[]] * len(expected)


def test_every_accepted_difference_is_still_there() -> None:
    used = set()
    for name in {row.capture for row in ROWS}:
        expected = golden(name)
        for mine, theirs in zip(ours(name, [p.event for p in expected]), expected, strict=True):
            pairs = zip(mine.rows, theirs.rows, strict=True)
            used |= {explanation(name, a, b) for a, b in pairs if a != b}
    assert used == set(ROWS)


@pytest.mark.parametrize("name", NAMES)
def test_golden_file_is_written_as_it_is_read(name: str) -> None:
    assert encode(golden(name)) == (GOLDEN / f"{name}.screens").read_text(encoding="utf-8")
