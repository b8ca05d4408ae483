"""What the index holds, and what of the store it does not hold yet."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from recorder.index.changes import Comparison, Kind
from recorder.index.database import NAME, damage_told, is_written, open_index
from recorder.index.facts import read_facts
from recorder.safe_text import safe
from recorder.store.layout import Store


@dataclass(frozen=True, slots=True)
class Broken:
    """A recording that could not be read to its end."""

    id: str
    file: str | None
    reason: str


@dataclass(slots=True)
class Status:
    """Counts of sessions, but for what says otherwise."""

    path: Path
    size_bytes: int
    built_at: float | None
    has_output: bool
    sessions: int
    commands: int
    text_bytes: int
    """Of the output that is indexed, as text."""
    broken: list[Broken]
    written: bool
    """A process is writing it now."""
    live: int = 0
    """Being recorded now: indexed as far as they were when they were looked at."""
    missing: int = 0
    changed: int = 0
    gone: int = 0
    """In the index, and not in the store any more."""

    def count(self, kind: Kind) -> None:
        """One more session that the index does not hold as it is."""
        match kind:
            case Kind.LIVE:
                self.live += 1
            case Kind.NEW:
                self.missing += 1
            case Kind.CHANGED:
                self.changed += 1
            case Kind.GONE:
                self.gone += 1

    @property
    def stale(self) -> bool:
        """Something ended that the index does not hold as it is."""
        return bool(self.missing or self.changed or self.gone)


def status_of(store: Store) -> Status:
    """Compares the index with the log and the files. `SealcastError` where there is no index to be read."""
    path = store.root / NAME
    with closing(open_index(path)) as connection, damage_told():
        status = _counts(connection, store)
    for change in Comparison(store, path, with_output=status.has_output).changes():
        status.count(change.kind)
    return status


def _counts(connection: sqlite3.Connection, store: Store) -> Status:
    facts = read_facts(connection)
    sessions, commands = connection.execute(
        "SELECT count(*), coalesce(sum(command_count), 0) FROM sessions"
    ).fetchone()
    (text,) = connection.execute("SELECT coalesce(sum(size), 0) FROM output_blocks").fetchone()
    broken = connection.execute("SELECT id, file, reason FROM broken ORDER BY id").fetchall()
    path = store.root / NAME
    return Status(
        path=path,
        size_bytes=path.stat().st_size,
        built_at=facts.built_at,
        has_output=facts.has_output,
        sessions=sessions,
        commands=commands,
        text_bytes=text,
        broken=[Broken(*row) for row in broken],
        written=is_written(store.root),
    )


def described(broken: Broken) -> str:
    """One line for a person."""
    return f"{safe(broken.id)}: {safe(broken.reason)}"
