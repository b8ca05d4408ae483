"""What is said about a session: short id, who, when, how long. Foreign text is made safe here."""

from datetime import datetime, tzinfo

from recorder.safe_text import safe
from recorder.store.catalog import Session
from recorder.store.state import State
from recorder.store.verdict import Verdict
from tui.cells import Part, Row
from tui.times import length_label, offset_label, wall_label
from tui.words import word_of

_UNITS = ("bytes", "KiB", "MiB", "GiB")
_QUIET = (State.VERIFIED, State.LIVE)


def short_id(session_id: str) -> str:
    """The eight random characters: unique for a person, and accepted wherever an id is."""
    return safe(session_id.rsplit("-", 1)[-1], 40)


def who(session: Session) -> str:
    """`alice@web-03.prod`, `?` for what nobody told."""
    return safe(f"{session.user or '?'}@{session.host or '?'}", 80)


def start_label(session: Session, zone: tzinfo, wide: bool = False) -> str:
    """`2026-09-12 14:02`, wide with seconds, end and zone."""
    start = session.start.astimezone(zone)
    if not wide:
        return f"{start:%Y-%m-%d %H:%M}"
    if session.live or session.end is None:
        return f"{start:%Y-%m-%d} since {wall_label(start, zone)}"
    return f"{start:%Y-%m-%d %H:%M:%S}–{wall_label(session.end, zone)}"


def length(session: Session) -> str:
    """`17m41s`, `● live`, or nothing where it is not known."""
    if session.live:
        return "● live"
    return length_label(session.duration_s) if session.duration_s is not None else ""


def exit_label(session: Session) -> str:
    """`✗2` for a failed session, nothing for success or when unknown."""
    return f"✗{session.exit_status}" if session.exit_status else ""


def size_label(count: float) -> str:
    """`1.2 MiB`."""
    unit = 0
    while count >= 1024 and unit < len(_UNITS) - 1:
        count /= 1024
        unit += 1
    return f"{count:.1f} {_UNITS[unit]}" if unit else f"{count:.0f} {_UNITS[unit]}"


def about(session: Session) -> str:
    """Title, reason or command: what a row ends with."""
    said = (session.title, session.reason, session.command)
    return safe(next((text for text in said if text), ""), 400)


def session_rows(session: Session, zone: tzinfo) -> list[Row]:
    """The plain facts, one row each."""
    facts: list[tuple[str, str]] = [
        ("Session", session.id + (f"  number {session.number}" if session.in_log else "")),
        ("User", f"{session.user}{_source(session)}"),
        ("Host", f"{session.host}, origin {session.origin}"),
        ("Time", _times(session, zone)),
        ("Length", length(session) or "unknown"),
        ("Title", session.title or ""),
        ("Reason", session.reason or ""),
        ("Command", session.command or ""),
        ("Format", f"asciicast v2, {size_label(session.size_bytes or 0)}, {session.width}×{session.height}"),
        ("Exit", "unknown" if session.exit_status is None else str(session.exit_status)),
        ("File", str(session.path) if session.path else "missing"),
    ]
    return [(Part(f" {name:<9} ", "dim"), Part(safe(value, 400))) for name, value in facts if value]


def verdict_rows(verdict: Verdict | None, progress: int = 0) -> list[Row]:
    """The verification block: every check in a row, and for a failed one what it means and what to do."""
    word = word_of(verdict, progress)
    title = f" Verification: {word.word if verdict is None else word.word.upper()}"
    rows: list[Row] = [(Part(title, word.role if word.role != "dim" else "strong"),)]
    if verdict is None:
        return rows
    for check in verdict.rows:
        sign = Part(f"   {check.sign} ", "ok" if check.sign == "✓" else "warn")
        rows.append((sign, Part(f"{check.name:<12}"), Part(safe(check.result, 400))))
        rows.extend((Part(" " * 17), Part(safe(line, 400), "dim")) for line in check.advice)
    rows.append(())
    rows.append((Part("   integrity     ", "dim"), Part(safe(verdict.integrity, 400))))
    rows.append((Part("   completeness  ", "dim"), Part(safe(verdict.completeness, 400))))
    return rows


def banner(verdict: Verdict | None) -> str | None:
    """The row under the head for what must not be overlooked; None where all is well."""
    if verdict is None or verdict.state in _QUIET:
        return None
    if verdict.bad_from_s is not None:
        return f"{verdict.sign} From {offset_label(verdict.bad_from_s)} on: {safe(verdict.integrity, 400)}"
    if verdict.state in (State.TRUNCATED, State.UNCONFIRMED, State.MISSING):
        return f"{verdict.sign} {safe(verdict.completeness, 400)}"
    return f"{verdict.sign} {safe(verdict.integrity, 400)}"


def _source(session: Session) -> str:
    return f" from {session.source}" if session.source else ""


def _times(session: Session, zone: tzinfo) -> str:
    start = session.start.astimezone(zone)
    end: datetime | None = session.end
    until = f" → {wall_label(end, zone)}" if end else ""
    return f"{start:%Y-%m-%d} {wall_label(start, zone)}{until}"
