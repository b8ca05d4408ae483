"""Cuts output where a line editor may have begun or ended: mode changes and ends of lines."""

import re

EDITOR_ON = b"\x1b[?2004h"
EDITOR_OFF = b"\x1b[?2004l"
"""Bracketed paste: shells switch it on while they read a line."""

_MODE = re.compile(rb"\x1b\[\?2004[hl]")
_MODE_OR_END = re.compile(rb"\x1b\[\?2004[hl]|\r*\n")
_PART = re.compile(rb"(?:\r+|\x1b(?:\[(?:\?(?:2(?:0(?:0(?:4)?)?)?)?)?)?)\Z")


class Piece:
    """Output without a cut in it, and the cut behind it: a mode change, an end of line, or nothing."""

    __slots__ = ("cut", "text")

    def __init__(self, text: bytes, cut: bytes) -> None:
        self.text = text
        self.cut = cut


class Cutter:
    """Cuts are found even where reads split them: the beginning of one is held back for the next call."""

    def __init__(self) -> None:
        self._held = b""

    def add(self, data: bytes) -> bytes:
        """What can be cut now."""
        if self._held:
            data = self._held + data
            self._held = b""
        if data[-1:] == b"\r" or b"\x1b" in data[-7:]:
            part = _PART.search(data, max(0, len(data) - 64))
            if part is not None:
                self._held = data[part.start() :]
                return data[: part.start()]
        return data

    def rest(self) -> bytes:
        """What is held back; it is not any more."""
        held, self._held = self._held, b""
        return held


def next_piece(data: bytes, start: int, ends_of_lines: bool) -> Piece:
    """The piece of `data` that begins at `start`; with `ends_of_lines` it ends there too."""
    if not ends_of_lines and data.find(b"\x1b[?2004", start) < 0:
        return Piece(data[start:], b"")
    found = (_MODE_OR_END if ends_of_lines else _MODE).search(data, start)
    if found is None:
        return Piece(data[start:], b"")
    return Piece(data[start : found.start()], found[0])
