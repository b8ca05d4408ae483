"""The screen as lines, with what stands above it."""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from recorder.terminal import AltScreen, Cwd, Event, Line, Screen

_GREYS = frozenset({8, *range(236, 248)})
"""Foregrounds of suggestions: bright black, and the middle of the grey ramp of the 256 colours."""
_GAP = 6
"""So many blanks before the right edge are no text that wrapped there."""


class LogicalLine(NamedTuple):
    """Rows that the width alone has broken, as one text without blanks at its end.

    Rows count from the top of the screen; those above it are negative.
    """

    text: str
    first: int
    last: int


class Picture:
    """A terminal, read in lines as they were written before the width broke them."""

    def __init__(self, columns: int, rows: int) -> None:
        self.screen = Screen(columns, rows)
        self._cursor_line: tuple[str, str] | None = None

    def feed(self, data: bytes) -> None:
        """Output."""
        if data:
            self.screen.feed(data)
            self._cursor_line = None

    def pass_over(self) -> bool:
        """Whether a whole mark of a shell need not be fed here: then it changes nothing."""
        if not self.screen.at_ground:
            return False
        self.screen.skip_string()
        return True

    def resize(self, columns: int, rows: int) -> None:
        """Another size; the lines are broken anew."""
        self.screen.resize(columns, rows)
        self._cursor_line = None

    def take_events(self) -> list[AltScreen | Cwd]:
        """Alternate screens and directories since the last call."""
        events: list[Event] = self.screen.events()
        if not events:
            return []
        return [event for event in events if isinstance(event, AltScreen | Cwd)]

    @property
    def alternate(self) -> bool:
        """The alternate screen is shown."""
        return self.screen.alt_screen

    @property
    def row(self) -> int:
        """The cursor's row."""
        return self.screen.row

    @property
    def column(self) -> int:
        """The cursor's column; one more than the last when a wrap is due."""
        return self.screen.column

    def cursor_line(self) -> tuple[str, str]:
        """The logical line under the cursor: what stands before the cursor, and what behind."""
        if self._cursor_line is None:
            cursor = self.screen.cursor
            line = self.screen.logical_line(cursor.y)
            offset = (line.cursor_offset or 0) + cursor.pending_wrap
            self._cursor_line = line.text[:offset], line.text[offset:]
        return self._cursor_line

    def suggestion(self) -> str:
        """What stands behind the cursor, if it is grey: proposed by the shell, and not typed."""
        cells, column = 0, self.column
        for text, attr in self.screen.line(self.row).runs:
            cells += len(text)  # wide characters make this too few: then nothing is taken for a suggestion
            if cells > column and text.strip():
                return self.cursor_line()[1].strip() if attr.fg in _GREYS else ""
        return ""

    def filled_above(self) -> str:
        """What stands before the cursor's row in its logical line, if only blanks reach the right edge.

        zsh puts its prompt on a new row so.
        """
        y = self.row
        if not self._goes_on(y - 1) or self._text_at(y - 1)[-_GAP:].strip():
            return ""
        before, _ = self.cursor_line()
        return before[: len(before) - self.column] if len(before) >= self.column else ""

    def line_at(self, row: int) -> LogicalLine:
        """The logical line that `row` is part of."""
        here = self._row(row)
        if here is not None and not here.wrapped and not self._goes_on(row - 1):
            return LogicalLine(here.text.rstrip(), row, row)
        first = last = row
        rows = deque([] if here is None else [here])
        while (above := self._row(first - 1)) is not None and above.wrapped:
            first -= 1
            rows.appendleft(above)
        while here is not None and here.wrapped and (below := self._row(last + 1)) is not None:
            last, here = last + 1, below
            rows.append(below)
        following = [*islice(rows, 1, None), None]
        text = "".join(map(_text, rows, following))
        return LogicalLine(text.rstrip(), first, last)

    def edge(self, row: int) -> str:
        """What stands at the right edge of `row`: nothing where the row was not written up to it.

        A blank counts if text stands before it.
        """
        line = self._row(row)
        if line is None or len(line.cells) < self.screen.size[0] or not "".join(line.cells[-2:]).strip():
            return ""
        return line.cells[-1] or line.cells[-2]

    def upwards(self, row: int, limit: int) -> Iterator[LogicalLine]:
        """Logical lines from `row` up, at most `limit` of them."""
        for _ in range(limit):
            if self._row(row) is None:
                return
            line = self.line_at(row)
            yield line
            row = line.first - 1

    def _goes_on(self, y: int) -> bool:
        """The row, which is not below the screen, was broken by the width."""
        screen = self.screen
        return (y >= 0 or not screen.alt_screen) and screen.row_wrapped(y)

    def _text_at(self, y: int) -> str:
        line = self._row(y)
        return "" if line is None else line.text

    def _row(self, y: int) -> Line | None:
        if y >= self.screen.size[1]:
            return None
        if y >= 0:
            return self.screen.line(y)
        if self.screen.alt_screen:
            return None
        return self.screen.line_above(-y)


def _text(line: Line, below: Line | None) -> str:
    """A row's part of its logical line. A wide character that did not fit left a blank there."""
    if not line.wrapped:
        return line.text
    text = "".join(line.cells) if line.mixed else line.text[: line.used]
    wide = below is not None and below.mixed and below.cells[1:2] == ("",)
    return text[:-1] if wide and text.endswith(" ") else text
