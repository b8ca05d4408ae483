"""From attributes to what is drawn: themes, the xterm palette, reverse video, decorations."""

from functools import lru_cache
from typing import NamedTuple, Protocol

from recorder.terminal import attributes as a
from recorder.terminal.attributes import Attr
from recorder.terminal.rows import Run
from recorder.terminal.screen import Cursor


class Readable(Protocol):
    """What a renderer needs of a screen; any engine can give it."""

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""

    @property
    def cursor(self) -> Cursor:
        """Where the cursor is."""

    def row_runs(self, y: int) -> list[Run]:
        """A row as runs of equal look."""


class Theme(NamedTuple):
    """Colours as 0xRRGGBB: the two default ones and the first sixteen of the palette."""

    foreground: int
    background: int
    palette: tuple[int, ...]


# fmt: off
DARK = Theme(0xD4D4D4, 0x16181D, (
    0x24272E, 0xE06C75, 0x98C379, 0xE5C07B, 0x61AFEF, 0xC678DD, 0x56B6C2, 0xC8CCD4,
    0x6B7280, 0xF28B94, 0xB5DE96, 0xF5D899, 0x8CC8FF, 0xDDA0EE, 0x7FD4DF, 0xFFFFFF,
))
# fmt: on


class Look(NamedTuple):
    """How a run is drawn. `background` is None where nothing needs to be painted."""

    foreground: int
    background: int | None
    bold: bool
    italic: bool
    hidden: bool
    underline: str
    """CSS `text-decoration-style`, or empty."""
    underline_colour: int | None
    strike: bool
    overline: bool


_UNDERLINES = {a.DOUBLE: "double", a.CURLY: "wavy", a.DOTTED: "dotted", a.DASHED: "dashed"}
_CUBE = (0, 95, 135, 175, 215, 255)


def rgb(colour: int, theme: Theme) -> int:
    """A colour of an attribute as 0xRRGGBB."""
    if colour & a.RGB:
        return colour & 0xFFFFFF
    if colour < 16:
        return theme.palette[colour]
    if colour < 232:
        red, green, blue = (_CUBE[(colour - 16) // step % 6] for step in (36, 6, 1))
        return red << 16 | green << 8 | blue
    return (8 + 10 * (colour - 232)) * 0x010101


@lru_cache(8192)
def look_of(attr: Attr, theme: Theme) -> Look:
    """How `attr` is drawn."""
    fg, bg, flags, line = attr
    foreground = theme.foreground if fg is None else rgb(fg, theme)
    background = None if bg is None else rgb(bg, theme)
    if flags & a.REVERSE:
        foreground, background = (theme.background if background is None else background), foreground
    if flags & a.DIM:
        foreground = _between(foreground, theme.background if background is None else background)
    return Look(
        foreground,
        background,
        bold=bool(flags & a.BOLD),
        italic=bool(flags & a.ITALIC),
        hidden=bool(flags & a.HIDDEN),
        underline=_underline(flags),
        underline_colour=None if line is None else rgb(line, theme),
        strike=bool(flags & a.STRIKE),
        overline=bool(flags & a.OVERLINE),
    )


def _underline(flags: int) -> str:
    if not flags & a.UNDERLINE:
        return ""
    return next((name for bit, name in _UNDERLINES.items() if flags & bit), "solid")


def _between(first: int, second: int) -> int:
    """A colour two thirds of the way towards `first`."""
    parts = ((2 * (first >> shift & 255) + (second >> shift & 255)) // 3 << shift for shift in (16, 8, 0))
    return sum(parts)


def css(look: Look) -> str:
    """The look as CSS declarations, without its background."""
    rules = [f"color:#{look.foreground:06x}"]
    rules += ["font-weight:bold"] if look.bold else []
    rules += ["font-style:italic"] if look.italic else []
    rules += ["visibility:hidden"] if look.hidden else []
    lines = [("underline", look.underline), ("line-through", look.strike), ("overline", look.overline)]
    names = [name for name, on in lines if on]
    if names:
        rules.append("text-decoration-line:" + " ".join(names))
    if look.underline not in ("", "solid"):
        rules.append(f"text-decoration-style:{look.underline}")
    if look.underline and look.underline_colour is not None:
        rules.append(f"text-decoration-color:#{look.underline_colour:06x}")
    return ";".join(rules)
