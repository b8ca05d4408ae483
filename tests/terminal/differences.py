"""The accepted differences from tmux, `tests/golden/terminal/differences.toml`."""

import tomllib
from collections.abc import Sequence
from typing import NamedTuple

from tests.terminal.captures import GOLDEN
from tests.terminal.pictures import Picture, Row


class RowDifference(NamedTuple):
    """Rows of a capture that may differ: those with `contains` in our text or in that of tmux."""

    capture: str
    contains: str
    reason: str


class Case(NamedTuple):
    """Input that ends in different pictures."""

    name: str
    feed: str
    resize: tuple[int, int] | None
    reason: str


_TABLE = tomllib.loads((GOLDEN / "differences.toml").read_text(encoding="utf-8"))
ROWS = [RowDifference(**entry) for entry in _TABLE["row"]]
_OF_VERSIONS = [(entry.pop("version"), RowDifference(**entry)) for entry in _TABLE["row_of_version"]]
CASES = [
    Case(entry["name"], entry["feed"], tuple(entry["resize"]) if "resize" in entry else None, entry["reason"])
    for entry in _TABLE["case"]
]


def text(row: Row) -> str:
    """The text of a row."""
    return "".join(char for char, _ in row)


def rows_of(version: str) -> list[RowDifference]:
    """What is accepted of this version of tmux, which is not the one that made the golden screens."""
    return [row for named, row in _OF_VERSIONS if named == version]


def unexplained(
    capture: str, ours: Picture, theirs: Picture, more: Sequence[RowDifference] = ()
) -> list[str]:
    """What differs without an accepted reason, in words; cursor, sizes and screens must always agree."""
    found = [
        f"{name}: {getattr(ours, name)}, tmux: {getattr(theirs, name)}"
        for name in ("event", "size", "cursor", "visible", "alternate")
        if getattr(ours, name) != getattr(theirs, name)
    ]
    for y, (mine, other) in enumerate(zip(ours.rows, theirs.rows, strict=True)):
        if mine != other and explanation(capture, mine, other, more) is None:
            found.append(f"row {y}: {mine!r}, tmux: {other!r}")
    return found


def explanation(
    capture: str, mine: Row, other: Row, more: Sequence[RowDifference] = ()
) -> RowDifference | None:
    """The entry that accepts this difference."""
    shown = text(mine) + "\n" + text(other)
    return next((row for row in (*ROWS, *more) if row.capture == capture and row.contains in shown), None)
