"""C0 controls and escape sequences without parameters."""

from collections.abc import Callable

from recorder.terminal.attributes import DEFAULT
from recorder.terminal.csi import next_tab
from recorder.terminal.events import Bell
from recorder.terminal.state import Terminal

Action = Callable[[Terminal], None]


def newline(term: Terminal) -> None:
    """LF, VT, FF."""
    term.pending_wrap = False
    if term.newline_mode:
        term.x = 0
    term.line_feed()


def carriage_return(term: Terminal) -> None:
    """CR."""
    term.x = 0
    term.pending_wrap = False


def backspace(term: Terminal) -> None:
    """BS."""
    term.move(term.x - 1, term.y)


def bell(term: Terminal) -> None:
    """BEL."""
    term.events.add(Bell())


def _shift(shifted: bool) -> Action:
    def shift(term: Terminal) -> None:
        term.shifted = shifted
        term.update_plain()

    return shift


def _designate(slot: int, graphics: bool) -> Action:
    def designate(term: Terminal) -> None:
        sets = list(term.charsets)
        sets[slot] = graphics
        term.charsets = (sets[0], sets[1])
        term.update_plain()

    return designate


def _keypad(application: bool) -> Action:
    def keypad(term: Terminal) -> None:
        term.modes[66] = application

    return keypad


def index(term: Terminal) -> None:
    """IND."""
    term.pending_wrap = False
    term.line_feed()


def next_line(term: Terminal) -> None:
    """NEL."""
    carriage_return(term)
    term.line_feed()


def set_tab(term: Terminal) -> None:
    """HTS."""
    term.tabs[term.x] = 1


def alignment_pattern(term: Terminal) -> None:
    """DECALN: the screen full of E, margins reset, cursor home."""
    letters, looks = ["E"] * term.cols, [DEFAULT] * term.cols
    for row in term.grid:
        row.chars = letters[:]
        row.attrs = looks[:]
        row.wrapped = row.mixed = row.harvested = False
        row.line = None
    term.top, term.bottom = 0, term.rows - 1
    term.move(0, 0)


CONTROLS: dict[str, Action] = {
    "\x07": bell,
    "\x08": backspace,
    "\t": next_tab,
    "\n": newline,
    "\x0b": newline,
    "\x0c": newline,
    "\r": carriage_return,
    "\x0e": _shift(True),
    "\x0f": _shift(False),
}

ESCAPES: dict[str, Action] = {
    "7": Terminal.save_cursor,
    "8": Terminal.restore_cursor,
    "D": index,
    "E": next_line,
    "H": set_tab,
    "M": Terminal.reverse_line_feed,
    "c": Terminal.reset,
    "=": _keypad(True),
    ">": _keypad(False),
    "#8": alignment_pattern,
}
"""By intermediate and final characters."""

for _slot, _sign in enumerate("()"):
    ESCAPES |= {_sign + final: _designate(_slot, final == "0") for final in "0AB12"}
