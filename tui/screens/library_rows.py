"""What the rows of the Library say. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import NamedTuple

from recorder.index.listing import Counts
from recorder.safe_text import safe
from recorder.store.catalog import Session
from recorder.store.state import State
from recorder.store.verdict import Verdict
from tui.cells import Part, Row, fit, side_by_side
from tui.facts import about, exit_label, length, session_rows, verdict_rows
from tui.words import role_of, word_of

EMPTY_HINTS = (("D", "play demo"), ("R", "rescan"), ("q", "quit"))
HINTS = (
    ("Enter", "play"),
    ("/", "filter"),
    ("S", "search"),
    ("d", "details"),
    ("V", "verify"),
    ("o", "sort"),
    ("p", "preview"),
    ("1 2 5", "views"),
    ("R", "rescan"),
    ("Y", "copy link"),
    ("q", "quit"),
)
FILTER_EXAMPLE = "user:alice host:web-* after:-7d is:live"
UNCHECKED = "·"
"""The sign of a recording that nobody has checked in this run."""


class Sort(NamedTuple):
    """An order of the list."""

    name: str
    key: Callable[[Session], tuple[object, ...]]
    newest_first: bool = False


SORTS = (
    Sort("START", lambda session: (session.start, session.number), True),
    Sort("LENGTH", lambda session: (session.duration_s or 0.0, session.start), True),
    Sort("USER", lambda session: (session.user, session.start)),
    Sort("HOST", lambda session: (session.host, session.start)),
)


class View(NamedTuple):
    """A saved view: the key that shows it, its name, and what belongs to it."""

    key: str
    name: str
    states: frozenset[State] | None = None
    """None: every state."""

    def holds(self, session: Session, state: State | None) -> bool:
        """Whether a session belongs to it; `state` is what is known of it so far."""
        return self.states is None or state in self.states or (session.live and State.LIVE in self.states)


VIEWS = (
    View("1", "All"),
    View("2", "Live", frozenset({State.LIVE})),
    View("5", "Failed check", frozenset({State.BAD, State.MISSING, State.UNREADABLE})),
)


class Column(NamedTuple):
    """A column of the list: its heading, width, and the list width from which on it is shown."""

    heading: str
    width: int
    from_width: int
    text: Callable[[Session], str]


COLUMNS = (
    Column("START", 11, 0, lambda session: f"{session.start:%m-%d %H:%M}"),
    Column("USER", 9, 0, lambda session: safe(session.user, 64)),
    Column("HOST", 12, 0, lambda session: safe(session.host, 255)),
    Column("FROM", 15, 110, lambda session: safe(session.source or "", 64)),
    Column("LENGTH", 7, 0, length),
    Column("EXIT", 4, 0, exit_label),
    Column("ID", 8, 90, lambda session: session.id.rsplit("-", 1)[-1]),
    Column("TITLE", 20, 0, about),
)


def columns_for(width: int) -> list[Column]:
    """The columns a list of this width shows; the last one takes what is left."""
    shown = [column for column in COLUMNS if width >= column.from_width]
    used = 3 + sum(column.width + 1 for column in shown[:-1])
    return [*shown[:-1], shown[-1]._replace(width=max(0, width - used))]


def heading(width: int, sort: Sort, reverse: bool) -> list[Part]:
    """The row above the list; the sign shows the order."""
    arrow = "▼" if sort.newest_first != reverse else "▲"
    names = [
        fit(f"{column.heading} {arrow}" if column.heading == sort.name else column.heading, column.width)
        for column in columns_for(width)
    ]
    return [Part("   " + " ".join(names))]


def session_row(session: Session, state: State | None, zone: tzinfo, width: int) -> list[Part]:
    """One session: check sign, then the columns."""
    sign = Part(state.sign, role_of(state)) if state is not None else Part(UNCHECKED, "dim")
    cells = [
        Part(_cell(column, session, zone), "live" if column.heading == "LENGTH" and session.live else "text")
        for column in columns_for(width)
    ]
    return [sign, Part(" "), *cells]


def counts_of(sessions: Sequence[Session], states: Mapping[str, State]) -> Counts:
    """Over a whole store, with what its recordings turned out to be so far."""
    live = sum(session.live for session in sessions)
    failed = sum(VIEWS[2].holds(session, states.get(session.id)) for session in sessions)
    return Counts(len(sessions), live, failed)


def count_parts(counts: Counts | None, note: str = "") -> list[Part]:
    """Row 1: counts over the whole store where they are known, and what is to be said about it."""
    parts = [Part(" sealcast", "strong")]
    if counts is None:
        return parts
    live, failed = counts.live, counts.failed
    parts.append(Part(f"  {counted(counts.sessions)}"))
    if note:
        parts.append(Part(f" · {note}", "dim"))
    if live:
        parts.append(Part(f" · {live} live", "live"))
    if failed:
        parts.append(Part(f" · {failed} failed check{'s' if failed > 1 else ''}", "bad"))
    return parts


def counted(number: int) -> str:
    """`1 session`, `100,284 sessions`."""
    return f"{number:,} session{'' if number == 1 else 's'}" if number else "no sessions yet"


def view_parts(view: View) -> list[Part]:
    """Row 3, left: the saved views, the current one in brackets."""
    shown = (f"[{item.key} {item.name}]" if item is view else f" {item.key} {item.name} " for item in VIEWS)
    return [Part(text, "active" if item is view else "dim") for item, text in zip(VIEWS, shown, strict=True)]


def range_part(shown: range, matching: int, total: int) -> Part:
    """Row 3, right: which rows are on screen, of how many."""
    if not matching:
        return Part(f"0 of {total:,} ")
    rows = f"{shown.start + 1}–{shown.stop}" if len(shown) > 1 else f"{shown.start + 1}"
    return Part(f"{rows} of {matching:,}" + (f" ({total:,} in all) " if matching != total else " "))


def preview_rows(
    session: Session, verdict: Verdict | None, state: State | None, zone: tzinfo, width: int
) -> list[Row]:
    """The session under the cursor, from what is known without a replay."""
    sign = Part(f" {UNCHECKED} not checked yet", "dim")
    if verdict is not None:
        sign = Part(f" {word_of(verdict)}", role_of(verdict.state))
    elif state is not None:
        sign = Part(f" {state.sign} {state.word}", role_of(state))
    who = Part(f"  {safe(session.user, 64)}@{safe(session.host, 255)}", "strong")
    checks = verdict_rows(verdict)[1:] if verdict is not None else []
    return [(sign, who), (), *side_by_side(session_rows(session, zone), checks, width)]


def empty_rows(places: Sequence[tuple[str, str]], demo_key: bool) -> list[Row]:
    """Nothing here yet: where was looked, and what to do; `demo_key` where `D` plays the demo."""
    demo = "D" if demo_key else "sealcast demo"
    return [
        (),
        (),
        (Part("   No recordings found.", "strong"),),
        (),
        (Part("   Looked in", "dim"),),
        *((Part(f"     {state:<25} ", "dim"), Part(safe(path, 200))) for path, state in places),
        (),
        (Part("   Start here", "dim"),),
        (_command(demo), Part("play the demo session (signed, works offline)")),
        (_command("sealcast rec"), Part("record a shell in this terminal")),
        (_command("sealcast play FILE.cast"), Part("open one recording")),
        (),
        (Part("   Then try", "dim"),),
        (Part("     /", "key"), Part(" filter sessions   "), Part("? ", "key"), Part("all keys")),
        (),
        (Part("   Nothing is changed or sent anywhere by looking.", "dim"),),
    ]


def _command(text: str) -> Part:
    return Part(f"     {text:<26}", "key")


def _cell(column: Column, session: Session, zone: tzinfo) -> str:
    local = replace(session, start=session.start.astimezone(zone))
    return fit(column.text(local), column.width) + " "
