"""Finds the keys that matter to command extraction in what the user types, without keeping the text."""

import re

_KEYS = re.compile(
    rb"[\r\n\x03\x04]|\x1b\[(?:20[01]~"
    rb"|(?P<key>13|99|100|57414)(?::\d{0,6}){0,2}(?:;(?P<held>\d{1,3})(?::[12])?)?u"
    rb"|27;(?P<other_held>\d{1,3});(?P<other_key>13|99|100)~)"
)
_ANY = re.compile(rb"[\x1b\r\n\x03\x04]")
_PARTIAL = re.compile(rb"\x1b(?:\[[0-9;:]{0,26})?\Z")
_NAMES = {
    b"\r": "enter",
    b"\n": "enter",
    b"\x03": "ctrl-c",
    b"\x04": "ctrl-d",
    b"\x1b[200~": "paste-begin",
    b"\x1b[201~": "paste-end",
}
_CONTROL = 4
_ENCODED = {
    (b"13", 0): "enter",
    (b"57414", 0): "enter",
    (b"99", _CONTROL): "ctrl-c",
    (b"100", _CONTROL): "ctrl-d",
}
"""Keys as numbers, with the modifiers that are held: kitty's keyboard protocol (`CSI 99;5u`; 57414 is the
keypad's Enter) and xterm's modifyOtherKeys (`CSI 27;5;99~`). fish asks for them from version 4 on."""
_LOCKS = 64 | 128
"""Caps lock and num lock change nothing."""


class Keystrokes:
    """Recognises Enter, Ctrl-C, Ctrl-D and the bracketed-paste marks in a stream of input bytes.

    Inside a bracketed paste only its end is a key: the rest is pasted text. What is split over two
    reads is found; remembered is only the beginning of a control sequence, at most 28 bytes.
    """

    def __init__(self) -> None:
        self._carry = b""
        self._pasting = False

    def feed(self, data: bytes) -> list[str]:
        """The names of the keys in `data`, in order."""
        if not self._carry and _ANY.search(data) is None:
            return []
        data = self._carry + data
        partial = _PARTIAL.search(data)
        self._carry = partial.group() if partial else b""
        names = map(_name, _KEYS.finditer(data))
        return [name for name in names if name and self._counts(name)]

    def _counts(self, name: str) -> bool:
        if name.startswith("paste"):
            self._pasting = name == "paste-begin"
            return True
        return not self._pasting


def _name(match: re.Match[bytes]) -> str | None:
    if (name := _NAMES.get(match.group())) is not None:
        return name
    held = int(match["held"] or match["other_held"] or 1) - 1
    return _ENCODED.get((match["key"] or match["other_key"], held & ~_LOCKS))
