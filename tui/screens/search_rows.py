"""What the rows of the Search screen say. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from recorder.index.search import Match
from recorder.index.search_outputs import Line
from recorder.safe_text import safe
from recorder.store.state import State
from tui.cells import Part, fit
from tui.facts import short_id
from tui.times import offset_label
from tui.words import role_of

WIDE = 110
_LOUD = {State.BAD, State.MISSING, State.UNREADABLE}
"""Said in words beside the sign."""
KEYS = (
    ("Enter", "play from match"),
    ("n N", "next/prev"),
    ("o", "fold"),
    ("Tab", "edit query"),
    ("y", "copy"),
    ("q", "back"),
)


class Hit(NamedTuple):
    """A match, the moment it leads to, and what of its output is shown."""

    match: Match
    moment_s: float
    lines: Sequence[Line]


@dataclass(slots=True)
class Group:
    """The matches of one session."""

    hits: list[Hit] = field(default_factory=list)
    folded: bool = False

    @property
    def session(self) -> str:
        return self.hits[0].match.session


class Row(NamedTuple):
    """A row of the list; `hit` is where Enter leads from it."""

    group: Group
    hit: Hit
    line: Line | None = None
    is_head: bool = False


def rows_of(groups: Sequence[Group]) -> list[Row]:
    """Sessions, below each its matches, below each what matches in its output."""
    return [row for group in groups for row in _rows(group)]


def _rows(group: Group) -> Iterator[Row]:
    yield Row(group, group.hits[0], is_head=True)
    if group.folded:
        return
    for hit in group.hits:
        yield Row(group, hit)
        yield from (Row(group, hit, line) for line in hit.lines)


def parts_of(row: Row, states: Mapping[str, State], zone: tzinfo, width: int) -> list[Part]:
    """One row, without the sign of the cursor."""
    if row.is_head:
        return _head(row.group, states.get(row.group.session), zone, width)
    if row.line is not None:
        return [Part("          output   ", "dim"), Part(safe(row.line.text, 1000))]
    return _command(row.hit, zone, width)


def _head(group: Group, state: State | None, zone: tzinfo, width: int) -> list[Part]:
    match = group.hits[0].match
    began = datetime.fromtimestamp(match.session_start, UTC).astimezone(zone)
    sign = Part(state.sign, role_of(state)) if state is not None else Part("·", "dim")
    count = f"{len(group.hits):,} match{'' if len(group.hits) == 1 else 'es'}"
    text = f" {began:%Y-%m-%d %H:%M}  {safe(match.user, 64)}@{safe(match.host, 255)}"
    word = f"  {state.word}" if state in _LOUD else ""
    last = f"  #{short_id(match.session)}  {count}"
    return [
        Part("▸ " if group.folded else "▾ "),
        sign,
        Part(fit(text, max(0, width - 4 - len(word) - len(last))), "strong"),
        Part(word, sign.role),
        Part(last),
    ]


def _command(hit: Hit, zone: tzinfo, width: int) -> list[Part]:
    match = hit.match
    status = "exit ?" if match.exit_status is None else f"exit {match.exit_status}"
    parts = [Part(f"  {offset_label(hit.moment_s):>7}  ")]
    if width >= WIDE:
        clock = datetime.fromtimestamp(match.started, UTC).astimezone(zone)
        who = safe(match.as_user or match.user, 64)
        parts.append(
            Part(f"{clock:%H:%M:%S %Z}  {fit(who, 10)}  {fit(safe(match.cwd or '', 200), 12)}  ", "dim")
        )
    if match.is_aside:
        return [*parts, Part(f"{'-':8}  (no command)", "dim")]
    parts.append(Part(f"{status:8}  ", "warn" if match.exit_status else "text"))
    return [*parts, Part(safe(match.text, 2000))]
