"""The notation for what is typed: text, and names of keys in braces."""

import re

_KEYS = {
    "enter": "\r",
    "tab": "\t",
    "esc": "\x1b",
    "bs": "\x7f",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "delete": "\x1b[3~",
    "space": " ",
    "open": "{",
    "close": "}",
}
_TOKEN = re.compile(r"\{([\w-]+)(?:[: ]([^}]*))?\}|([^{]+)")


class Stroke:
    """What the driver does: sends `data` at once, waits until `until` was shown, or changes the size."""

    def __init__(self, data: bytes = b"", until: bytes = b"", size: tuple[int, int] | None = None) -> None:
        self.data = data
        self.until = until
        self.size = size


def strokes(text: str) -> list[Stroke]:
    """`echo hi{enter}` one key at a time; `{burst text}` and `{paste text}` at once; `{until text}` waits.

    Names are those of keys, `c-x` and `m-x` for Control and Meta, and `resize COLSxROWS`. In `burst` and
    `paste` a `|` is Enter or a line break.
    """
    found: list[Stroke] = []
    for name, argument, plain in _TOKEN.findall(text):
        if plain:
            found += [Stroke(character.encode()) for character in plain if character != "\n"]
        else:
            found.append(_named(name, argument))
    return found


def _named(name: str, argument: str) -> Stroke:
    if name == "until":
        return Stroke(until=argument.encode())
    if name == "resize":
        columns, _, rows = argument.partition("x")
        return Stroke(size=(int(rows), int(columns)))
    return Stroke(_bytes(name, argument))


def _bytes(name: str, argument: str) -> bytes:
    if name == "burst":
        return argument.replace("|", "\r").encode()
    if name == "paste":
        return b"\x1b[200~" + argument.replace("|", "\n").encode() + b"\x1b[201~"
    if name.startswith("c-"):
        return bytes([ord(name[2]) & 0x1F])
    if name.startswith("m-"):
        return b"\x1b" + name[2:].encode()
    return _KEYS[name].encode()
