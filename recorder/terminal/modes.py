"""Set and reset of modes (SM, RM, DECSET, DECRST)."""

from collections.abc import Callable
from typing import NamedTuple

from recorder.terminal.state import Terminal

_ALTERNATE = (47, 1047)
_MOUSE = (9, 1000, 1001, 1002, 1003)
_REMEMBERED = frozenset({1, 5, 12, 66, 1004, 1005, 1006, 1015, 1016, 2004, 2026, *_MOUSE})


class Modes(NamedTuple):
    """The modes that readers of a screen care about."""

    bracketed_paste: bool
    app_cursor: bool
    app_keypad: bool
    sync_output: bool
    mouse: bool
    focus_events: bool
    reverse_video: bool
    autowrap: bool
    insert: bool
    origin: bool


def modes_of(term: Terminal) -> Modes:
    """A picture of the modes as they are now."""
    on = term.modes.get
    return Modes(
        bracketed_paste=on(2004, False),
        app_cursor=on(1, False),
        app_keypad=on(66, False),
        sync_output=on(2026, False),
        mouse=any(on(mode, False) for mode in _MOUSE),
        focus_events=on(1004, False),
        reverse_video=on(5, False),
        autowrap=term.autowrap,
        insert=term.insert,
        origin=term.origin,
    )


def set_ansi_modes(term: Terminal, params: tuple[int, ...]) -> None:
    """SM."""
    _set_ansi(term, params, True)


def reset_ansi_modes(term: Terminal, params: tuple[int, ...]) -> None:
    """RM."""
    _set_ansi(term, params, False)


def set_private_modes(term: Terminal, params: tuple[int, ...]) -> None:
    """DECSET."""
    for mode in params:
        _set_private(term, mode, True)


def reset_private_modes(term: Terminal, params: tuple[int, ...]) -> None:
    """DECRST."""
    for mode in params:
        _set_private(term, mode, False)


def _set_ansi(term: Terminal, params: tuple[int, ...], on: bool) -> None:
    if 4 in params:
        term.insert = on
        term.update_plain()
    if 20 in params:
        term.newline_mode = on


def _set_private(term: Terminal, mode: int, on: bool) -> None:
    action = _ACTIONS.get(mode)
    if action is not None:
        action(term, on)
    elif mode in _REMEMBERED:
        term.modes[mode] = on


def _origin(term: Terminal, on: bool) -> None:
    term.origin = on
    term.move_in_region(0, 0)


def _autowrap(term: Terminal, on: bool) -> None:
    term.autowrap = on
    term.pending_wrap = term.pending_wrap and on


def _visible(term: Terminal, on: bool) -> None:
    term.visible = on


def _alternate(term: Terminal, on: bool) -> None:
    if on:
        term.enter_alternate()
    else:
        term.leave_alternate()


def _cursor(term: Terminal, on: bool) -> None:
    if on:
        term.save_cursor()
    else:
        term.restore_cursor()


def _alternate_and_cursor(term: Terminal, on: bool) -> None:
    """1049. Entering twice saves once; leaving restores the cursor even when it was left already."""
    if not on:
        term.leave_alternate()
        if term.saved[term.on_alternate] is not None:
            term.restore_cursor()
    elif not term.on_alternate:
        term.save_cursor()
        term.enter_alternate()


_ACTIONS: dict[int, Callable[[Terminal, bool], None]] = {
    6: _origin,
    7: _autowrap,
    25: _visible,
    47: _alternate,
    1047: _alternate,
    1048: _cursor,
    1049: _alternate_and_cursor,
}
