"""Text made safe to show."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.safe_text import safe

_JOINERS = "\u200c\u200d"


@given(st.text(max_size=200))
def test_nothing_that_controls_a_terminal_or_cannot_be_seen_is_left(text: str) -> None:
    shown = safe(text)
    assert len(shown) == len(text)
    assert not [char for char in shown if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")]
    shown.encode()


@pytest.mark.parametrize(
    "name",
    [
        "root\u200b",
        "ro\u2060ot",
        "ro\u00adot",
        "ro\u202eot",
        "ro\u2068ot",
        "root\ufeff",
        "root\U000e0061",
        "ro\u180eot",
    ],
)
def test_a_name_with_characters_that_have_no_glyph_does_not_look_like_one_without(name: str) -> None:
    assert "␦" in safe(name)


@given(st.text(st.characters(categories=["Cf"]), min_size=1, max_size=20))
def test_what_stays_of_the_format_characters_has_a_glyph_or_joins(text: str) -> None:
    visible = {char for char in safe(text) if unicodedata.category(char) == "Cf" and char not in _JOINERS}
    assert all(ord(char) < 0x2000 or ord(char) >= 0x10000 for char in visible)


def test_signs_of_languages_and_pictures_of_people_stay_as_they_are() -> None:
    for text in ("naïve 漢字", "می\u200cخواهم", "👩\u200d🚀"):
        assert safe(text) == text


def test_controls_are_pictures_of_themselves() -> None:
    assert safe("a\x1b[2J\n\x7f\x9b") == "a␛[2J␊␡\ufffd"


def test_long_text_is_cut_with_a_sign() -> None:
    assert safe("x" * 50, 10) == "x" * 9 + "…"
