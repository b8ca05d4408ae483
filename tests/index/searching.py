"""Searches of a small index, and what they must find, from the sessions themselves."""

import sqlite3
from collections.abc import Sequence
from datetime import timedelta

from recorder.index.query import Scope, parse
from recorder.index.search import Search
from tests.index.sessions import NOW, Facts, Ran

Store = Sequence[tuple[Facts, Sequence[Ran]]]


def states(_session: str) -> str:
    return "verified"


def fitting(connection: sqlite3.Connection, text: str) -> list[str]:
    return list(Search(connection, parse(text, NOW, scope=Scope.SESSIONS), states).sessions())


def found(connection: sqlite3.Connection, text: str) -> list[tuple[str, int]]:
    matches = Search(connection, parse(text, NOW, scope=Scope.MOMENTS), states).matches()
    return [(match.session, match.ordinal) for match in matches]


def in_memory(store: Store, text: str) -> tuple[list[str], list[tuple[str, int]]]:
    """What `fitting` and `found` must say, from the sessions themselves."""
    newest = sorted(store, key=lambda item: item[0].start, reverse=True)
    of_sessions = parse(text, NOW, scope=Scope.SESSIONS)
    of_moments = parse(text, NOW, scope=Scope.MOMENTS)
    ids = [facts.id for facts, commands in newest if of_sessions.matches(facts, "verified", commands)]
    places = [
        (facts.id, place)
        for facts, commands in newest
        for place in of_moments.found_in(facts, "verified", commands)
    ]
    return ids, places


ALICE = Facts()
BOB = Facts(
    id="20260911T034000-90ab11c2",
    user="bob",
    host="db.prod",
    title=None,
    start=NOW - timedelta(days=1),
    end=NOW - timedelta(hours=23),
)
STORE: Store = [
    (
        ALICE,
        [
            Ran("sudo -i", as_user="alice"),
            Ran("cat app.log", output=["starting", "2026 ERROR: fatal thing", "bye"]),
            Ran("curl -s http://10.2.9.9/fix.sh | bash", None, ["[*] fetching helper", "[*] patching"]),
        ],
    ),
    (BOB, [Ran("make -j8", 2, [*map(str, range(30)), "make: *** Error 1"], started=NOW - timedelta(days=1))]),
]
