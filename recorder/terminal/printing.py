"""Putting characters into cells: wrapping, wide characters, grapheme clusters, repetition."""

from recorder.terminal.charsets import SPECIAL_GRAPHICS
from recorder.terminal.rows import Row
from recorder.terminal.state import Terminal
from recorder.terminal.widths import MAX_CLUSTER, char_width, joins, widens


def print_text(term: Terminal, text: str) -> None:
    """Print characters that take one cell each and join nothing."""
    if term.graphics:
        text = text.translate(SPECIAL_GRAPHICS)
    term.last = text
    done = 0
    while done < len(text):
        if term.pending_wrap:
            term.wrap()
        count = min(len(text) - done, term.cols - term.x)
        put(term, text[done : done + count])
        done += count
        if term.x == term.cols - 1 and not term.autowrap and done < len(text):
            put(term, text[-1])
            return


def put(term: Terminal, text: str) -> None:
    """Print one-cell characters that fit in the rest of the row."""
    start, count = term.x, len(text)
    row = _row_to_write(term, count)
    row.chars[start : start + count] = text
    row.attrs[start : start + count] = [term.attr] * count
    _advance(term, row, count)


def print_wide(term: Terminal, text: str) -> None:
    """Print characters that take two cells each and join nothing."""
    term.last = text
    done = 0
    while done < len(text):
        _wrap_for_wide(term)
        count = min(len(text) - done, (term.cols - term.x) // 2)
        if count <= 0:
            return
        put_wide(term, text[done : done + count])
        done += count
        if term.pending_wrap and not term.autowrap:
            return


def put_wide(term: Terminal, text: str) -> None:
    """Print two-cell characters that fit in the rest of the row."""
    start, count = term.x, 2 * len(text)
    row = _row_to_write(term, count)
    cells = [""] * count
    cells[::2] = text
    row.chars[start : start + count] = cells
    row.attrs[start : start + count] = [term.attr] * count
    row.mixed = True
    _advance(term, row, count)


def _wrap_for_wide(term: Terminal) -> None:
    if term.pending_wrap or (term.x == term.cols - 1 and term.autowrap):
        term.wrap()


def _row_to_write(term: Terminal, count: int) -> Row:
    """The cursor's row, its cells ready to take `count` new ones at the cursor."""
    row = term.grid[term.y]
    row.line = None
    if term.insert:
        row.insert(term.x, count, term.blank, term.cols)
    row.prepare(term.x, term.x + count)
    return row


def _advance(term: Terminal, row: Row, count: int) -> None:
    """Move behind what was printed; in the last column the wrap is only due when more text comes."""
    end = term.x + count
    if end < term.cols:
        term.x = end
        return
    row.wrapped = False
    term.x = term.cols - 1
    term.pending_wrap = term.autowrap


def print_any(term: Terminal, text: str) -> None:
    """Print any characters, one by one: combining marks, emoji, flags and what joins them."""
    for char in text:
        width = char_width(char)
        if width < 0:
            continue
        if _join_previous(term, char, width) or width == 0:
            continue
        if width == 2:
            print_wide(term, char)
        else:
            print_text(term, char)


def _join_previous(term: Terminal, char: str, width: int) -> bool:
    """Add `char` to the cell before the cursor if it belongs there."""
    row = term.grid[term.y]
    x = term.x if term.pending_wrap else term.x - 1
    if not 0 <= x < len(row.chars):
        return False
    if row.chars[x] == "" and x:
        x -= 1
    cluster = row.chars[x]
    if not cluster or not _belongs(term, cluster, char, width):
        return False
    row.line = None
    row.mixed = True
    if len(cluster) < MAX_CLUSTER:
        row.chars[x] = cluster + char
    if widens(cluster, char):
        _widen(term, row, x)
    return True


def _belongs(term: Terminal, cluster: str, char: str, width: int) -> bool:
    return width == 0 if not term.graphemes else joins(cluster, char)


def _widen(term: Terminal, row: Row, x: int) -> None:
    """The one-cell cluster just printed at `x` takes the next cell too, if the row has one."""
    if term.pending_wrap or term.x != x + 1:
        return
    row.prepare(x + 1, x + 2)
    row.chars[x + 1 : x + 2] = [""]
    row.attrs[x + 1 : x + 2] = [row.attrs[x]]
    _advance(term, row, 1)


def repeat(term: Terminal, count: int) -> None:
    """REP: the character right before again, at most to the end of the row."""
    if not term.last:
        return
    char = term.last[-1]
    width = char_width(char)
    count = min(count, (term.cols - term.x) // max(1, width))
    if term.pending_wrap or count <= 0:
        return
    if width == 2:
        put_wide(term, char * count)
    elif width == 1:
        put(term, char * count)
