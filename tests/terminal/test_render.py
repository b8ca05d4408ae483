"""Renderers: what they show, that they are well formed, and that recorded text cannot break out."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings

from recorder.terminal import Screen
from recorder.terminal.attributes import RGB, Attr
from recorder.terminal.looks import DARK, look_of, rgb
from recorder.terminal.render import to_html, to_svg, to_text
from tests.terminal.captures import load
from tests.terminal.strategies import OUTPUT


def screen_of(output: str, cols: int = 20, rows: int = 3) -> Screen:
    """A screen that shows `output`."""
    screen = Screen(cols, rows)
    screen.feed(output.encode())
    return screen


def test_text_has_one_line_per_row() -> None:
    assert to_text(screen_of("one\r\n  日本 \x1b[31mtwo\x1b[m  ")) == "one\n  日本 two\n\n"


def test_html_escapes_what_was_recorded() -> None:
    html = to_html(screen_of('<b>&"x\x1b[1;31m<script>'), cursor=False)
    assert "&lt;b&gt;&amp;&quot;x" in html
    assert '<span style="color:#e06c75;font-weight:bold">&lt;script&gt;</span>' in html
    assert "<script" not in html


def test_html_marks_the_cursor() -> None:
    html = to_html(screen_of("ab\x1b[1D"))
    assert f'a<span style="color:#{DARK.background:06x};background:#{DARK.foreground:06x}">b</span>' in html


def test_a_hidden_cursor_is_not_drawn() -> None:
    screen = screen_of("ab\x1b[?25l")
    assert to_html(screen) == to_html(screen, cursor=False)


def test_svg_puts_runs_at_their_columns() -> None:
    root = ET.fromstring(to_svg(screen_of("日本\x1b[32mgreen\x1b[m"), cursor=False))
    texts = root.findall(".//{http://www.w3.org/2000/svg}text")
    assert [(t.get("x"), t.get("textLength"), t.text) for t in texts[:2]] == [
        ("0", "33.6", "日本"),
        ("33.6", "42", "green"),
    ]


@pytest.mark.parametrize("name", ["textual", "unicode", "mc", "richdemo"])
def test_svg_of_real_programs_shows_their_text(name: str) -> None:
    screen = Screen(120, 40)
    for step in load(name).steps[:-2] or load(name).steps:
        if isinstance(step.change, bytes):
            screen.feed(step.change)
    shown = "".join(ET.fromstring(to_svg(screen)).itertext())
    assert shown.replace(" ", "") == to_text(screen).replace(" ", "").replace("\n", "")


@given(OUTPUT)
@settings(max_examples=100, deadline=None)
def test_any_output_gives_well_formed_pictures(output: bytes) -> None:
    screen = Screen(20, 5)
    screen.feed(output)
    ET.fromstring(to_svg(screen))
    ET.fromstring(to_html(screen))


def test_reverse_swaps_colours_and_dim_fades() -> None:
    reverse = look_of(Attr(1, None, 1 << 5), DARK)
    assert (reverse.foreground, reverse.background) == (DARK.background, DARK.palette[1])
    assert look_of(Attr(RGB | 0xFFFFFF, RGB, 1 << 1), DARK).foreground == 0xAAAAAA


@pytest.mark.parametrize(
    ("index", "value"), [(16, 0), (21, 0x0000FF), (196, 0xFF0000), (231, 0xFFFFFF), (232, 0x080808)]
)
def test_palette_is_that_of_xterm(index: int, value: int) -> None:
    assert rgb(index, DARK) == value
