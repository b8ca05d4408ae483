"""All keys of the screen it was opened from, taken from the live key map."""

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.cells import Part, fit
from tui.screens.base import RoomyScreen
from tui.widgets.drawn import Bar, Lines

_COLUMN = 40
_EVERYWHERE = "Everywhere"
_NAMES = {
    "space": "Space",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "enter": "Enter",
    "escape": "Esc",
    "backspace": "Backspace",
    "f1": "F1",
    "comma": ",",
    "full_stop": ".",
    "slash": "/",
    "question_mark": "?",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "colon": ":",
}


def key_name(key: str) -> str:
    """How a key is written for people: `Shift+←`, `Ctrl+Q`, `{`."""
    *modifiers, plain = key.split("+")
    shown = _NAMES.get(plain, plain.upper() if modifiers else plain)
    return "+".join([*(modifier.capitalize() for modifier in modifiers), shown])


def key_table(bindings: Iterable[Binding]) -> dict[str, list[tuple[str, str]]]:
    """Group heading -> (keys, what they do), in the order of the key map."""
    entries: dict[tuple[str, str], list[str]] = {}
    for binding in bindings:
        if binding.description and binding.id:
            group = binding.group.description if binding.group else _EVERYWHERE
            entries.setdefault((group, binding.description), []).append(key_name(binding.key))
    table: dict[str, list[tuple[str, str]]] = {}
    for (group, description), keys in sorted(entries.items(), key=lambda entry: entry[0][0] == _EVERYWHERE):
        table.setdefault(group, []).append((_together(keys), description))
    return table


def _together(keys: list[str]) -> str:
    """`← →`, `Shift+← →`, and `0 … 9` for what would be ten."""
    if all(key.startswith("Shift+") for key in keys):
        return "Shift+" + _together([key.removeprefix("Shift+") for key in keys])
    return f"{keys[0]} … {keys[-1]}" if len(keys) > 5 else " ".join(keys)


def _block(heading: str, entries: list[tuple[str, str]]) -> list[list[Part]]:
    rows = [[Part(fit(f" {heading}", _COLUMN), "strong")]]
    rows += [[Part(fit(f"   {keys}", 17), "key"), Part(fit(text, _COLUMN - 17))] for keys, text in entries]
    return [*rows, []]


def _in_columns(blocks: list[list[list[Part]]], columns: int) -> list[list[Part]]:
    """Blocks one below the other, in columns of about equal height; no block is broken."""
    rest = sum(map(len, blocks))
    stacks: list[list[list[Part]]] = [[] for _ in range(columns)]
    at = 0
    for block in blocks:
        if stacks[at] and len(stacks[at]) + len(block) / 2 > rest / columns and at + 1 < columns:
            at += 1
        stacks[at] += block
    height = max(map(len, stacks), default=0)
    blank = [Part(" " * _COLUMN)]
    return [
        [part for stack in stacks for part in ((stack[y] if y < len(stack) else blank) or blank)]
        for y in range(height)
    ]


class HelpScreen(RoomyScreen):
    """The keys of another screen."""

    TOPIC = "help"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape,question_mark", "dismiss_help", "close"),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
    ]

    def __init__(self, opener: RoomyScreen) -> None:
        super().__init__()
        self._opener = opener
        self._blocks: list[list[list[Part]]] = []

    def body(self) -> ComposeResult:
        """Head, table, hint."""
        yield Bar("head", id="head")
        yield Lines(id="keys")
        yield Bar("hint", id="hints")

    def on_mount(self) -> None:
        """Read the key map of the screen below."""
        bindings = (active.binding for active in self._opener.active_bindings.values() if active.enabled)
        self._blocks = [_block(*entry) for entry in key_table(bindings).items()]
        self.query_one("#head", Bar).show([Part(f" Keys: {self._opener.TOPIC}", "strong")])
        self.query_one("#hints", Bar).show([Part(" q close "), Part(" ↑↓ more rows ")])
        self.lay_out(*self.size)

    def lay_out(self, width: int, height: int) -> None:  # noqa: ARG002 - one interface for all screens
        """As many columns as fit."""
        columns = max(1, min(len(self._blocks), width // _COLUMN))
        self.query_one("#keys", Lines).show(_in_columns(self._blocks, columns))

    def action_scroll(self, by: int) -> None:
        """Move through a table longer than the screen."""
        self.query_one("#keys", Lines).scroll_rows(by)

    def action_dismiss_help(self) -> None:
        """Back to where it was opened."""
        self.dismiss()
