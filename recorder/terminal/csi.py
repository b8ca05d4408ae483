"""Control functions of the form `CSI parameters final` (ECMA-48, VT510, xterm ctlseqs).

Every function takes the terminal and the parameters, at least one, 0 where none was given.
"""

from collections.abc import Callable

from recorder.terminal.modes import reset_ansi_modes, reset_private_modes, set_ansi_modes, set_private_modes
from recorder.terminal.printing import repeat
from recorder.terminal.state import Terminal

Params = tuple[int, ...]
Function = Callable[[Terminal, Params], None]


def _second(params: Params) -> int:
    return params[1] if len(params) > 1 else 0


# ── cursor ────────────────────────────────────────────────────────────────────


def position(term: Terminal, params: Params) -> None:
    """CUP, HVP."""
    term.move_in_region((_second(params) or 1) - 1, (params[0] or 1) - 1)


def up(term: Terminal, params: Params) -> None:
    """CUU: stops at the top margin when it starts below it."""
    limit = term.top if term.y >= term.top else 0
    term.move(term.x, max(term.y - (params[0] or 1), limit))


def down(term: Terminal, params: Params) -> None:
    """CUD, VPR: stops at the bottom margin when it starts above it."""
    limit = term.bottom if term.y <= term.bottom else term.rows - 1
    term.move(term.x, min(term.y + (params[0] or 1), limit))


def right(term: Terminal, params: Params) -> None:
    """CUF, HPR."""
    term.move(term.x + (params[0] or 1), term.y)


def left(term: Terminal, params: Params) -> None:
    """CUB."""
    term.move(term.x - (params[0] or 1), term.y)


def next_line(term: Terminal, params: Params) -> None:
    """CNL."""
    down(term, params)
    term.x = 0


def previous_line(term: Terminal, params: Params) -> None:
    """CPL."""
    up(term, params)
    term.x = 0


def column(term: Terminal, params: Params) -> None:
    """CHA, HPA."""
    term.move((params[0] or 1) - 1, term.y)


def row(term: Terminal, params: Params) -> None:
    """VPA."""
    term.move_in_region(term.x, (params[0] or 1) - 1)


def tab_forward(term: Terminal, params: Params) -> None:
    """CHT."""
    for _ in range(params[0] or 1):
        if term.x == term.cols - 1:
            break
        next_tab(term)


def tab_backward(term: Terminal, params: Params) -> None:
    """CBT."""
    for _ in range(params[0] or 1):
        term.move(max(0, term.tabs.rfind(1, 0, term.x)), term.y)
        if term.x == 0:
            break


def next_tab(term: Terminal) -> None:
    """HT: the next stop, or the last column. A wrap that is due stays due."""
    stop = term.tabs.find(1, term.x + 1, term.cols)
    term.x = stop if stop >= 0 else term.cols - 1


def clear_tabs(term: Terminal, params: Params) -> None:
    """TBC."""
    if params[0] == 0:
        term.tabs[term.x] = 0
    elif params[0] == 3:
        term.tabs = bytearray(len(term.tabs))


def margins(term: Terminal, params: Params) -> None:
    """DECSTBM."""
    top = (params[0] or 1) - 1
    bottom = min(_second(params) or term.rows, term.rows) - 1
    if top < bottom:
        term.top, term.bottom = top, bottom
        term.move_in_region(0, 0)


def save(term: Terminal, _params: Params) -> None:
    """SCOSC."""
    term.save_cursor()


def restore(term: Terminal, _params: Params) -> None:
    """SCORC."""
    term.restore_cursor()


# ── erasing and shifting ──────────────────────────────────────────────────────


def _from(term: Terminal) -> int:
    """The first cell at or behind the cursor; none is left while a wrap is due."""
    return term.cols if term.pending_wrap else term.x


def erase_in_line(term: Terminal, params: Params) -> None:
    """EL."""
    kind = params[0]
    if kind > 2 or (kind == 0 and term.pending_wrap):
        return
    start, end = ((term.x, term.cols), (0, term.x + 1), (0, term.cols))[kind]
    term.grid[term.y].erase(start, end, term.blank, term.cols)


def erase_in_display(term: Terminal, params: Params) -> None:
    """ED; 3 erases what is kept above the screen."""
    kind = params[0]
    if kind == 3:
        term.history.clear()
    if kind >= 3:
        return
    if kind < 2:
        erase_in_line(term, params)
    first, last = ((term.y + 1, term.rows), (0, term.y), (0, term.rows))[kind]
    blank = term.blank
    for line in term.grid[first:last]:
        if line.chars or line.tail is not blank:
            line.clear(blank)


def erase_characters(term: Terminal, params: Params) -> None:
    """ECH."""
    start = _from(term)
    end = min(start + (params[0] or 1), term.cols)
    if start < end:
        term.grid[term.y].erase(start, end, term.blank, term.cols)


def insert_characters(term: Terminal, params: Params) -> None:
    """ICH."""
    start = _from(term)
    count = min(params[0] or 1, term.cols - start)
    if count:
        term.grid[term.y].insert(start, count, term.blank, term.cols)


def delete_characters(term: Terminal, params: Params) -> None:
    """DCH."""
    start = _from(term)
    count = min(params[0] or 1, term.cols - start)
    if count:
        term.grid[term.y].delete(start, count, term.blank, term.cols)


def insert_lines(term: Terminal, params: Params) -> None:
    """IL."""
    if term.top <= term.y <= term.bottom:
        term.scroll_down(params[0] or 1, term.y)
        term.move(0, term.y)


def delete_lines(term: Terminal, params: Params) -> None:
    """DL."""
    if term.top <= term.y <= term.bottom:
        term.scroll_up(params[0] or 1, term.y)
        term.move(0, term.y)


def scroll_up(term: Terminal, params: Params) -> None:
    """SU."""
    term.scroll_up(params[0] or 1)


def scroll_down(term: Terminal, params: Params) -> None:
    """SD; with more parameters it is a mouse highlight request."""
    if len(params) == 1:
        term.scroll_down(params[0] or 1)


# ── the rest ──────────────────────────────────────────────────────────────────


def repeat_character(term: Terminal, params: Params) -> None:
    """REP."""
    repeat(term, params[0] or 1)


def soft_reset(term: Terminal, _params: Params) -> None:
    """DECSTR."""
    term.soft_reset()


def ignore(_term: Terminal, _params: Params) -> None:
    """A control function that changes nothing on the screen."""


FUNCTIONS: dict[str, Function] = {
    "A": up,
    "B": down,
    "C": right,
    "D": left,
    "E": next_line,
    "F": previous_line,
    "G": column,
    "H": position,
    "I": tab_forward,
    "J": erase_in_display,
    "?J": erase_in_display,
    "K": erase_in_line,
    "?K": erase_in_line,
    "L": insert_lines,
    "M": delete_lines,
    "P": delete_characters,
    "S": scroll_up,
    "T": scroll_down,
    "X": erase_characters,
    "Z": tab_backward,
    "@": insert_characters,
    "`": column,
    "a": right,
    "b": repeat_character,
    "d": row,
    "e": down,
    "f": position,
    "g": clear_tabs,
    "h": set_ansi_modes,
    "?h": set_private_modes,
    "l": reset_ansi_modes,
    "?l": reset_private_modes,
    "r": margins,
    "s": save,
    "u": restore,
    "!p": soft_reset,
}
"""By private prefix, intermediate characters and final character."""
