"""A terminal screen: bytes of output go in, rows of styled text come out."""

import codecs
from itertools import takewhile
from typing import NamedTuple

from recorder.terminal import snapshots
from recorder.terminal.events import Event
from recorder.terminal.modes import Modes, modes_of
from recorder.terminal.parser import feed_text
from recorder.terminal.rows import Line, Row, Run
from recorder.terminal.snapshots import Snapshot
from recorder.terminal.state import Sink, Terminal

SLICE = 64 * 1024
"""Bytes carried out at a time, so that memory does not grow with the size of one `feed`."""


class Cursor(NamedTuple):
    """Where the next character goes, counted from 0."""

    x: int
    y: int
    visible: bool
    pending_wrap: bool
    """The last column was written; the next character goes to the next row."""


class LogicalLine(NamedTuple):
    """A line as the program wrote it, before it was wrapped."""

    text: str
    """Without the blanks at the end, but never shorter than `cursor_offset`."""
    first_row: int
    """Negative if the line begins above the screen."""
    last_row: int
    cursor_offset: int | None
    """Index into `text` of the character under the cursor, if the cursor is on this line."""


class _Above(NamedTuple):
    """What of a logical line stands above the screen, where `last` is the newest row of the history."""

    text: str
    rows: int
    last: Line | None


_NOTHING_ABOVE = _Above("", 0, None)


class Screen:
    """A terminal of `cols` x `rows` cells (2..1000 x 2..500; other sizes become the nearest).

    `scrollback_sink` is called with each line that leaves the top of the primary screen.
    `state` is for `restore`: it is taken over, and everything else is ignored.
    """

    engine = "pure/1"

    def __init__(
        self,
        cols: int,
        rows: int,
        *,
        graphemes: bool = True,
        scrollback_sink: Sink | None = None,
        state: Terminal | None = None,
    ) -> None:
        self._term = state or Terminal(cols, rows, graphemes, scrollback_sink)
        self._seen: list[Line | None] = []
        self._known_above = _NOTHING_ABOVE

    # ── writing ───────────────────────────────────────────────────────────────

    def feed(self, data: bytes) -> None:
        """Carry out output, cut anywhere. Never raises on content; invalid UTF-8 shows as U+FFFD."""
        if len(data) <= SLICE:
            feed_text(self._term, self._decode(data))
            return
        for start in range(0, len(data), SLICE):
            feed_text(self._term, self._decode(data[start : start + SLICE]))

    def skip_string(self) -> None:
        """A control string without any effect stood here, and is not fed: REP does nothing behind it."""
        self._term.last = ""

    def feed_until(self, data: bytes, stop: bytes) -> int:
        """Feed `data` up to, not including, the first `stop`; returns how many bytes were fed."""
        end = data.find(stop)
        end = len(data) if end < 0 else end
        self.feed(data[:end])
        return end

    def _decode(self, data: bytes) -> str:
        term = self._term
        if not term.utf8_rest:
            try:
                return data.decode()
            except UnicodeDecodeError:
                pass
        data = term.utf8_rest + data
        text, used = codecs.utf_8_decode(data, "replace", False)
        term.utf8_rest = data[used:]
        return text

    def resize(self, cols: int, rows: int) -> None:
        """Change the size: the primary screen wraps its lines anew, the alternate one is cut."""
        self._known_above = _NOTHING_ABOVE  # rows come back from the history
        self._term.resize(cols, rows)

    # ── state ─────────────────────────────────────────────────────────────────

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        return self._term.cols, self._term.rows

    @property
    def cursor(self) -> Cursor:
        """Where the cursor is; always inside the screen."""
        term = self._term
        return Cursor(term.x, term.y, term.visible, term.pending_wrap)

    @property
    def row(self) -> int:
        """The cursor's row: `cursor.y`, for those who ask often."""
        return self._term.y

    @property
    def column(self) -> int:
        """The cursor's column; one more than the last when a wrap is due."""
        term = self._term
        return term.x + term.pending_wrap

    @property
    def alt_screen(self) -> bool:
        """The alternate screen is shown (a full-screen program)."""
        return self._term.alternate is not None

    @property
    def scrolls_whole(self) -> bool:
        """A line feed in the last row moves every row up, the first into the history."""
        term = self._term
        return term.grid is term.primary and term.top == 0 and term.bottom == term.rows - 1

    @property
    def title(self) -> str:
        """The window title, at most 1024 characters, without control characters. Foreign text."""
        return self._term.title

    @property
    def modes(self) -> Modes:
        """The modes as they are now."""
        return modes_of(self._term)

    @property
    def at_ground(self) -> bool:
        """No control sequence and no character is half received."""
        return not (self._term.pending or self._term.utf8_rest or self._term.string)

    def events(self) -> list[Event]:
        """What the program told besides the picture since the last call, oldest first."""
        return self._term.events.take()

    # ── reading ───────────────────────────────────────────────────────────────

    def line(self, y: int) -> Line:
        """Row `y`, immutable; the same object while the row does not change."""
        return self._term.grid[y].freeze(self._term.cols)

    def row_runs(self, y: int) -> list[Run]:
        """Row `y` as runs of equal look that together take exactly `size[0]` cells."""
        return list(self.line(y).runs)

    def row_text(self, y: int) -> str:
        """The text of row `y`, with the blanks that fill it up."""
        return self.line(y).text

    def row_wrapped(self, y: int) -> bool:
        """The text of row `y` goes on in the next one. Negative rows are those above the screen."""
        if y >= 0:
            return self._term.grid[y].wrapped
        history = self._term.history
        return -y <= len(history) and history[y].wrapped

    def logical_line(self, y: int) -> LogicalLine:
        """The unwrapped line that row `y` is part of, with what of it stands above the screen."""
        term, grid = self._term, self._term.grid
        first = last = y
        while first > 0 and grid[first - 1].wrapped:
            first -= 1
        while last < term.rows - 1 and grid[last].wrapped:
            last += 1
        above = self._above() if first == 0 else _NOTHING_ABOVE
        if not first <= term.y <= last:
            text = "".join([above.text, *_texts(grid[first : last + 1])])
            return LogicalLine(text.rstrip(), first - above.rows, last, None)
        chars = grid[term.y].chars
        before, behind = "".join(chars[: term.x]) + " " * (term.x - len(chars)), "".join(chars[term.x :])
        if first < last or above.rows:
            before = "".join([above.text, *_texts(grid[first : term.y]), before])
            behind = "".join([behind, *_texts(grid[term.y + 1 : last + 1])])
        return LogicalLine(before + behind.rstrip(), first - above.rows, last, len(before))

    def line_above(self, distance: int) -> Line | None:
        """The row `distance` rows above the first one (1 is next to it), while the history has it."""
        history = self._term.history
        if not 0 < distance <= len(history):
            return None
        entry = history[-distance]
        if not isinstance(entry, Line):  # nothing changes it any more
            entry = history[-distance] = entry.freeze(0)
        return entry

    def _above(self) -> "_Above":
        """The rows above the screen that go on in its first row. A line may fill all of the history."""
        last = None if self._term.on_alternate else self.line_above(1)
        if last is None or not last.wrapped:
            return _NOTHING_ABOVE
        if self._known_above.last is not last:
            rows = takewhile(lambda entry: entry.wrapped, reversed(self._term.history))
            texts = ["".join(entry.cells if isinstance(entry, Line) else entry.chars) for entry in rows]
            self._known_above = _Above("".join(reversed(texts)), len(texts), last)
        return self._known_above

    def text(self, unwrap: bool = False) -> str:
        """The whole screen without blanks at the ends of lines and without empty lines at its end.

        With `unwrap`, lines that the width has broken are put together again.
        """
        lines: list[str] = []
        joined = ""
        for y in range(self._term.rows):
            joined += self.row_text(y)
            if not (unwrap and self.row_wrapped(y)):
                lines.append(joined.rstrip())
                joined = ""
        return "\n".join([*lines, joined.rstrip()]).rstrip("\n")

    def take_dirty(self) -> set[int]:
        """Rows that look different from what they were at the last call; all of them at first."""
        lines = [self.line(y) for y in range(self._term.rows)]
        seen = self._seen
        self._seen = list(lines)
        if len(seen) != len(lines):
            return set(range(len(lines)))
        return {y for y, line in enumerate(lines) if line is not seen[y]}

    # ── keyframes ─────────────────────────────────────────────────────────────

    def snapshot(self) -> Snapshot:
        """The whole state, half received sequences included, without queued events."""
        return snapshots.take(self._term)

    @classmethod
    def restore(cls, snapshot: Snapshot, *, scrollback_sink: Sink | None = None) -> "Screen":
        """A screen that goes on from `snapshot`."""
        state = snapshots.restore(snapshot)
        state.sink = scrollback_sink
        return cls(state.cols, state.rows, state=state)

    def close(self) -> None:
        """Let go of what the screen holds. (Other engines hold memory of their own.)"""
        size = self.size
        self._term = Terminal(*size, graphemes=True, sink=None)
        self._seen = []


def _texts(rows: list[Row]) -> list[str]:
    return ["".join(row.chars) for row in rows]
