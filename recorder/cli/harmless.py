"""Recorded output without what could act on the viewer's terminal beyond its picture.

`play --plain` hands output to a real terminal. Text, colours, cursor movement, erasing and the alternate
screen go through. Left out are strings (titles, clipboard, links, device control), queries that a terminal
answers as if its user had typed, mouse and keyboard modes, printing, window operations, and C1 controls.
"""

import re

_LONGEST_SEQUENCE = 256
_KEPT_CONTROLS = "\x08\t\n\x0b\x0c\r\x07\x0e\x0f"
_OTHER_CONTROLS = {code: None for code in range(0x20) if chr(code) not in _KEPT_CONTROLS}
_DROPPED = _OTHER_CONTROLS | dict.fromkeys(range(0x7F, 0xA0))
_PICTURE_MODES = {"6", "7", "12", "25", "47", "1047", "1048", "1049", "2026"}
_FINALS = frozenset("@ABCDEFGHIJKLMPSTXZ`abdefghlmrsu")

_START = re.compile("\x1b|[\x80-\x9f]")
_CSI = re.compile(r"\x1b\[([<=>?]?)([0-9:;]*)([ -/]*)([@-~])")
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*)?[ -/]*\Z")
_ESCAPE = re.compile(r"\x1b[ -/]*[0-Z\\`-~]")
_KEPT_ESCAPE = re.compile(r"\x1b[78=>DEHMc]|\x1b[()*+][0AB]")
_STRING_START = re.compile(r"\x1b[\]PX^_]|[\x90\x98\x9d-\x9f]")
_STRING_END = re.compile("\x07|\x1b\\\\|\x9c|\x18|\x1a|\x1b(?=[^\\\\])")

RESET = "\x1b[0m\x1b[?25h\x1b[?1047l\x1b[?7h\x1b[r\x1b(B\x0f"
"""Undoes what the sequences that go through can leave behind."""


class Harmless:
    """A filter for text in pieces of any size; keeps at most one unfinished sequence between them."""

    def __init__(self) -> None:
        self._rest = ""
        self._in_string = False

    def filter(self, text: str) -> str:
        """What of `text` may go to a terminal."""
        text, self._rest = self._rest + text, ""
        parts: list[str] = []
        position = 0
        while position < len(text):
            position = (
                self._skip_string(text, position) if self._in_string else self._piece(text, position, parts)
            )
        return "".join(parts)

    def _skip_string(self, text: str, position: int) -> int:
        end = _STRING_END.search(text, position)
        if end is None:
            self._rest = "\x1b" if text.endswith("\x1b") else ""
            return len(text)
        self._in_string = False
        return end.end() if end[0] != "\x1b" else end.start()

    def _piece(self, text: str, position: int, parts: list[str]) -> int:
        """Plain text up to the next sequence, and that sequence; answers where it went on to."""
        start = _START.search(text, position)
        begin = len(text) if start is None else start.start()
        parts.append(text[position:begin].translate(_DROPPED))
        return begin if start is None else self._sequence(text, begin, parts)

    def _sequence(self, text: str, start: int, parts: list[str]) -> int:
        if _STRING_START.match(text, start):
            self._in_string = True
            return start + (2 if text[start] == "\x1b" else 1)
        if found := _CSI.match(text, start):
            parts.append(_kept_csi(found))
            return found.end()
        if _UNFINISHED.match(text, start) and len(text) - start < _LONGEST_SEQUENCE:
            self._rest = text[start:]
            return len(text)
        if found := _ESCAPE.match(text, start):
            parts.append(found[0] if _KEPT_ESCAPE.fullmatch(found[0]) else "")
            return found.end()
        return start + 1


def _kept_csi(found: re.Match[str]) -> str:
    private, values, between, final = found.groups()
    if between:
        return found[0] if between == " " and final == "q" else ""
    if not private:
        return found[0] if final in _FINALS and not (final in "hl" and values != "4") else ""
    if private != "?" or final not in "hl":
        return ""
    kept = [value for value in values.split(";") if value in _PICTURE_MODES]
    return f"\x1b[?{';'.join(kept)}{final}" if kept else ""
