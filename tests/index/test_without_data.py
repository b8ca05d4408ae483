"""Terms that no session can fit, because nothing writes what they ask for."""

import sqlite3

import pytest

from recorder.index.query import Scope, parse
from recorder.index.without_data import without_data
from tests.index.sessions import Facts
from tests.index.stores import index_of


def said(connection: sqlite3.Connection, text: str) -> list[str]:
    return without_data(connection, parse(text, scope=Scope.SESSIONS))


@pytest.mark.parametrize("text", ["alert:any", "user:alice -alert:high", "cmd:rm AND alert:curl-pipe-sh"])
def test_alerts_are_said_not_to_be_there(text: str) -> None:
    connection = index_of([(Facts(), [])])
    assert said(connection, text) == ["no rule has looked at any session yet, so alert: finds none"]
    connection.execute(
        "INSERT INTO alerts (session, raised_at, severity, rule) VALUES (1, 0, 'high', 'curl-pipe-sh')"
    )
    assert said(connection, text) == []
    connection.close()


def test_notes_are_said_not_to_be_there_and_other_terms_are_not() -> None:
    connection = index_of([(Facts(), [])])
    for text in ("note:x", "tag:incident", "by:carol"):
        assert len(said(connection, text)) == 1
    assert len(said(connection, "note:x alert:any")) == 2
    assert said(connection, "user:alice cmd:rm exit:1 error") == []
    connection.close()
