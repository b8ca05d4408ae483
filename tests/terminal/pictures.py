"""Screens as values that can be compared, written to reviewable files and read from them.

A row is its characters, each with its style in words, without unstyled blanks at the end.
"""

import re
from itertools import groupby
from typing import NamedTuple

from recorder.terminal import Attr, Screen
from recorder.terminal.attributes import RGB

Character = tuple[str, str]
Row = tuple[Character, ...]

FLAG_NAMES = {
    0: "bold",
    1: "dim",
    2: "italic",
    3: "underline",
    4: "blink",
    5: "reverse",
    6: "hidden",
    7: "strike",
    8: "overline",
    9: "double",
    10: "curly",
    11: "dotted",
    12: "dashed",
}
_HEAD = re.compile(r"@ event (\d+) size (\d+)x(\d+) cursor (\d+),(\d+) (visible|hidden) (primary|alternate)")


class Picture(NamedTuple):
    """What one checkpoint shows."""

    event: int
    size: tuple[int, int]
    cursor: tuple[int, int]
    visible: bool
    alternate: bool
    rows: tuple[Row, ...]


def trimmed(row: list[Character]) -> Row:
    """`row` without unstyled blanks at its end."""
    end = len(row)
    while end and row[end - 1] == (" ", ""):
        end -= 1
    return tuple(row[:end])


def style(attr: Attr) -> str:
    """The look in words, `fg=1 bg=#102030 bold`."""
    colours = (("fg", attr.fg), ("bg", attr.bg), ("ul", attr.underline_colour))
    words = [f"{name}={colour(value)}" for name, value in colours if value is not None]
    return " ".join(words + [name for bit, name in FLAG_NAMES.items() if attr.flags >> bit & 1])


def colour(value: int) -> str:
    """A palette index, or `#rrggbb`."""
    return f"#{value & 0xFFFFFF:06x}" if value & RGB else str(value)


def picture_of(screen: Screen, event: int) -> Picture:
    """What our engine shows."""
    rows = []
    for y in range(screen.size[1]):
        row = [(char, style(attr)) for text, attr in screen.row_runs(y) for char in text]
        rows.append(trimmed(row))
    cursor = screen.cursor
    return Picture(event, screen.size, (cursor.x, cursor.y), cursor.visible, screen.alt_screen, tuple(rows))


def encode(pictures: list[Picture]) -> str:
    """Pictures as text: the rows that are not empty, each followed by its styles where it has any."""
    return "".join(_encode(picture) for picture in pictures)


def _encode(picture: Picture) -> str:
    cols, rows = picture.size
    shown = "visible" if picture.visible else "hidden"
    screen = "alternate" if picture.alternate else "primary"
    x, y = picture.cursor
    lines = [f"@ event {picture.event} size {cols}x{rows} cursor {x},{y} {shown} {screen}"]
    for number, row in enumerate(picture.rows):
        if row:
            lines.append(f"{number:03}|{''.join(char for char, _ in row)}")
            styles = _styles(row)
            lines += [f"   ~{styles}"] if styles else []
    return "\n".join(lines) + "\n"


def _styles(row: Row) -> str:
    spans, start = [], 0
    for name, group in groupby(row, key=lambda character: character[1]):
        end = start + len(list(group))
        if name:
            spans.append(f"{start}-{end - 1} {name}")
        start = end
    return "; ".join(spans)


def decode(text: str) -> list[Picture]:
    """The pictures that `encode` wrote."""
    blocks = re.split(r"^(?=@ event )", text, flags=re.MULTILINE)
    return [_decode(block) for block in blocks if block]


def _decode(block: str) -> Picture:
    lines = block.split("\n")
    match = _HEAD.fullmatch(lines[0])
    assert match is not None
    event, cols, height, x, y = (int(group) for group in match.groups()[:5])
    rows: list[Row] = [()] * height
    for number, line in enumerate(lines):
        if re.match(r"\d{3}\|", line):
            styles = lines[number + 1][4:] if lines[number + 1].startswith("   ~") else ""
            rows[int(line[:3])] = _decode_row(line[4:], styles)
    return Picture(event, (cols, height), (x, y), match[6] == "visible", match[7] == "alternate", tuple(rows))


def _decode_row(text: str, styles: str) -> Row:
    names = [""] * len(text)
    for span in filter(None, styles.split("; ")):
        place, _, name = span.partition(" ")
        first, last = (int(part) for part in place.split("-"))
        names[first : last + 1] = [name] * (last + 1 - first)
    return tuple(zip(text, names, strict=True))
