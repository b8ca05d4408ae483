"""How many cells a character takes, and which characters share a cell (a subset of UAX #29)."""

from bisect import bisect_right
from functools import lru_cache

from recorder.terminal.width_table import EMOJI_BY_VS16, WIDE, ZERO_WIDTH

MAX_CLUSTER = 32
"""Code points kept per cell; what comes after is dropped, so that a cell cannot grow without bound."""

ZERO_WIDTH_JOINER = "\u200d"
EMOJI_PRESENTATION = "\ufe0f"
_BLACK_FLAG = "\U0001f3f4"

NARROW_TEXT = (
    " -~\xa0-\xac\xae-\u02ff\u0370-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u203b\u20a0-\u20bf\u2190-\u2193"
    "\u2200-\u22ff\u2500-\u25a9\u2800-\u28ff\ue0a0-\ue0d7\uf000-\uf2ff\ufffd"
)
"""Character class, inside of `[]`, of what always takes one cell and never joins the cell before."""

WIDE_TEXT = (
    "\u3001-\u3029\u3041-\u3096\u30a0-\u30ff\u3105-\u312f\u3131-\u3163\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7a3\uff01-\uff60\U00020000-\U0002fffd"
)
"""Character class of what always takes two cells and never joins the cell before."""


class RangeSet:
    """A set of code points given as `300-36f 483 …` in hexadecimal, ascending."""

    def __init__(self, text: str) -> None:
        pairs = [word.partition("-") for word in text.split()]
        self._first = [int(first, 16) for first, _, _ in pairs]
        self._last = [int(last or first, 16) for first, _, last in pairs]

    def __contains__(self, code: int) -> bool:
        index = bisect_right(self._first, code) - 1
        return index >= 0 and code <= self._last[index]


_ZERO_WIDTH = RangeSet(ZERO_WIDTH)
_WIDE = RangeSet(WIDE)
_EMOJI_BY_VS16 = RangeSet(EMOJI_BY_VS16)
# Direction marks and other invisible format controls: shown nowhere, and dangerous to pass on.
_DROPPED = RangeSet("61c 180e 200b 200e-200f 2028-202e 2060-206f feff fff0-fffb e0000-e001f")
_PICTURES = RangeSet("203c-2bff 1f000-1f1e5 1f200-1faff")
_TAGS = RangeSet("e0020-e007f")
_SKIN_TONES = RangeSet("1f3fb-1f3ff")
_REGIONAL = RangeSet("1f1e6-1f1ff")
_CONTROLS = RangeSet("0-1f 7f-9f")


@lru_cache(8192)
def char_width(char: str) -> int:
    """Cells of one code point: 0, 1 or 2; -1 for what is dropped (controls, direction marks)."""
    code = ord(char)
    if code in _CONTROLS or code in _DROPPED:
        return -1
    if code in _ZERO_WIDTH:
        return 0
    return 2 if code in _WIDE else 1


@lru_cache(8192)
def is_emoji(char: str) -> bool:
    """Can be part of a joined picture: it is wide by itself, or with variation selector 16."""
    code = ord(char)
    return code in _PICTURES and (code in _EMOJI_BY_VS16 or char_width(char) == 2)


def joins(cluster: str, char: str) -> bool:
    """`char` belongs into the cell that holds `cluster`."""
    code = ord(char)
    if code in _TAGS:
        return cluster[0] == _BLACK_FLAG
    if char_width(char) == 0:
        return True
    if code in _SKIN_TONES:
        return is_emoji(cluster[0])
    if code in _REGIONAL:
        return len(cluster) == 1 and ord(cluster) in _REGIONAL
    return cluster[-1] == ZERO_WIDTH_JOINER and is_emoji(char) and is_emoji(cluster[0])


def widens(cluster: str, char: str) -> bool:
    """Joining `char` gives a one-cell `cluster` its two-cell emoji form."""
    if char == EMOJI_PRESENTATION:
        return ord(cluster[0]) in _EMOJI_BY_VS16
    return ord(char) in _SKIN_TONES or ord(char) in _REGIONAL


def clusters(text: str) -> list[tuple[str, int]]:
    """`text` as it would be laid out in cells: clusters with their widths, dropped characters left out."""
    found: list[tuple[str, int]] = []
    for char in text:
        width = char_width(char)
        if found and joins(found[-1][0], char):
            cluster, cells = found[-1]
            found[-1] = (cluster + char, 2 if widens(cluster, char) else cells)
        elif width > 0:
            found.append((char, width))
    return found


def text_width(text: str) -> int:
    """Cells that `text` takes."""
    if text.isascii():
        return len(text)
    return sum(width for _, width in clusters(text))
