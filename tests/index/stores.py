"""Small indexes made of sessions and commands written out by hand."""

import sqlite3
from collections.abc import Sequence

from recorder.index.blocks import BlockBuilder
from recorder.index.schema import MIGRATIONS
from tests.index.sessions import Facts, Ran


def index_of(sessions: Sequence[tuple[Facts, Sequence[Ran]]]) -> sqlite3.Connection:
    """An index in memory with these sessions."""
    connection = sqlite3.connect(":memory:")
    for migration in MIGRATIONS:
        connection.executescript(migration.statements)
    for key, (facts, commands) in enumerate(sessions, 1):
        _add_session(connection, key, facts, sum(not ran.is_aside for ran in commands))
        for ordinal, ran in enumerate(commands):
            _add_command(connection, key, ordinal, facts, ran)
    connection.execute("INSERT INTO commands_fts (commands_fts) VALUES ('rebuild')")
    connection.commit()
    return connection


def _insert(connection: sqlite3.Connection, table: str, row: dict[str, object]) -> int:
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    done = connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))
    return done.lastrowid or 0


def _add_session(connection: sqlite3.Connection, key: int, facts: Facts, commands: int) -> None:
    row: dict[str, object] = {
        "key": key,
        "id": facts.id,
        "user": facts.user,
        "host": facts.host,
        "origin": facts.origin,
        "source_ip": facts.source,
        "title": facts.title,
        "reason": facts.reason,
        "command": facts.command,
        "started": facts.start.timestamp(),
        "ended": facts.end.timestamp() if facts.end else None,
        "duration": facts.duration_s,
        "columns": 80,
        "rows": 24,
        "state": "verified",
        "exit_status": facts.exit_status,
        "command_count": commands,
        "live": int(facts.live),
        "extractor": 1,
        "indexed_at": 0.0,
    }
    _insert(connection, "sessions", row)


def _add_command(connection: sqlite3.Connection, session: int, ordinal: int, facts: Facts, ran: Ran) -> None:
    start = ran.started.timestamp() - facts.start.timestamp()
    row: dict[str, object] = {
        "session": session,
        "ordinal": ordinal,
        "start": start,
        "duration": ran.duration_s,
        "started": ran.started.timestamp(),
        "text": None if ran.is_aside else ran.text,
        "exit_status": ran.exit_status,
        "cwd": ran.cwd,
        "level": 0,
        "as_user": ran.as_user,
        "evidence": "screen",
    }
    command = _insert(connection, "stretches", row)
    if ran.output:
        _add_output(connection, session, command, start, ran.output)


def _add_output(
    connection: sqlite3.Connection, session: int, command: int, start: float, lines: Sequence[str]
) -> None:
    builder = BlockBuilder()
    for place, line in enumerate(lines):
        builder.add(0, start + 0.5 + place, line)
    builder.flush()
    number = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM outputs").fetchone()[0]
    for block in builder.take():
        row: dict[str, object] = {
            "id": number,
            "session": session,
            "lines": block.lines,
            "size": len(block.text),
            "data": block.data,
            "times": block.times,
        }
        _insert(connection, "output_blocks", row)
        for piece in block.pieces:
            connection.execute("INSERT INTO outputs VALUES (?, ?, ?, ?)", (number, command, *piece[1:]))
            text = block.text[piece.start : piece.start + piece.size].decode()
            connection.execute("INSERT INTO outputs_fts (rowid, text) VALUES (?, ?)", (number, text))
            number += 1
