"""Finds the keys that matter to command extraction in what the user types, without keeping the text."""

import re

_KEYS = re.compile(rb"\x1b\[20[01]~|[\r\n\x03\x04]")
_ANY = re.compile(rb"[\x1b\r\n\x03\x04]")
_PASTE_BEGIN = b"\x1b[200~"
_PASTE_END = b"\x1b[201~"
_NAMES = {
    b"\r": "enter",
    b"\n": "enter",
    b"\x03": "ctrl-c",
    b"\x04": "ctrl-d",
    _PASTE_BEGIN: "paste-begin",
    _PASTE_END: "paste-end",
}
_PARTIAL = (_PASTE_BEGIN[:5], _PASTE_END[:5], *(_PASTE_BEGIN[:n] for n in range(4, 0, -1)))


class Keystrokes:
    """Recognises Enter, Ctrl-C, Ctrl-D and the bracketed-paste marks in a stream of input bytes.

    Inside a bracketed paste only its end is a key: the rest is pasted text. A mark that is split
    over two reads is found; at most five bytes are remembered, and only of a mark's beginning.
    """

    def __init__(self) -> None:
        self._carry = b""
        self._pasting = False

    def feed(self, data: bytes) -> list[str]:
        """The names of the keys in `data`, in order."""
        if not self._carry and _ANY.search(data) is None:
            return []
        data = self._carry + data
        self._carry = next((tail for tail in _PARTIAL if data.endswith(tail)), b"")
        names = (_NAMES[match.group()] for match in _KEYS.finditer(data))
        return [name for name in names if self._counts(name)]

    def _counts(self, name: str) -> bool:
        if name.startswith("paste"):
            self._pasting = name == "paste-begin"
            return True
        return not self._pasting
