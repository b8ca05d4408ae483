"""Widths of characters, against the tables they come from."""

import re
import unicodedata

import pytest

from recorder.terminal.widths import (
    MAX_CLUSTER,
    NARROW_TEXT,
    WIDE_TEXT,
    char_width,
    clusters,
    is_emoji,
    joins,
    text_width,
)


@pytest.mark.parametrize(("characters", "width"), [(NARROW_TEXT, 1), (WIDE_TEXT, 2)])
def test_the_fast_classes_hold_only_characters_of_their_width(characters: str, width: int) -> None:
    member = re.compile(f"[{characters}]").match
    found = [chr(code) for code in range(0x30000) if member(chr(code))]
    assert len(found) > 1000
    assert [char for char in found if char_width(char) != width or joins("👩\u200d", char)] == []


@pytest.mark.parametrize(
    ("char", "width"),
    [
        ("a", 1),
        ("日", 2),
        ("ｱ", 1),
        ("\u0301", 0),
        ("\u200d", 0),
        ("\u200b", -1),
        ("\x85", -1),
        ("\xad", 1),
        ("👍", 2),
    ],
)
def test_width_of_one_character(char: str, width: int) -> None:
    assert char_width(char) == width


def test_widths_agree_with_the_character_database() -> None:
    letters = [chr(c) for c in range(0xA1, 0x3000) if unicodedata.category(chr(c)) in ("Ll", "Lu")]
    assert {char_width(char) for char in letters} == {1}
    marks = [chr(c) for c in range(0x300, 0x2000) if unicodedata.category(chr(c)) == "Mn"]
    assert {char_width(char) for char in marks} == {0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("e\u0301x", [("e\u0301", 1), ("x", 1)]),
        ("👩\u200d💻!", [("👩\u200d💻", 2), ("!", 1)]),
        ("🇫🇷🇩🇪", [("🇫🇷", 2), ("🇩🇪", 2)]),
        ("1\ufe0f\u20e3", [("1\ufe0f\u20e3", 2)]),
        ("a🏽", [("a", 1), ("🏽", 2)]),
        ("\u1112\u1161\u11ab", [("\u1112\u1161\u11ab", 2)]),
        ("c\u200dd", [("c\u200d", 1), ("d", 1)]),
    ],
)
def test_clusters(text: str, expected: list[tuple[str, int]]) -> None:
    assert clusters(text) == expected
    assert text_width(text) == sum(width for _, width in expected)


def test_letters_are_no_emoji() -> None:
    assert is_emoji("❤")
    assert not is_emoji("a")
    assert MAX_CLUSTER == 32
