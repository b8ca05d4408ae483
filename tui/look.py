"""How things look: themes as tables from role to style. Meaning is carried by signs; colour only repeats it.

Blue, orange and grey carry meaning; red against green never does.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rich.color import Color
from rich.style import Style


class Kind(StrEnum):
    """What may be sent to the terminal."""

    RGB = "rgb"
    ANSI = "ansi"
    """The terminal's own sixteen colours only."""
    MONO = "mono"
    """Bold, underline and reverse only."""


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of an RGB theme, as #rrggbb."""

    text: str
    back: str
    dim: str
    panel: str
    good: str
    warn: str
    select: str
    grid_text: str
    grid_back: str


@dataclass(frozen=True, slots=True)
class Look:
    """One theme, ready to draw with."""

    name: str
    kind: Kind
    styles: Mapping[str, Style]
    grid_text: str
    grid_back: str
    ascii_only: bool = False

    def style(self, role: str) -> Style:
        """The style of a role; plain text for one that is not known."""
        return self.styles.get(role) or self.styles["text"]


PALETTES = {
    "dark": Palette(
        "#d5dbe3", "#12161b", "#8793a1", "#1e2630", "#7cb8ff", "#ffb454", "#2f4a68", "#d8d8d8", "#0b0d10"
    ),
    "light": Palette(
        "#1b2026", "#f4f5f7", "#59626e", "#dfe4ea", "#0550ae", "#953800", "#b6d4f5", "#1e1e1e", "#ffffff"
    ),
    "contrast": Palette(
        "#ffffff", "#000000", "#d0d0d0", "#1c1c1c", "#9ecbff", "#ffc880", "#0a4a94", "#ffffff", "#000000"
    ),
}
THEMES = (*PALETTES, Kind.ANSI, Kind.MONO)


def choose(theme: str | None = None, ascii_only: bool = False) -> Look:
    """The look for a theme name; without colours where NO_COLOR or a dumb terminal asks for that."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        theme = Kind.MONO
    if theme == Kind.MONO:
        return Look("mono", Kind.MONO, _mono(), "", "", ascii_only)
    if theme == Kind.ANSI:
        return Look("ansi", Kind.ANSI, _ansi(), "", "", ascii_only)
    name = theme if theme in PALETTES else "dark"
    palette = PALETTES[name]
    return Look(name, Kind.RGB, _coloured(palette), palette.grid_text, palette.grid_back, ascii_only)


def _mono() -> dict[str, Style]:
    plain, bold, reverse = Style(), Style(bold=True), Style(reverse=True)
    return {
        "text": plain,
        **dict.fromkeys(("strong", "key", "ok", "warn", "live", "head"), bold),
        **dict.fromkeys(("selected", "playhead", "cut", "status"), reverse),
        **dict.fromkeys(("bad", "head_bad", "banner"), Style(bold=True, reverse=True)),
        "column": Style(underline=True),
        "active": Style(bold=True, underline=True),
    }


def _ansi() -> dict[str, Style]:
    bold, grey = Style(bold=True), Style(color="bright_black")
    return {
        "text": Style(),
        **dict.fromkeys(("strong", "key", "head"), bold),
        **dict.fromkeys(("dim", "hint", "ruler", "idle", "outside"), grey),
        **dict.fromkeys(("ok", "activity"), Style(color="blue")),
        **dict.fromkeys(("warn", "live", "event"), Style(color="yellow", bold=True)),
        **dict.fromkeys(("bad", "head_bad", "banner"), Style(color="yellow", bold=True, reverse=True)),
        **dict.fromkeys(("selected", "playhead", "cut", "status"), Style(reverse=True)),
        "column": Style(underline=True),
        "active": Style(bold=True, underline=True),
    }


def _coloured(p: Palette) -> dict[str, Style]:
    plain = Style(color=p.text, bgcolor=p.back)
    raised = Style(color=p.text, bgcolor=p.panel)
    faint = Style(color=p.dim, bgcolor=p.back)
    bad = Style(color=p.back, bgcolor=p.warn, bold=True)
    return {
        "text": plain,
        "strong": plain + Style(bold=True),
        "key": Style(color=p.good, bgcolor=p.back, bold=True),
        **dict.fromkeys(("dim", "hint", "ruler", "idle", "unread", "outside"), faint),
        **dict.fromkeys(("head", "status"), raised),
        **dict.fromkeys(("ok", "activity"), Style(color=p.good, bgcolor=p.back)),
        **dict.fromkeys(("warn", "event", "live"), Style(color=p.warn, bgcolor=p.back, bold=True)),
        **dict.fromkeys(("bad", "head_bad", "banner"), bad),
        "selected": Style(color=p.text, bgcolor=p.select, bold=True),
        "playhead": Style(color=p.back, bgcolor=p.text, bold=True),
        "cut": Style(color=p.text, bgcolor=p.back, reverse=True),
        "column": Style(color=p.dim, bgcolor=p.panel),
        "active": Style(color=p.text, bgcolor=p.panel, bold=True, underline=True),
    }


def over(look: Look, role: str, base: str) -> Style:
    """The colour of `role` on the background of `base`: a coloured word in a bar or in the selected row."""
    under, top = look.style(base), look.style(role)
    if look.kind is not Kind.RGB or top.bgcolor != look.style("text").bgcolor:
        return under + Style(bold=top.bold, underline=top.underline, reverse=top.reverse or under.reverse)
    return under + Style(color=top.color or Color.default(), bold=top.bold)
