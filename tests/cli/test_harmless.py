"""What `play --plain` lets through to a terminal."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.cli.harmless import RESET, Harmless

_ALLOWED = re.compile(
    r"[^\x00-\x06\x10-\x1f\x7f-\x9f]|\x1b\[[0-9:;]*[@-Z`a-z]|\x1b\[\?[0-9;]*[hl]|\x1b\[[0-9]* q"
    r"|\x1b[78=>DEHMc]|\x1b[()*+][0AB]"
)


def filtered(text: str) -> str:
    return Harmless().filter(text)


@pytest.mark.parametrize(
    "text",
    [
        "plain ✓ 漢字\r\n\t\x08",
        "\x1b[1;38:2::1:2:3mcolour\x1b[0m",
        "\x1b[2J\x1b[10;20H\x1b[K\x1b[3A\x1b[5L\x1b[1;24r",
        "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?25h\x1b[?1049l",
        "\x1b[4h\x1b[4l",
        "\x1b7\x1b8\x1bM\x1bD\x1b(0lqk\x1b(B",
        "\x1b[2 q",
    ],
)
def test_what_draws_goes_through(text: str) -> None:
    assert filtered(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]52;c;ZWNobw==\x1b\\x", "x"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ('\x1bP$q"p\x1b\\x', "x"),
        ("\x1b_Gpicture\x1b\\x\x1b^private\x1b\\y\x1bXstart\x1b\\z", "xyz"),
        ("\x9d0;title\x9cx\x90dcs\x9cy", "xy"),
        ("\x1b]never\x1b[31mends", "\x1b[31mends"),
        ("\x1b[6n\x1b[c\x1b[>c\x1b[=c\x1b[0x\x1b[?1;2c", ""),
        ("\x1b[21t\x1b[8;9;9t\x1b[5i", ""),
        ("\x1b[?1000h\x1b[?1006h\x1b[?2004h\x1b[?1h\x1b[?1004h", ""),
        ("\x1b[?1000;25h", "\x1b[?25h"),
        ('\x1b[>4;2m\x1b[>1u\x1b[20h\x1b[!p\x1b[61"p', ""),
        ("\x1bZ\x1b#8\x1b n\x1b\\x", "x"),
        ("\x9b31mx\x85y", "31mxy"),
        ("\x00\x01\x05\x7fx", "x"),
    ],
)
def test_what_acts_does_not(text: str, left: str) -> None:
    assert filtered(text) == left


def test_the_reset_passes_itself() -> None:
    assert filtered(RESET) == RESET


SEQUENCES = st.text("\x1b[]PX^_\\?;:0123456789hlmnctuqr >$!\"'ab\x07\x9b\x9c\x9d\x18漢", max_size=60)


@given(SEQUENCES, st.data())
def test_a_split_anywhere_gives_the_same(text: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(text)))
    filter_ = Harmless()
    assert filter_.filter(text[:cut]) + filter_.filter(text[cut:]) == filtered(text)


@given(SEQUENCES)
def test_nothing_but_what_is_allowed_comes_out(text: str) -> None:
    assert re.sub(_ALLOWED, "", filtered(text)) == ""


def test_an_endless_sequence_is_not_kept() -> None:
    filter_ = Harmless()
    filter_.filter("\x1b[" + "1;" * 100_000)
    assert len(filter_._rest) <= 256
    filter_.filter("\x1b]" + "x" * 100_000)
    assert filter_._rest == ""
