"""The lines of plain output are those that a terminal shows."""

import random

import pytest

from recorder.commands.transcript import Transcript
from recorder.index.pages import LONGEST_LINE, Page

_PARTS = (
    *("error: ", "a", "wört", "日本", "\x1b[31m", "\x1b[0m", "\x1b[1;38;5;9m", "\x1b[K", "\x1b(B", "tail "),
    *("\r\n", "\r\n", "\r\n", "x" * 30, "\x1b]0;title\x07", "\t", "\x1b[?25l"),
)
_MOVING = ("\r", "\x1b[2A", "\b", "\x1b[5G", "\x1b[2J\x1b[H", "\x1b[1K")


def _of_page(pieces: list[bytes], columns: int) -> list[str]:
    page = Page(columns, 24)
    lines = []
    for time, piece in enumerate(pieces):
        page.output(float(time), piece)
        lines += page.take()
    lines += page.finish(float(len(pieces)))
    return _filled([line.text for line in lines])


def _of_terminal(pieces: list[bytes], columns: int) -> list[str]:
    transcript = Transcript(columns, 24)
    for time, piece in enumerate(pieces):
        transcript.output(float(time), piece)
    return _filled([line.text for line in transcript.finish(float(len(pieces)))])


def _filled(lines: list[str]) -> list[str]:
    """Blanks count for nothing: a tab beside the edge of the screen is another number of them."""
    return [" ".join(line.split()) for text in lines for line in text.split("\n") if line.strip()]


def _cut(data: bytes, source: random.Random) -> list[bytes]:
    pieces = []
    while data:
        size = source.randint(1, 60)
        pieces.append(data[:size])
        data = data[size:]
    return pieces


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("moving", [False, True])
def test_a_page_shows_what_a_terminal_shows(seed: int, moving: bool) -> None:
    source = random.Random(seed)
    parts = _PARTS + _MOVING if moving else _PARTS
    data = "".join(source.choices(parts, k=150)).encode()
    pieces = _cut(data, source)
    columns = 2000 if not moving else 80
    assert _of_page(pieces, columns) == _of_terminal(pieces, columns)


def test_lines_that_left_the_screen_are_handed_out() -> None:
    page = Page(80, 24)
    page.output(1.0, b"first\r\n")
    page.output(2.0, b"more\r\n" * 30)
    assert [line for line in page.take() if line.text == "first"] == [(1.0, "first")]


def test_a_line_of_many_bytes_is_cut_between_characters() -> None:
    page = Page(80, 24)
    text = "ä" * LONGEST_LINE
    page.output(1.0, text.encode()[:-1])
    page.output(1.0, text.encode()[-1:])
    lines = [line.text for line in page.finish(2.0)]
    assert "".join(lines) == text
    assert len(lines) > 1
