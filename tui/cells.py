"""The one place where text becomes terminal cells: what leaves here holds no control character.

Every widget draws through `segment`; a test looks for other users of rich's `Segment`.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
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
