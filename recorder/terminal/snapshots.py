"""The whole state of a terminal as one immutable value that shares unchanged rows with its neighbours."""

from collections import deque
from typing import NamedTuple

from recorder.terminal.attributes import Attr
from recorder.terminal.rows import Line, Row
from recorder.terminal.state import OpenString, SavedCursor, Terminal


class Flags(NamedTuple):
    """The scalars of a terminal that a snapshot takes over as they are."""

    x: int
    y: int
    pending_wrap: bool
    top: int
    bottom: int
    autowrap: bool
    origin: bool
    insert: bool
    newline_mode: bool
    visible: bool
    charsets: tuple[bool, bool]
    shifted: bool
    last: str
    title: str
    pending: str
    utf8_rest: bytes
    string: OpenString | None
    primary_size: tuple[int, int]


class Snapshot(NamedTuple):
    """Opaque: made by `Screen.snapshot`, for `Screen.restore`, in the same process. Never stored."""

    cols: int
    rows: int
    graphemes: bool
    primary: tuple[Line, ...]
    alternate: tuple[Line, ...] | None
    history: tuple[Line, ...]
    attr: Attr
    saved: tuple[SavedCursor | None, ...]
    modes: tuple[tuple[int, bool], ...]
    tabs: bytes
    flags: Flags

    def lines(self) -> tuple[Line, ...]:
        """All lines it holds."""
        return (*self.primary, *(self.alternate or ()), *self.history)


def take(term: Terminal) -> Snapshot:
    """The state of `term`. Queued events and the sink are not part of it."""
    flags = {name: getattr(term, name) for name in Flags._fields}
    flags["last"] = term.last[-1:]
    return Snapshot(
        cols=term.cols,
        rows=term.rows,
        graphemes=term.graphemes,
        primary=_freeze(term.primary, term.primary_size[0]),
        alternate=None if term.alternate is None else _freeze(term.alternate, term.cols),
        history=_freeze_history(term.history),
        attr=term.attr,
        saved=tuple(term.saved),
        modes=tuple(term.modes.items()),
        tabs=bytes(term.tabs),
        flags=Flags(**flags),
    )


def restore(snapshot: Snapshot) -> Terminal:
    """A terminal in the state of `snapshot`, independent of every other."""
    term = Terminal(snapshot.cols, snapshot.rows, snapshot.graphemes, None)
    for name, value in zip(Flags._fields, snapshot.flags, strict=True):
        setattr(term, name, value)
    term.primary = [Row.thaw(line) for line in snapshot.primary]
    if snapshot.alternate is not None:
        term.alternate = [Row.thaw(line) for line in snapshot.alternate]
    term.grid = term.primary if term.alternate is None else term.alternate
    term.history.extend(snapshot.history)
    term.set_attr(snapshot.attr)
    term.saved = list(snapshot.saved)
    term.modes = dict(snapshot.modes)
    term.tabs = bytearray(snapshot.tabs)
    term.update_plain()
    return term


def _freeze(rows: list[Row], cols: int) -> tuple[Line, ...]:
    return tuple([row.freeze(cols) for row in rows])


def _freeze_history(history: deque[Row | Line]) -> tuple[Line, ...]:
    """Lines for all rows of the history; they replace the rows there, which nothing changes any more."""
    lines = tuple([entry if isinstance(entry, Line) else entry.freeze(0) for entry in history])
    history.clear()
    history.extend(lines)
    return lines
