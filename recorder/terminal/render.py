"""Pictures of a screen as text, HTML and SVG. Recorded text only ever appears escaped, as characters."""

import re
from collections.abc import Iterator
from html import escape
from typing import NamedTuple

from recorder.terminal.attributes import DEFAULT
from recorder.terminal.looks import DARK, Look, Readable, Theme, css, look_of
from recorder.terminal.widths import clusters, text_width

CELL_WIDTH = 8.4
CELL_HEIGHT = 18.0
BASELINE = 13.5
FONT_SIZE = 14
FONTS = "'JetBrains Mono','DejaVu Sans Mono','Liberation Mono',Menlo,Consolas,monospace"

_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def to_text(screen: Readable) -> str:
    """The rows as plain text without blanks at their ends, each with a line feed."""
    rows = ("".join(run.text for run in screen.row_runs(y)).rstrip() for y in range(screen.size[1]))
    return "".join(f"{row}\n" for row in rows)


def to_html(screen: Readable, theme: Theme = DARK, *, cursor: bool = True) -> str:
    """One `<pre>` element with all styles inline; no scripts, no links, nothing to load."""
    style = (
        f"margin:0;padding:1ch;display:inline-block;color:#{theme.foreground:06x};"
        f"background:#{theme.background:06x};font-family:{FONTS};line-height:1.25"
    )
    rows = (_html_row(screen, y, theme, cursor) for y in range(screen.size[1]))
    return f'<pre class="screen" style="{escape(style)}">' + "\n".join(rows) + "</pre>\n"


def _html_row(screen: Readable, y: int, theme: Theme, cursor: bool) -> str:
    parts = [_html_piece(piece, theme) for piece in _pieces(screen, y, theme, cursor)]
    return "".join(parts).rstrip(" ")


def _html_piece(piece: "Piece", theme: Theme) -> str:
    text = _safe(piece.text)
    look = piece.look
    if look == look_of(DEFAULT, theme):
        return text
    background = "" if look.background is None else f";background:#{look.background:06x}"
    return f'<span style="{css(look)}{background}">{text}</span>'


def to_svg(screen: Readable, theme: Theme = DARK, *, cursor: bool = True) -> str:
    """A picture that stands by itself; every run has its place and width, whatever the font."""
    cols, rows = screen.size
    width, height = cols * CELL_WIDTH + 16, rows * CELL_HEIGHT + 16
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" font-family="{FONTS}" font-size="{FONT_SIZE}">'
        f'<rect width="100%" height="100%" rx="6" fill="#{theme.background:06x}"/>'
        '<g transform="translate(8 8)" xml:space="preserve">'
    )
    body = "".join(_svg_row(screen, y, theme, cursor) for y in range(rows))
    return f"{head}{body}</g></svg>\n"


def _svg_row(screen: Readable, y: int, theme: Theme, cursor: bool) -> str:
    boxes, texts = [], []
    for piece in _pieces(screen, y, theme, cursor):
        if piece.look.background is not None:
            boxes.append(_svg_box(piece, y))
        if piece.text.strip(" ") or piece.look.underline or piece.look.strike:
            texts.append(_svg_text(piece, y))
    return "".join(boxes + texts)


def _svg_box(piece: "Piece", y: int) -> str:
    return (
        f'<rect x="{piece.x * CELL_WIDTH:g}" y="{y * CELL_HEIGHT:g}" width="{piece.cells * CELL_WIDTH:g}" '
        f'height="{CELL_HEIGHT:g}" fill="#{piece.look.background or 0:06x}"/>'
    )


def _svg_text(piece: "Piece", y: int) -> str:
    style = css(piece.look).replace("color:", "fill:", 1)
    return (
        f'<text x="{piece.x * CELL_WIDTH:g}" y="{y * CELL_HEIGHT + BASELINE:g}" '
        f'textLength="{piece.cells * CELL_WIDTH:g}" style="{style}">{_safe(piece.text)}</text>'
    )


def _safe(text: str) -> str:
    return escape(_NOT_IN_XML.sub("\ufffd", text))


class Piece(NamedTuple):
    """Part of a row that is drawn at once: its first column, its width in cells, its text and look."""

    x: int
    cells: int
    text: str
    look: Look


def _pieces(screen: Readable, y: int, theme: Theme, cursor: bool) -> Iterator[Piece]:
    """The runs of a row; the cell under a visible cursor is a piece of its own, in reverse."""
    place = screen.cursor
    x = 0
    for text, attr in screen.row_runs(y):
        look = look_of(attr, theme)
        cells = text_width(text)
        here = cursor and place.visible and place.y == y and x <= place.x < x + cells
        if here:
            yield from _around_cursor(Piece(x, cells, text, look), place.x, theme)
        else:
            yield Piece(x, cells, text, look)
        x += cells


def _around_cursor(piece: Piece, x: int, theme: Theme) -> Iterator[Piece]:
    before, under, behind = _split(piece.text, x - piece.x)
    width = text_width(before)
    covered = text_width(under)
    look = piece.look
    reverse = look._replace(
        foreground=theme.background if look.background is None else look.background,
        background=look.foreground,
    )
    if before:
        yield Piece(piece.x, width, before, look)
    yield Piece(piece.x + width, covered, under, reverse)
    if behind:
        yield Piece(piece.x + width + covered, piece.cells - width - covered, behind, look)


def _split(text: str, column: int) -> tuple[str, str, str]:
    """`text` before, at and behind the cell `column`."""
    parts = clusters(text)
    taken = 0
    for index, (cluster, width) in enumerate(parts):
        if taken + width > column:
            joined = [part for part, _ in parts]
            return "".join(joined[:index]), cluster, "".join(joined[index + 1 :])
        taken += width
    return text, "", ""
