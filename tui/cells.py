"""The one place where text becomes terminal cells: what leaves here holds no control character.

Every widget draws through `segment`; a test looks for other users of rich's `Segment`.
"""

import textwrap
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import NamedTuple
from unicodedata import category

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from recorder.safe_text import safe

_DROPPED = frozenset({"Cc", "Cf", "Cs"})
ELLIPSIS = "…"


class Part(NamedTuple):
    """Text and the role that says how it looks."""

    text: str
    role: str = "text"


Row = Sequence[Part]
TWO_COLUMNS = 110
"""From this width on, two blocks stand side by side."""


@lru_cache(8192)
def _filtered(text: str) -> str:
    return "".join(char for char in safe(text) if category(char) not in _DROPPED)


def clean(text: str) -> str:
    """`text` with control, format and surrogate characters shown as pictures or left out."""
    return text if text.isascii() and text.isprintable() else _filtered(text)


def segment(text: str, style: Style) -> Segment:
    """A run of cells in one style."""
    return Segment(clean(text), style)


def width(text: str) -> int:
    """Cells that `text` takes once it is cleaned."""
    return cell_len(clean(text))


def fit(text: str, cells: int, ellipsis: str = ELLIPSIS) -> str:
    """`text` in exactly `cells` cells: padded, or cut with a visible sign."""
    shown = clean(text)
    if cell_len(shown) <= cells:
        return shown + " " * (cells - cell_len(shown))
    if cells < len(ellipsis):
        return " " * cells
    return set_cell_size(shown, cells - len(ellipsis)) + ellipsis


def strip(segments: Iterable[Segment], cells: int, blank: Style) -> Strip:
    """A row of exactly `cells` cells."""
    return Strip(segments).adjust_cell_length(cells, blank)


def keep_whole(parts: Sequence[Part], room: int) -> list[Part]:
    """The leading parts that fit into `room` cells entirely."""
    kept: list[Part] = []
    for part in parts:
        room -= width(part.text)
        if room < 0:
            break
        kept.append(part)
    return kept


def wrapped(rows: Iterable[Row], cells: int) -> list[Row]:
    """The rows with the last part of each continued below itself where it is too long."""
    result: list[Row] = []
    for row in rows:
        before = row_width(row[:-1])
        room = cells - before
        if not row or width(row[-1].text) <= room or room < 8:
            result.append(row)
            continue
        first, *rest = textwrap.wrap(clean(row[-1].text), room, break_on_hyphens=False) or [""]
        result.append([*row[:-1], Part(first, row[-1].role)])
        result += [[Part(" " * before), Part(line, row[-1].role)] for line in rest]
    return result


def side_by_side(left: Sequence[Row], right: Sequence[Row], cells: int) -> list[Row]:
    """Two blocks of rows next to each other; below each other where there is no room for that."""
    if cells < TWO_COLUMNS:
        return [*wrapped(left, cells), (), *wrapped(right, cells)]
    half = cells // 2
    pairs = zip_longest(wrapped(left, half - 1), wrapped(right, cells - half), fillvalue=())
    return [[*first, Part(" " * (half - row_width(first))), *second] for first, second in pairs]


def row_width(row: Row) -> int:
    """Cells of a row."""
    return sum(width(part.text) for part in row)
