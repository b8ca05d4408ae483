"""What one command wrote, as the lines its terminal showed.

Most output is text and colours: then the lines are what is left without the colours. At the first control
function that moves, a terminal takes over, beginning with what may still be on its screen.
"""

import re
from collections import deque

from recorder.commands.transcript import Transcript, Written
from recorder.safe_text import safe

LONGEST_LINE = 100_000
"""Bytes after which a line without an end is taken in parts."""

_LOOK = (
    rb"\x1b\[[0-9;:]*+m|\x1b\[0?K|\x1b\(B|\x1b[=>]|\x1b\[\?(?:1|12|25|1034|2004)[hl]"
    rb"|\x1b\][012];[^\x00-\x1f\x7f]*+\x07|\x07"
)
"""Changes no text where the cursor is behind the last character."""
_PLAIN = re.compile(rb"(?:[\x20-\x7e\x80-\xff\t]++|\r*+\n|" + _LOOK + rb")*+")
_LOOKS = re.compile(_LOOK)
_OPEN = re.compile(rb"(?:\r+|\x1b(?:\[[0-9;:?]{0,60}|\][^\x00-\x1f\x7f]{0,250}|\()?)\Z")
"""The beginning of what may go on in the next piece."""
_UNSAFE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)
_BLANKS = re.compile(r" +$", re.MULTILINE)


class Page:
    """Feed it one command's output; take the lines that cannot change any more."""

    def __init__(self, columns: int, rows: int, *, bare_line_feeds: bool = False) -> None:
        """`bare_line_feeds`: LF alone ends a line, as in a session without a terminal."""
        self._columns, self._rows = columns, rows
        self._bare = bare_line_feeds
        self._screen: Transcript | None = None
        self._shown: deque[tuple[float, bytes, int]] = deque()
        """Whole lines that may still be on the screen, as they were written, with their number."""
        self._count = 0
        self._open = b""
        self._rest = b""
        self._done: list[Written] = []

    def output(self, time: float, data: bytes) -> None:
        """What was shown at `time`."""
        if self._screen is not None:
            self._screen.output(time, self._ended(data))
            return
        data = self._open + data
        self._open = b""
        if not self._shown and not self._rest:
            data = data.lstrip(b"\r")
        part = _OPEN.search(data, max(0, len(data) - 256))
        if part is not None:
            data, self._open = data[: part.start()], data[part.start() :]
        if _PLAIN.fullmatch(data):
            self._plain(time, data)
        else:
            self._take_screen(time, data)

    def resize(self, time: float, columns: int, rows: int) -> None:
        self._columns, self._rows = columns, rows
        if self._screen is not None:
            self._screen.resize(time, columns, rows)

    def take(self) -> list[Written]:
        """What was written since the last call; lines of the same time may stand in one text."""
        done, self._done = self._done, []
        return done if self._screen is None else done + self._screen.take()

    def pending(self) -> list[Written]:
        """Lines that may still change. Those of a terminal are not told: it may be amid drawing."""
        lines = [Written(time, _text_of(shown[:-1])) for time, shown, _ in self._shown]
        return lines + ([Written(lines[-1].time, _text_of(self._rest))] if lines and self._rest else [])

    def finish(self, time: float) -> list[Written]:
        """All that is left."""
        if self._screen is not None:
            return self.take() + self._screen.finish(time)
        while self._shown:
            self._settle()
        if self._rest:
            self._add(time, self._rest)
            self._rest = b""
        return self.take()

    def _ended(self, data: bytes) -> bytes:
        return data.replace(b"\n", b"\r\n") if self._bare else data

    # ── text and colours ──────────────────────────────────────────────────────

    def _plain(self, time: float, data: bytes) -> None:
        end = data.rfind(b"\n") + 1
        if end:
            self._end_lines(time, self._rest + data[:end])
            self._rest = data[end:]
        else:
            self._rest += data
        while self._shown and self._count - self._shown[0][2] >= self._rows:
            self._settle()
        if len(self._rest) > LONGEST_LINE:
            self._end_long_line(time)

    def _end_lines(self, time: float, lines: bytes) -> None:
        """Whole lines. Of more than fill the screen only those of one screen are kept back."""
        count = lines.count(b"\n")
        if count > self._rows:
            first, *rest = lines.rsplit(b"\n", self._rows + 1)
            self._shown.append((time, first + b"\n", count - self._rows))
            self._count += count - self._rows
            lines, count = b"\n".join(rest), self._rows
        self._shown.append((time, lines, count))
        self._count += count

    def _settle(self) -> None:
        """The oldest lines have left the screen."""
        time, lines, count = self._shown.popleft()
        self._count -= count
        self._add(time, lines[:-1])

    def _end_long_line(self, time: float) -> None:
        while self._shown:
            self._settle()
        while len(self._rest) > LONGEST_LINE:
            end = LONGEST_LINE
            while self._rest[end] & 0xC0 == 0x80 and end > LONGEST_LINE - 4:
                end -= 1
            self._add(time, self._rest[:end])
            self._rest = self._rest[end:]

    def _add(self, time: float, lines: bytes) -> None:
        self._done.append(Written(time, _text_of(lines)))

    # ── anything else ─────────────────────────────────────────────────────────

    def _take_screen(self, time: float, data: bytes) -> None:
        screen = Transcript(self._columns, self._rows)
        for written, lines, _ in self._shown:
            screen.output(written, self._ended(lines))
        self._shown.clear()
        screen.output(time, self._ended(self._rest + data + self._open))
        self._rest = self._open = b""
        self._screen = screen


def _text_of(lines: bytes) -> str:
    """The text of plain output, without blanks at the ends of lines."""
    if b"\x1b" in lines or b"\x07" in lines:
        lines = _LOOKS.sub(b"", lines)
    text = lines.replace(b"\r", b"").decode("utf-8", "replace").expandtabs()
    is_plain = text.isascii() and text.replace("\n", "").isprintable()
    if not is_plain and _UNSAFE.search(text):
        return "\n".join(safe(line.rstrip(), LONGEST_LINE) for line in text.split("\n"))
    return _BLANKS.sub("", text) if " \n" in text else text.rstrip(" ")
