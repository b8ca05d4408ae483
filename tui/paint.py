"""Rows of the recorded screen as strips. Recorded bytes reach the terminal only through here.

Colours of the recording are mapped to RGB by the theme, left as indexes, or dropped, as the look asks.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import Final

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from recorder.terminal.attributes import BOLD, DIM, HIDDEN, ITALIC, REVERSE, RGB, STRIKE, UNDERLINE, Attr
from recorder.terminal.rows import Line
from tui.cells import clean, segment
from tui.look import Kind, Look

PALETTE: Final = (
    0x000000, 0xCD3131, 0x0DBC79, 0xE5E510, 0x2A5DB8, 0xBC3FBC, 0x29B3C8, 0xE5E5E5,
    0x767676, 0xF14C4C, 0x23D18B, 0xF5F543, 0x6CB6FF, 0xD670D6, 0x29B8DB, 0xFFFFFF,
)  # fmt: skip
"""Colours 0 to 15 for a recording that names none."""
_LEVELS = (0, 95, 135, 175, 215, 255)
_UNKNOWN = "·"
"""Stands for what has no sure width."""
Colour = int | None


class Painter:
    """Paints lines for one look and one recorded palette."""

    def __init__(self, look: Look, palette: tuple[int, ...] = PALETTE) -> None:
        self._look = look
        self._palette = palette
        self._styles: dict[Attr, Style] = {}
        self.blank = self.style(Attr(None, None, 0))

    def style(self, attr: Attr) -> Style:
        """How cells of this look are drawn."""
        found = self._styles.get(attr)
        if found is None:
            if len(self._styles) > 10_000:
                self._styles.clear()
            found = self._styles[attr] = self._make(attr)
        return found

    def strip(self, line: Line, cols: int) -> Strip:
        """A whole recorded line, `cols` cells wide."""
        return Strip(self._mixed(line) if line.mixed else self._plain(line)).adjust_cell_length(
            cols, self.blank
        )

    def _plain(self, line: Line) -> Iterator[Segment]:
        for text, attr in line.runs:
            yield self._segment(text, attr)

    def _mixed(self, line: Line) -> Iterator[Segment]:
        """Cell by cell, so that each cluster takes the cells it took when it was recorded."""
        cells = line.cells
        widths = [1 + (cells[x + 1 : x + 2] == ("",)) for x in range(len(cells))]
        shown = [
            (shape(cell, width), attr)
            for cell, width, attr in zip(cells, widths, line.attrs, strict=True)
            if cell
        ]
        for attr, group in groupby(shown, key=lambda pair: pair[1]):
            yield self._segment("".join(text for text, _ in group), attr)

    def _segment(self, text: str, attr: Attr) -> Segment:
        if attr.flags & HIDDEN:
            text = " " * cell_len(text)
        if self._look.ascii_only and not text.isascii():
            text = "".join(char if char.isascii() else "?" * cell_len(char) for char in text)
        return segment(text, self.style(attr))

    def _make(self, attr: Attr) -> Style:
        flags = attr.flags
        bold, underline = bool(flags & BOLD), bool(flags & UNDERLINE)
        if self._look.kind is Kind.MONO:
            return Style(
                bold=bold or None, underline=underline or None, reverse=bool(flags & REVERSE) or None
            )
        ansi = self._look.kind is Kind.ANSI
        fg, bg = (_ansi(attr.fg), _ansi(attr.bg)) if ansi else self._rgb(attr)
        return Style(
            color=fg,
            bgcolor=bg,
            bold=bold or None,
            underline=underline or None,
            italic=bool(flags & ITALIC) or None,
            strike=bool(flags & STRIKE) or None,
            dim=(ansi and bool(flags & DIM)) or None,
            reverse=(ansi and bool(flags & REVERSE)) or None,
        )

    def _rgb(self, attr: Attr) -> tuple[Color, Color]:
        """Foreground and background, with reverse and dim worked in: their look differs by terminal."""
        fg = self._value(attr.fg, self._look.grid_text)
        bg = self._value(attr.bg, self._look.grid_back)
        if attr.flags & REVERSE:
            fg, bg = bg, fg
        if attr.flags & DIM:
            fg = _mixed_colour(fg, bg)
        return _colour(fg), _colour(bg)

    def _value(self, colour: Colour, default: str) -> int:
        if colour is None:
            return int(default.removeprefix("#"), 16)
        if colour & RGB:
            return colour & 0xFFFFFF
        return self._palette[colour] if colour < 16 else _cube(colour)


@lru_cache(4096)
def shape(cluster: str, width: int) -> str:
    """A grapheme cluster that surely takes `width` cells; its base, or a sign, where that is not sure."""
    whole = clean(cluster)
    for text in (whole, whole[:1]):
        if text and cell_len(text) == width:
            return text
    return _UNKNOWN + " " * (width - 1)


def palette_of(theme: object) -> tuple[int, ...]:
    """The sixteen colours that a recording's `theme` names (`#rrggbb:#rrggbb:…`), else our own."""
    text = theme.get("palette") if isinstance(theme, dict) else None
    names = text.split(":") if isinstance(text, str) else []
    try:
        values = tuple(int(name.removeprefix("#"), 16) & 0xFFFFFF for name in names[:16])
    except ValueError:
        return PALETTE
    return (*values, *PALETTE[len(values) :]) if values else PALETTE


def _ansi(colour: Colour) -> Color | None:
    if colour is None:
        return None
    return _colour(colour & 0xFFFFFF) if colour & RGB else Color.from_ansi(colour)


@lru_cache(4096)
def _colour(value: int) -> Color:
    return Color.from_rgb(value >> 16, value >> 8 & 255, value & 255)


def _cube(index: int) -> int:
    """Colours 16 to 255 of the usual palette: a 6×6×6 cube, then greys."""
    if index >= 232:
        grey = 8 + (index - 232) * 10
        return grey << 16 | grey << 8 | grey
    index -= 16
    red, green, blue = _LEVELS[index // 36], _LEVELS[index // 6 % 6], _LEVELS[index % 6]
    return red << 16 | green << 8 | blue


def _mixed_colour(top: int, under: int) -> int:
    """Two parts of `top`, one part of `under`, channel by channel."""
    return sum(((top >> s & 255) * 2 + (under >> s & 255)) // 3 << s for s in (16, 8, 0))
