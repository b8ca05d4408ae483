"""A match as `search` shows it: a line with a link, and the object that programs get."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from recorder.cli import output
from recorder.cli.settings import Settings
from recorder.index.search import Match
from recorder.index.search_outputs import Line
from recorder.safe_text import safe

SCHEMA = "sealcast.matches/1"
_LONGEST = 100_000
_PLAIN_SESSION = "link start user host matches".split()  # noqa: SIM905  the same
_PLAIN = "link started user as host exit cwd duration_s command".split()  # noqa: SIM905  one column, one word


@dataclass(frozen=True, slots=True)
class Row:
    """A match, the moment it leads to, and the lines of its output that are shown."""

    match: Match
    moment_s: float
    lines: Sequence[Line] = ()


def link(row: Row, *, short: bool) -> str:
    """`ID@15m05s`: what `play` opens, at the first tenth of a second in which the match is to be seen."""
    session = row.match.session
    return f"{safe(session.rpartition('-')[2] if short else session)}@{place(row.moment_s)}"


def place(seconds: float) -> str:
    """`15m05s`, `1h02m03.5s`: rounded up to a tenth, so that what happened then has happened."""
    tenths = math.ceil(round(seconds * 10, 3))
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    if not (hours or minutes):
        return f"{rest / 10:g}s"
    value = f"{rest // 10:02}" + (f".{rest % 10}" if rest % 10 else "")
    return f"{hours}h{minutes:02}m{value}s" if hours else f"{minutes}m{value}s"


def text_lines(row: Row, settings: Settings, *, short: bool) -> Iterator[str]:
    """The command, and below it what is shown of its output."""
    match = row.match
    first = link(row, short=short).ljust(16 if short else 32)
    when = settings.stamp(datetime.fromtimestamp(match.started, UTC), seconds=True)
    other = "" if match.as_user in (None, match.user) else f" ({safe(match.as_user or '', 64)})"
    who = safe(match.user, 64) + other
    cells = (first, when, who.ljust(14), safe(match.host, 255).ljust(14), _status(match).ljust(8))
    yield "  ".join((*cells, "(no command)" if match.is_aside else safe(match.text, _LONGEST)))
    blank = " " * len(first)
    for line in row.lines:
        yield f"{blank}  {safe(line.text, _LONGEST)}"


def _status(match: Match) -> str:
    if match.is_aside:
        return "-"
    return "exit ?" if match.exit_status is None else f"exit {match.exit_status}"


def session_line(row: Row, count: int, settings: Settings, *, short: bool) -> str:
    """A session: how to open it at its first match, when it began, whose it is, how many matches it has."""
    match = row.match
    first = link(row, short=short).ljust(16 if short else 32)
    when = settings.stamp(datetime.fromtimestamp(match.session_start, UTC))
    who = f"{safe(match.user, 64)}@{safe(match.host, 255)}".ljust(28)
    return f"{first}  {when}  {who}  {count:,} {'match' if count == 1 else 'matches'}"


def plain_header() -> str:
    return "\t".join(_PLAIN)


def plain_line(row: Row) -> str:
    match = row.match
    values = (
        link(row, short=False),
        output.rfc3339(datetime.fromtimestamp(match.started, UTC)) or "",
        safe(match.user),
        safe(match.as_user or ""),
        safe(match.host),
        "" if match.exit_status is None else str(match.exit_status),
        safe(match.cwd or ""),
        "" if match.duration_s is None else f"{match.duration_s:.3f}",
        safe(match.text, _LONGEST),
    )
    return "\t".join(values)


def plain_session_header() -> str:
    return "\t".join(_PLAIN_SESSION)


def plain_session_line(row: Row, count: int) -> str:
    match = row.match
    start = output.rfc3339(datetime.fromtimestamp(match.session_start, UTC)) or ""
    return "\t".join((link(row, short=False), start, safe(match.user), safe(match.host), str(count)))


def _session_facts(row: Row) -> dict[str, Any]:
    match = row.match
    return {
        "id": match.session,
        "link": f"sealcast://{link(row, short=False)}",
        "user": match.user,
        "host": match.host,
        "start": output.rfc3339(datetime.fromtimestamp(match.session_start, UTC)),
        "live": bool(match.live),
    }


def session_item(row: Row, count: int) -> dict[str, Any]:
    """A session for programs; the link leads to its first match."""
    return _session_facts(row) | {"matches": count}


def item(row: Row) -> dict[str, Any]:
    """A match for programs."""
    match = row.match
    return _session_facts(row) | {
        "t_s": round(row.moment_s, 6),
        "started": output.rfc3339(datetime.fromtimestamp(match.started, UTC)),
        "start_s": match.start_s,
        "duration_s": match.duration_s,
        "as": match.as_user,
        "cwd": match.cwd,
        "level": match.level,
        "exit_status": match.exit_status,
        "text": None if match.is_aside else match.text,
        "output": [{"t_s": line.time, "text": line.text} for line in row.lines],
    }
