"""Output in bulk: the terminal that prompts are read from is told just the end of what scrolls away."""

import re

from recorder.commands.picture import Picture
from recorder.terminal import AltScreen, Cwd, Screen

_KEPT_LINES = 500
"""Above the screen: more than is looked at for where a line began to be typed."""
_LEAST_BYTES = 2048
_MOST_BYTES = 1024 * 1024
_LINES = re.compile(
    rb"(?:[\x20-\x7e\t]++|\r\n|\x1b\[[0-9;]*+m|\xc2[\xa0-\xbf]|[\xc3-\xf4][\x80-\xbf]++)*+"
    rb"(?P<open>\r|\x1b(?:\[[0-9;]{0,32})?)?"
)
"""Text, colours and ends of lines: these change rows and looks, and nothing else of a terminal.

The last of them may go on in the next piece.
"""
_LOOKS = re.compile(rb"\x1b\[[0-9;]*m")
_PLAIN_AGAIN = re.compile(rb"\x1b\[0?m")


class BulkPicture(Picture):
    """As `Picture`, but what stands far above the screen may never have been there."""

    def __init__(self, columns: int, rows: int) -> None:
        super().__init__(columns, rows)
        self._screen = self.screen
        self._waiting: list[bytes] = []
        self._size = 0
        self._open = b""

    def __getattr__(self, name: str) -> Screen:
        """`screen` is taken away while something waits: a property would cost each look at it."""
        if name != "screen":
            raise AttributeError(name)
        self._catch_up()
        return self._screen

    def feed(self, data: bytes) -> None:
        found = _LINES.fullmatch(self._open + data) if len(data) >= _LEAST_BYTES else None
        if found is None:
            self.screen.feed(data)
            self._cursor_line = None
            return
        self._open = found["open"] or b""
        if not self._waiting:
            del self.screen
        self._waiting.append(data)
        self._size += len(data)
        self._cursor_line = None
        if self._size > _MOST_BYTES:
            self._catch_up()

    def take_events(self) -> list[AltScreen | Cwd]:
        """What waits makes none."""
        return [] if self._waiting else super().take_events()

    def _catch_up(self) -> None:
        data, screen = b"".join(self._waiting), self._screen
        self.screen = screen
        self._waiting.clear()
        self._size, self._open = 0, b""
        place = self._start_of_rest(data) if screen.scrolls_whole and screen.at_ground else 0
        if place:
            screen.feed(_looks_after(data[:place]))
        screen.feed(data[place:])

    def _start_of_rest(self, data: bytes) -> int:
        """Where the last lines begin, with more of them than the screen has rows."""
        place = len(data)
        for _ in range(self._screen.size[1] + _KEPT_LINES):
            place = data.rfind(b"\n", 0, place)
            if place < 0:
                return 0
        return place + 1


def _looks_after(data: bytes) -> bytes:
    """The control functions that leave the looks as `data` leaves them."""
    start = 0
    for found in _PLAIN_AGAIN.finditer(data, max(0, data.rfind(b"\x1b[0m"), data.rfind(b"\x1b[m"))):
        start = found.start()
    return b"".join(_LOOKS.findall(data, start))
