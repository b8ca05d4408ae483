"""How a cell looks: interned attribute tuples, and SGR (ECMA-48 8.3.117) as steps between them."""

from typing import NamedTuple

BOLD = 1 << 0
DIM = 1 << 1
ITALIC = 1 << 2
UNDERLINE = 1 << 3
BLINK = 1 << 4
REVERSE = 1 << 5
HIDDEN = 1 << 6
STRIKE = 1 << 7
OVERLINE = 1 << 8
DOUBLE = 1 << 9
CURLY = 1 << 10
DOTTED = 1 << 11
DASHED = 1 << 12
UNDERLINE_STYLES = DOUBLE | CURLY | DOTTED | DASHED
"""Each of these comes together with UNDERLINE."""

RGB = 1 << 24
"""A colour is None (default), 0..255 (palette index) or RGB | 0xRRGGBB."""


class Attr(NamedTuple):
    """The look of a cell. Interned: equal looks are nearly always the same object."""

    fg: int | None
    bg: int | None
    flags: int
    underline_colour: int | None = None


DEFAULT = Attr(None, None, 0, None)

Steps = dict[str, "tuple[Attr, Steps]"]
"""What an SGR sequence (its parameters with the final `m`) makes of one attribute."""

MAX_STEPS = 16_384
MAX_SGR_LENGTH = 1022
"""Longer parameter strings are passed over; with `CSI` in front this is the longest control sequence."""
MAX_PARAMETERS = 32

_UNDERLINES = {0: 0, 1: UNDERLINE, 2: UNDERLINE | DOUBLE, 3: UNDERLINE | CURLY, 4: UNDERLINE | DOTTED}
_UNDERLINES[5] = UNDERLINE | DASHED
_ANY_UNDERLINE = UNDERLINE | UNDERLINE_STYLES
_ON = {1: BOLD, 2: DIM, 3: ITALIC, 5: BLINK, 6: BLINK, 7: REVERSE, 8: HIDDEN, 9: STRIKE, 53: OVERLINE}
_OFF = {22: BOLD | DIM, 23: ITALIC, 25: BLINK, 27: REVERSE, 28: HIDDEN, 29: STRIKE, 55: OVERLINE}
_FOREGROUND: dict[int, int | None] = {39: None}
_BACKGROUND: dict[int, int | None] = {49: None}
for _index in range(8):
    _FOREGROUND |= {30 + _index: _index, 90 + _index: 8 + _index}
    _BACKGROUND |= {40 + _index: _index, 100 + _index: 8 + _index}
_EXTENDED = {38: 0, 48: 1, 58: 2}


class Looks:
    """Interns attributes and remembers the steps between them; forgets everything when it grows large."""

    def __init__(self) -> None:
        self._attrs: dict[Attr, Attr] = {}
        self._steps: dict[Attr, Steps] = {}
        self._forget()

    def _forget(self) -> None:
        self._attrs = {DEFAULT: DEFAULT}
        self._steps = {}
        self.count = 0
        """Steps remembered."""

    def intern(self, attr: Attr) -> Attr:
        """The one object for this look."""
        return self._attrs.setdefault(attr, attr)

    def steps(self, attr: Attr) -> Steps:
        """The remembered steps that start at `attr`."""
        found = self._steps.get(attr)
        if found is None:
            found = self._steps[attr] = {}
        return found

    def step(self, attr: Attr, sgr: str) -> "tuple[Attr, Steps]":
        """The look after `sgr`, with the steps that start there; remembered under `attr`."""
        self.count += 1
        if self.count > MAX_STEPS:
            self._forget()
        after = attr if len(sgr) > MAX_SGR_LENGTH else self.intern(apply_sgr(attr, sgr[:-1]))
        result = (after, self.steps(after))
        self.steps(attr)[sgr] = result
        return result


LOOKS = Looks()


def apply_sgr(attr: Attr, parameters: str) -> Attr:
    """`attr` after `CSI parameters m`. Unknown parameters change nothing."""
    if not parameters:
        return DEFAULT
    items = parameters.split(";")[:MAX_PARAMETERS]
    position = 0
    while position < len(items):
        item = items[position]
        if ":" in item:
            attr = _apply_subparameters(attr, item.split(":"))
        elif item in ("38", "48", "58"):
            attr, position = _apply_extended(attr, items, position)
        else:
            attr = _apply_simple(attr, number(item))
        position += 1
    return attr


def number(digits: str) -> int:
    """A CSI parameter: 0 when empty, at most 65535."""
    if not digits:
        return 0
    return min(int(digits), 65535) if len(digits) < 10 else 65535


def _apply_simple(attr: Attr, code: int) -> Attr:
    fg, bg, flags, line = attr
    if code == 0:
        return DEFAULT
    if code in _ON:
        return Attr(fg, bg, flags | _ON[code], line)
    if code in _OFF:
        return Attr(fg, bg, flags & ~_OFF[code], line)
    if code in (4, 21, 24):
        style = {4: 1, 21: 2, 24: 0}[code]
        return Attr(fg, bg, flags & ~_ANY_UNDERLINE | _UNDERLINES[style], line)
    if code == 59:
        return Attr(fg, bg, flags, None)
    return _apply_colour(attr, code)


def _apply_colour(attr: Attr, code: int) -> Attr:
    fg, bg, flags, line = attr
    if code in _FOREGROUND:
        return Attr(_FOREGROUND[code], bg, flags, line)
    if code in _BACKGROUND:
        return Attr(fg, _BACKGROUND[code], flags, line)
    return attr


def _apply_extended(attr: Attr, items: list[str], position: int) -> tuple[Attr, int]:
    """`38;5;N` and `38;2;R;G;B` in the form with semicolons; what is cut short changes nothing."""
    target = int(items[position])
    kind = items[position + 1] if position + 1 < len(items) else ""
    if kind == "5" and position + 2 < len(items):
        return _with_colour(attr, target, _palette(items[position + 2])), position + 2
    if kind == "2" and position + 4 < len(items):
        return _with_colour(attr, target, _rgb(items[position + 2 : position + 5])), position + 4
    return attr, len(items) if kind in ("2", "5") else position + 1


def _apply_subparameters(attr: Attr, parts: list[str]) -> Attr:
    """ISO 8613-6 forms: `4:3`, `38:5:N`, `38:2:R:G:B`, `38:2:SPACE:R:G:B`."""
    code = number(parts[0])
    if code == 4:
        bits = _UNDERLINES.get(number(parts[1]), UNDERLINE)
        return attr._replace(flags=attr.flags & ~_ANY_UNDERLINE | bits)
    if code not in _EXTENDED:
        return attr
    if parts[1] == "5" and len(parts) > 2:
        return _with_colour(attr, code, _palette(parts[2]))
    if parts[1] == "2" and len(parts) > 4:
        return _with_colour(attr, code, _rgb(parts[3:6] if len(parts) > 5 else parts[2:5]))
    return attr


def _palette(digits: str) -> int | None:
    index = number(digits) if digits.isdigit() or not digits else 256
    return index if index < 256 else None


def _rgb(digits: list[str]) -> int | None:
    if not all(part.isdigit() or not part for part in digits):
        return None
    red, green, blue = (min(number(part), 255) for part in digits)
    return RGB | red << 16 | green << 8 | blue


def _with_colour(attr: Attr, target: int, colour: int | None) -> Attr:
    if colour is None:
        return attr
    colours = [attr.fg, attr.bg, attr.underline_colour]
    colours[_EXTENDED[target]] = colour
    return Attr(colours[0], colours[1], attr.flags, colours[2])
