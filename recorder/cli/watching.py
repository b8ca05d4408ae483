"""A live recording as a picture on a terminal: cells go out, never what was recorded."""

import os
from collections.abc import Callable

from recorder.cast.events import MAX_LINE, OUTPUT, RESIZE
from recorder.cast.header import Header, parse_header
from recorder.cast.v2 import parse_event
from recorder.errors import FormatError
from recorder.safe_text import safe
from recorder.terminal import Attr, Screen
from recorder.terminal.attributes import DEFAULT
from recorder.terminal.looks import DARK, look_of
from recorder.terminal.rows import Run
from recorder.terminal.widths import clusters

_NEWLINE = b"\n"


class Picture:
    """Reads a recording as it grows, and draws the screen that it leads to, with a line below it."""

    def __init__(self, session: str, write: Callable[[str], None]) -> None:
        self._session = session
        self._write = write
        self._rest = b""
        self._lines = 0
        self._header: Header | None = None
        self._screen = Screen(80, 24)
        self._drawn: dict[int, str] = {}
        self._size = (0, 0)

    def feed(self, data: bytes) -> None:
        """The next bytes of the recording, cut anywhere. `FormatError` for what is none."""
        *lines, self._rest = (self._rest + data).split(_NEWLINE)
        if len(self._rest) > MAX_LINE:
            raise FormatError("a line is too long", self._session)
        for line in lines:
            self._take(line + _NEWLINE)

    def _take(self, line: bytes) -> None:
        self._lines += 1
        where = f"{self._session} line {self._lines}"
        if self._header is None:
            self._header = parse_header(line, where)
            self._screen = Screen(self._header.width, self._header.height)
            return
        event = parse_event(line, where)
        if event.code == OUTPUT:
            self._screen.feed(self._shown(event.data).encode())
        elif event.code == RESIZE:
            self._resize(event.data)

    def _shown(self, text: str) -> str:
        """Where no terminal turned line feeds into line ends, this has to."""
        about = self._header.session if self._header else None
        return text.replace("\n", "\r\n") if about is not None and about.terminal == (0, 0) else text

    def _resize(self, text: str) -> None:
        columns, _, rows = text.partition("x")
        if columns.isdecimal() and rows.isdecimal() and len(text) < 12:
            self._screen.resize(int(columns), int(rows))

    def draw(self, size: os.terminal_size) -> None:
        """What has changed since the last time. Of a larger screen the part with the cursor is shown."""
        columns, height = size.columns, max(1, size.lines - 1)
        if (columns, height) != self._size:
            self._size = (columns, height)
            self._drawn.clear()
            self._write("\x1b[0m\x1b[2J")
        rows = self._screen.size[1]
        top = max(0, min(self._screen.cursor.y - height + 1, rows - height))
        picture = {y: self._row(top + y, columns) if y < rows else "" for y in range(height)}
        picture[height] = self._status(columns)
        changed = [(y, row) for y, row in picture.items() if self._drawn.get(y) != row]
        if changed:
            self._write("".join(f"\x1b[{y + 1};1H\x1b[0m\x1b[K{row}\x1b[0m" for y, row in changed))
        self._drawn = picture

    def _status(self, columns: int) -> str:
        about = self._header.session if self._header else None
        who = f"{about.user}@{about.host}" if about else ""
        text = safe(f" live  {who}  {self._session}  nothing you type is sent; q leaves ")
        return f"\x1b[7m{text[:columns]}"

    def _row(self, y: int, columns: int) -> str:
        """At most `columns` cells of a row, the one under the cursor in reverse."""
        cursor = self._screen.cursor
        here = cursor.x if cursor.visible and cursor.y == y else -1
        parts: list[str] = []
        x = 0
        for run in self._screen.row_runs(y):
            for text, width in clusters(run.text):
                if x + width > columns:
                    return "".join(parts)
                parts.append(_cell(text, run, reverse=x <= here < x + max(1, width)))
                x += width
        return "".join(parts).rstrip(" ")


def _cell(text: str, run: Run, *, reverse: bool) -> str:
    codes = _codes(run.attr, reverse)
    shown = safe(text)
    return f"\x1b[{codes}m{shown}\x1b[0m" if codes else shown


def _codes(attr: Attr, reverse: bool) -> str:
    """The look as numbers of `CSI … m`; empty for the plain one."""
    look, plain = look_of(attr, DARK), look_of(DEFAULT, DARK)
    codes = ["1"] if look.bold else []
    codes += ["3"] if look.italic else []
    codes += ["4"] if look.underline else []
    codes += ["7"] if reverse else []
    codes += ["8"] if look.hidden else []
    codes += ["9"] if look.strike else []
    codes += [_colour(38, look.foreground)] if look.foreground != plain.foreground else []
    codes += [] if look.background is None else [_colour(48, look.background)]
    return ";".join(codes)


def _colour(what: int, colour: int) -> str:
    return f"{what};2;{colour >> 16};{colour >> 8 & 255};{colour & 255}"
