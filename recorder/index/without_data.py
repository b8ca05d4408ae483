"""What a query asks for that this index cannot have an answer to: an empty list is no finding then."""

import sqlite3

from recorder.index.query import Query
from recorder.index.query_tree import tests

_KINDS = {
    "alerts": (
        frozenset({"alert_severity", "alert_rule"}),
        "no rule has looked at any session yet, so alert: finds none",
    ),
    "notes": (
        frozenset({"note", "author", "tag"}),
        "nobody has written a note yet, so note:, tag: and by: find none",
    ),
}


def without_data(connection: sqlite3.Connection, query: Query) -> list[str]:
    """What is to be said of such terms, for a person."""
    asked = {
        key
        for test in tests(query.root)
        for condition in (*(test.session or ()), *(test.command or ()))
        for key in condition.keys
    }
    return [
        text
        for table, (keys, text) in _KINDS.items()
        if asked & keys and connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is None  # noqa: S608  names of our own
    ]
