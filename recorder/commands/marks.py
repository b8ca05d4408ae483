"""Cuts output where a line editor may have begun or ended: at modes, ends of lines, and shell marks."""

import re

EDITOR_ON = b"\x1b[?2004h"
EDITOR_OFF = b"\x1b[?2004l"
"""Bracketed paste: shells switch it on while they read a line."""

ASKS = b"\x1b]133;A"
RUNS = b"\x1b]133;C"
"""How marks begin that shells may write before a prompt, and behind a line. fish does, from version 4 on."""
PROMPT_BEFORE = re.compile(rb"\x1b\[\d*[KCD](?:\x1b\[\?1h|\x1b=)*\Z")
"""zsh and fish 4 switch the editor on behind the prompt, after clearing the line or moving to its end."""
MOVES = re.compile(rb"(?:\x1b\[[0-9;?]*+[A-HJKhlm]|\x1b[=>]|\r)*+")
_UP = re.compile(rb"\x1b\[\d*A")
_NEAR = 160
"""Bytes in which an editor that goes up does so."""
KEYBOARD_OFF = re.compile(rb"\x1b\[(?:>4(?:;0)?m|=0(?:;1)?u|<\d*u)")
"""Keys are not told apart any more: behind EDITOR_OFF, what fish 4 does in the middle of a line, too."""

MARK = re.compile(rb"\x1b\]((?:133|633);[^\x07\x18\x1a\x1b]*+)(?:\x07|\x1b\\)")
"""OSC 133 and 633, by which shells tell where prompts and commands begin and end."""
LONGEST_MARK = 40 * 1024
"""What is longer is passed over, like any other control string."""

_MODE = re.compile(rb"\x1b\[\?2004[hl]|\x1b\]133;[AC]")
_MODE_OR_END = re.compile(_MODE.pattern + rb"|\r*\n")
_MODE_OR_MARK = re.compile(MARK.pattern + b"|" + _MODE.pattern)
_MODE_MARK_OR_END = re.compile(_MODE_OR_MARK.pattern + rb"|\r*\n")
_PART = re.compile(
    rb"(?:\r+|\x1b(?:\[(?:\?(?:2(?:0(?:0(?:4)?)?)?)?|>(?:4(?:;0?)?)?|=(?:0(?:;1?)?)?|<\d{0,3})?"
    rb"|\](?:1(?:3(?:3;?)?)?)?)?)\Z"
)
_MARK_PART = re.compile(rb"\x1b\](?:[16](?:3(?:3(?:;[^\x07\x18\x1a\x1b]*+\x1b?)?)?)?)?\Z")


Piece = tuple[bytes, bytes]
"""Output without a cut in it, and the cut behind it: a mode change, an end of line, a mark, or nothing."""


class Cutter:
    """Cuts are found even where reads split them: the beginning of one is held back for the next call.

    With `marks` the output is cut at the marks of shells, too.
    """

    def __init__(self, *, marks: bool) -> None:
        self._marks = marks
        self._held = b""

    def add(self, data: bytes) -> bytes:
        """What can be cut now."""
        if self._held:
            data = self._held + data
            self._held = b""
        at = self._part(data)
        if at >= 0:
            self._held = data[at:]
            return data[:at]
        return data

    def rest(self) -> bytes:
        """What is held back and can be shown; it is not any more."""
        if self._held.startswith(b"\x1b]"):
            return b""
        held, self._held = self._held, b""
        return held

    def next_piece(self, data: bytes, start: int, ends_of_lines: bool) -> Piece:
        """The piece of `data` that begins at `start`; with `ends_of_lines` it ends there too."""
        if not ends_of_lines and data.find(b"\x1b", start) < 0:
            return data[start:], b""
        marks = self._marks and data.find(b"\x1b]", start) >= 0
        modes = data.find(b"\x1b[?2004", start) >= 0 or data.find(b"\x1b]133;", start) >= 0
        if not ends_of_lines and not marks and not modes:
            return data[start:], b""
        if marks:
            pattern = _MODE_MARK_OR_END if ends_of_lines else _MODE_OR_MARK
        else:
            pattern = _MODE_OR_END if ends_of_lines else _MODE
        found = pattern.search(data, start)
        if found is None:
            return data[start:], b""
        return data[start : found.start()], found[0]

    def _part(self, data: bytes) -> int:
        """Where the beginning of a cut stands at the end of `data`; -1 if it ends with none."""
        if self._marks:
            at = data.rfind(b"\x1b]")
            if at >= 0 and len(data) - at <= LONGEST_MARK and _MARK_PART.match(data, at):
                return at
        if data[-1:] == b"\r" or b"\x1b" in data[-7:]:
            part = _PART.search(data, max(0, len(data) - 64))
            return part.start() if part else -1
        return -1


def goes_up(data: bytes, start: int) -> bool:
    """The cursor goes up in the line that begins at `start`."""
    end = data.find(b"\n", start, start + _NEAR)
    return bool(_UP.search(data, start, start + _NEAR if end < 0 else end))
