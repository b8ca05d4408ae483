"""A session as a row: the columns of `ls`, and the object that programs get."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from recorder.cli import output
from recorder.cli.settings import Settings
from recorder.errors import SealcastError
from recorder.safe_text import safe
from recorder.store.catalog import Session
from recorder.store.checking import Verdict


@dataclass(frozen=True, slots=True)
class Row:
    """A session and, where the query asked for it, its verdict."""

    session: Session
    verdict: Verdict | None = None

    @property
    def state(self) -> str | None:
        """The check state as far as it is known; a list does not verify unless asked."""
        if self.verdict is not None:
            return str(self.verdict.state)
        return str(self.session.state_hint) if self.session.state_hint else None


@dataclass(frozen=True, slots=True)
class Column:
    """`text` is for people, `plain` for programs (stable: ISO times, seconds, nothing cut)."""

    title: str
    text: Callable[[Row, Settings], str]
    plain: Callable[[Row], str]
    key: Callable[[Row], Any]
    right: bool = False


def _sign(row: Row, _settings: Settings) -> str:
    if row.verdict is not None:
        return row.verdict.state.sign
    return row.session.state_hint.sign if row.session.state_hint else " "


def _about(session: Session) -> str:
    return next((text for text in (session.title, session.reason, session.command) if text), "")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, int) else f"{value:.3f}"


def _length(row: Row, _settings: Settings) -> str:
    return "live" if row.session.live else output.length(row.session.duration_s)


def _text_column(title: str, get: Callable[[Session], str | None]) -> Column:
    def text(row: Row) -> str:
        return safe(get(row.session) or "")

    return Column(title, lambda row, _settings: text(row), text, lambda row: (get(row.session) or "").lower())


COLUMNS: dict[str, Column] = {
    "check": Column("", _sign, lambda row: row.state or "", lambda row: row.state or ""),
    "start": Column(
        "START",
        lambda row, settings: settings.stamp(row.session.start),
        lambda row: output.rfc3339(row.session.start) or "",
        lambda row: (row.session.start, row.session.number),
    ),
    "end": Column(
        "END",
        lambda row, settings: settings.stamp(row.session.end) if row.session.end else "",
        lambda row: output.rfc3339(row.session.end) or "",
        lambda row: row.session.end.timestamp() if row.session.end else 0.0,
    ),
    "user": _text_column("USER", lambda session: session.user),
    "host": _text_column("HOST", lambda session: session.host),
    "from": _text_column("FROM", lambda session: session.source),
    "length": Column(
        "LENGTH",
        _length,
        lambda row: _number(row.session.duration_s),
        lambda row: row.session.duration_s or 0.0,
        right=True,
    ),
    "exit": Column(
        "EXIT",
        lambda row, _settings: _number(row.session.exit_status),
        lambda row: _number(row.session.exit_status),
        lambda row: -1 if row.session.exit_status is None else row.session.exit_status,
        right=True,
    ),
    "size": Column(
        "SIZE",
        lambda row, _settings: "" if row.session.size_bytes is None else output.size(row.session.size_bytes),
        lambda row: _number(row.session.size_bytes),
        lambda row: row.session.size_bytes or 0,
        right=True,
    ),
    "number": Column(
        "NUMBER",
        lambda row, _settings: str(row.session.number or ""),
        lambda row: str(row.session.number or ""),
        lambda row: row.session.number,
        right=True,
    ),
    "id": _text_column("ID", lambda session: session.id),
    "title": _text_column("TITLE", lambda session: session.title),
    "reason": _text_column("REASON", lambda session: session.reason),
    "command": _text_column("COMMAND", lambda session: session.command),
    "about": _text_column("ABOUT", _about),
}


def columns_named(text: str) -> list[Column]:
    return [column_named(name) for name in text.split(",")]


def column_named(name: str) -> Column:
    name = {"len": "length"}.get(name, name)
    if name not in COLUMNS:
        raise SealcastError(f'no column "{safe(name, 40)}"', f"there are: {', '.join(COLUMNS)}")
    return COLUMNS[name]


def item(row: Row) -> dict[str, Any]:
    """One session for programs; `check.state` is null where nothing was verified and nothing is known."""
    session = row.session
    return {
        "id": session.id,
        "link": f"sealcast://{session.id}",
        "number": session.number or None,
        "user": session.user,
        "uid": session.uid,
        "host": session.host,
        "origin": session.origin,
        "from": session.source,
        "start": output.rfc3339(session.start),
        "end": output.rfc3339(session.end),
        "live": session.live,
        "duration_s": session.duration_s,
        "title": session.title,
        "reason": session.reason,
        "command": session.command,
        "exit_status": session.exit_status,
        "columns": session.width,
        "rows": session.height,
        "size_bytes": session.size_bytes,
        "path": str(session.path) if session.path else None,
        "check": {
            "state": row.state,
            "checked": row.verdict is not None,
            "verified_to_s": row.verdict.verified_to_s if row.verdict else None,
        },
    }
