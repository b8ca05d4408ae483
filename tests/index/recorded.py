"""Stores with recordings in them, and what stands in their index."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from recorder.index.database import NAME, open_index
from recorder.index.indexing import Outcome, Wish, build
from recorder.store.layout import Store
from recorder.store.sealing import seal_orphans
from tests.index.casts import session, show
from tests.store.recordings import Worker

BOTH = Wish(with_output=True, jobs=2)
ALONE = Wish(with_output=True)


def record(store: Store, commands: Iterable[tuple[str, str]]) -> str:
    """A finished session with these commands and what they wrote, sealed."""
    worker = Worker(store)
    show(worker, session(commands))
    worker.finish()
    worker.close()
    assert worker.id in [sealed.session_id for sealed in seal_orphans(store)]
    return worker.id


@contextmanager
def index_of(store: Store) -> Iterator[sqlite3.Connection]:
    connection = open_index(store.root / NAME)
    try:
        yield connection
    finally:
        connection.close()


def rows(store: Store, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    """What a query answers."""
    with index_of(store) as connection:
        return connection.execute(sql, parameters).fetchall()


def texts(store: Store) -> list[str]:
    """All commands, in order."""
    found = (
        "SELECT text FROM commands c JOIN sessions s ON s.key = c.session ORDER BY s.started, s.id, ordinal"
    )
    return [text for (text,) in rows(store, found)]


def build_alone(store: Store) -> Outcome:
    return build(store, ALONE)


def check_whole(store: Store) -> None:
    """The full-text indexes hold what the tables hold, and nothing else."""
    with index_of(store) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        pieces = connection.execute("SELECT count(*) FROM outputs").fetchone()
        words = "SELECT count(DISTINCT doc) FROM temp.words"
        connection.execute("CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, outputs_fts, instance)")
        assert connection.execute(words).fetchone() <= pieces
        orphans = "SELECT count(*) FROM temp.words WHERE doc NOT IN (SELECT id FROM outputs)"
        assert connection.execute(orphans).fetchone() == (0,)
        assert connection.execute(_STRAY_BLOCKS).fetchone() == (0,)
        assert connection.execute(_STRAY_PIECES).fetchone() == (0,)
    writable = sqlite3.connect(store.root / NAME)
    try:
        writable.execute("INSERT INTO commands_fts (commands_fts, rank) VALUES ('integrity-check', 1)")
    finally:
        writable.close()


_STRAY_PIECES = "SELECT count(*) FROM outputs WHERE stretch NOT IN (SELECT id FROM stretches)"
_STRAY_BLOCKS = "SELECT count(*) FROM output_blocks WHERE session NOT IN (SELECT key FROM sessions)"
