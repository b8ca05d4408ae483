"""Queries over an index: the same answers as in memory, streamed, counted, stopped."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recorder.errors import FormatError
from recorder.index import compile_predicates, query_tree
from recorder.index import search as search_module
from recorder.index.compile_predicates import MOST_SQL, Sql, joined
from recorder.index.query import QueryError, Scope, parse
from recorder.index.query_tree import TooDeepError
from recorder.index.search import Search, SearchStoppedError
from tests.index.searching import ALICE, BOB, STORE, Store, fitting, found, in_memory, states
from tests.index.sessions import NOW, Facts, Ran
from tests.index.stores import index_of

WORDS = [
    "ls",
    "kubectl",
    "Kube",
    "rm -rf",
    "fatal",
    "Fatal error",
    "é",
    "É",
    "日本",
    "a_b",
    "x",
    "ſ",
    "K",
    "'\"",
]
words = st.sampled_from(WORDS)
texts = st.lists(words, max_size=3).map(" ".join)
rans = st.builds(
    Ran,
    text=texts,
    exit_status=st.sampled_from([None, 0, 1, 127]),
    output=st.lists(texts, max_size=2).map(tuple),
    cwd=st.sampled_from([None, "/etc", "/root"]),
    duration_s=st.sampled_from([None, 0.5, 40.0]),
    as_user=st.sampled_from([None, "root", "alice"]),
    started=st.integers(0, 5).map(lambda hours: NOW - timedelta(hours=hours)),
)
asides = st.builds(
    Ran,
    text=st.just(""),
    exit_status=st.none(),
    output=st.lists(texts, min_size=1, max_size=2).map(tuple),
    duration_s=st.none(),
    started=st.integers(0, 5).map(lambda hours: NOW - timedelta(hours=hours)),
    is_aside=st.just(True),
)
many_facts = st.builds(
    Facts,
    user=st.sampled_from(["alice", "root"]),
    host=st.sampled_from(["web-1.prod", "db"]),
    live=st.booleans(),
    title=st.sampled_from([None, "fatal", "Kubectl"]),
    exit_status=st.sampled_from([None, 0, 1]),
    source=st.sampled_from([None, "10.0.0.1"]),
    duration_s=st.sampled_from([None, 10.0]),
)
stores = st.lists(st.tuples(many_facts, st.lists(st.one_of(rans, rans, asides), max_size=4)), max_size=4).map(
    lambda items: [
        (replace(facts, id=f"20260912T14021{n}-k7f3q9x{n}", start=NOW - timedelta(hours=n)), commands)
        for n, (facts, commands) in enumerate(items)
    ]
)
quoted = words.map(lambda word: '"' + word.replace('"', '\\"') + '"')
terms = st.one_of(
    quoted,
    quoted.map(lambda word: f"cmd:{word}"),
    quoted.map(lambda word: f"out:{word}"),
    st.sampled_from(
        [
            "kub",
            "cmd:kub*",
            "cmd:l?",
            "/fatal|kubectl/",
            "cmd:/^(ls|rm)/",
            "out:/fatal .*/",
            "/[Kk]ube/",
            "/k/",
            "/s/",
            "exit:0",
            "exit:!=0",
            "exit:?",
            "exit:1..",
            "cwd:/e*",
            "took:>1s",
            "took:..1s",
            "as:root",
            "as:!root",
            "user:alice",
            "user:!alice",
            "host:web-1",
            "host:!=web-1",
            "from:10.0.0.0/8",
            "title:kub",
            "after:-150m",
            "on:today",
            "at:-1h..",
            "len:>1s",
            "is:live",
            "is:root,live",
            "is:nocommands",
            "id:20260912",
            "id:k7f3",
            "check:ok",
        ]
    ),
)
negatable = st.tuples(st.sampled_from(["", "", "-", "!"]), terms).map("".join)
queries = st.recursive(
    negatable,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(" ".join),
        st.tuples(inner, st.sampled_from([" AND ", " OR ", " THEN "]), inner).map("".join),
        st.tuples(st.sampled_from(["(", "-("]), inner).map(lambda parts: f"{parts[0]}{parts[1]})"),
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stores, queries, st.sampled_from([20_000, 0]), st.sampled_from([(1_000, 7), (0, 7), (0, 0)]))
def test_sql_says_what_memory_says(
    store: Store, text: str, selective: int, ordering: tuple[int, int]
) -> None:
    try:
        expected = in_memory(store, text)
    except QueryError:
        return
    connection = index_of(store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_module, "SELECTIVE", selective)
        patch.setattr(search_module, "SELECTIVE_PIECES", selective)
        patch.setattr(search_module, "MANY", ordering[0])
        patch.setattr(search_module, "NEWEST_HANDFULS", ordering[1])
        with suppress(QueryError):  # nested too deeply for SQLite
            assert (fitting(connection, text), found(connection, text)) == expected
    connection.close()


def test_matches_come_with_their_lines_and_moments(index: sqlite3.Connection) -> None:
    search = Search(index, parse("out:error", NOW, scope=Scope.MOMENTS), states)
    first, second = search.matches()
    assert (first.session, first.text, second.text) == (ALICE.id, "cat app.log", "make -j8")
    assert search.matching_lines(first) == [(first.start_s + 1.5, "2026 ERROR: fatal thing")]
    assert [line.text for line in search.lines_around(first, 1)] == [
        "starting",
        "2026 ERROR: fatal thing",
        "bye",
    ]
    assert [line.text for line in search.lines_around(second, 2)] == ["28", "29", "make: *** Error 1"]
    assert (search.searched, search.total) == (2, 2)


def test_what_is_found_by_its_output_alone_is_opened_there(index: sqlite3.Connection) -> None:
    for text, offset in (
        ("fatal", 1.5),
        ("cat", 0.0),
        ("cat out:fatal", 1.5),
        ("cmd:cat", 0.0),
        ("bye", 2.5),
    ):
        search = Search(index, parse(text, NOW, scope=Scope.MOMENTS), states)
        (match,) = search.matches()
        assert search.moment_s(match) - match.start_s == offset, text


def test_an_aside_is_opened_at_the_line_that_was_found() -> None:
    greeting = Ran("", None, ["Welcome", "You have mail"], duration_s=None, is_aside=True)
    connection = index_of([(ALICE, [greeting, Ran("ls")]), *STORE[1:]])
    for selective in (20_000, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(search_module, "SELECTIVE_PIECES", selective)
            search = Search(connection, parse("mail", NOW, scope=Scope.MOMENTS), states)
            (match,) = search.matches()
            assert (match.session, match.text, match.is_aside) == (ALICE.id, "", True)
            assert search.moment_s(match) - match.start_s == 1.5
            assert [line.text for line in search.matching_lines(match)] == ["You have mail"]
    connection.close()


def test_without_words_in_its_output_a_match_shows_the_first_lines(index: sqlite3.Connection) -> None:
    search = Search(index, parse("cmd:curl", NOW, scope=Scope.MOMENTS), states)
    (match,) = search.matches()
    assert search.matching_lines(match) == []
    assert [line.text for line in search.lines_around(match, 1)] == ["[*] fetching helper"]


def test_the_state_of_a_session_is_asked_for_only_where_the_rest_fits(index: sqlite3.Connection) -> None:
    asked: list[str] = []

    def state(session: str) -> str:
        asked.append(session)
        return "bad"

    query = parse("check:bad user:bob cmd:make", NOW, scope=Scope.MOMENTS)
    assert [match.text for match in Search(index, query, state).matches()] == ["make -j8"]
    assert asked == [BOB.id]


def test_a_search_that_takes_too_long_says_why(index: sqlite3.Connection) -> None:
    index.executemany(
        "INSERT INTO stretches (session, ordinal, start, started, text, level, evidence) "
        "VALUES (1, ?, 0, 0, ?, 0, 'screen')",
        ((n + 10, "x" * 2000) for n in range(20_000)),
    )
    for text, said in (
        ("/[a-z]+[0-9]q/", "/[a-z]+[0-9]q/: pattern too slow, add a plain word"),
        ("zz", "took too long"),
    ):
        search = Search(index, parse(text, NOW, scope=Scope.MOMENTS), states, lambda: True)
        with pytest.raises(SearchStoppedError, match=re.escape(said)):
            list(search.matches())


def test_the_lines_of_a_match_end_the_search_as_the_search_does_and_its_counts_do_not(
    index: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_module, "_STEPS", 1)
    over: list[bool] = []
    search = Search(index, parse("out:fatal", NOW, scope=Scope.MOMENTS), states, lambda: bool(over))
    match = next(search.matches())
    over.append(True)
    for lines in (search.matching_lines, search.moment_s, lambda match: search.lines_around(match, 1)):
        with pytest.raises(SearchStoppedError, match="took too long"):
            lines(match)
    assert 0 <= search.searched <= search.total
    assert search.without_output >= 0


def test_an_error_inside_a_function_of_sqlite_is_told_as_it_is(index: sqlite3.Connection) -> None:
    index.execute("UPDATE output_blocks SET data = x'00'")
    with pytest.raises(FormatError, match="damaged output, block 1"):
        list(Search(index, parse("out:fatal", NOW, scope=Scope.MOMENTS), states).matches())


@pytest.mark.parametrize(
    "value",
    [
        '"a"b"',
        "NEAR(a b)",
        "a* OR b",
        "x'; DROP TABLE commands;--",
        "col:x",
        "^a",
        "-",
        "a\0b",
        "\x1b[2J",
        "%_\\",
    ],
)
def test_hostile_values_are_data(index: sqlite3.Connection, value: str) -> None:
    quoted = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    index.execute("UPDATE stretches SET text = ? WHERE id = 1", (f"say {value} now",))
    index.execute("INSERT INTO commands_fts (commands_fts) VALUES ('rebuild')")
    index.commit()
    assert (ALICE.id, 0) in found(index, f"cmd:{quoted}")
    assert found(index, f"cmd:{quoted} exit:3") == []


def test_values_of_many_mebibytes(index: sqlite3.Connection) -> None:
    index.execute("UPDATE stretches SET text = ? WHERE id = 1", ("a" * (16 << 20) + "needle",))
    index.execute("INSERT INTO commands_fts (commands_fts) VALUES ('rebuild')")
    index.commit()
    assert found(index, "cmd:needle") == [(ALICE.id, 0)]
    assert found(index, "cmd:/(a+)+needle$/") == [(ALICE.id, 0)]
    assert found(index, "cmd:/(a+)+$/") == []


def test_many_sessions_are_gone_through_by_handfuls_the_newest_first() -> None:
    many = [
        (
            replace(ALICE, id=f"20260901T{n:06}-k7f3q9xw", start=NOW - timedelta(minutes=n)),
            [Ran("ls", started=NOW - timedelta(minutes=n))],
        )
        for n in range(700)
    ]
    connection = index_of(many)
    search = Search(connection, parse("ls", NOW, scope=Scope.MOMENTS), states)
    first = next(iter(search.matches()))
    assert (first.session, search.searched, search.total) == (many[0][0].id, 0, 700)
    assert len(found(connection, "ls")) == 700
    connection.close()


anything = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="ab:-!\"\\/().,<>=*?[]{}|^$+ \0\x1b\n\udcffORANDTHE2cmdoutexit'%_;é", max_size=60),
    st.lists(
        st.sampled_from(
            ["cmd:", "out:", "/", "(", ")", " ", "THEN ", "AND ", "-", '"', "a", "[", "{9}", ".."]
        )
    ).map("".join),
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(anything, st.sampled_from(list(Scope)))
def test_any_text_is_a_query_that_runs_or_a_query_error(
    index: sqlite3.Connection, text: str, scope: Scope
) -> None:
    refused = None
    try:
        query = parse(text, NOW, scope=scope)
    except QueryError as error:
        refused = error
    if refused is not None:
        assert 1 <= refused.position <= len(text) + 1
        assert not any(character < " " for character in refused.message)
        return
    if scope is Scope.FACTS:
        assert query.matches(ALICE) in (True, False)
        return
    search = Search(index, query, states)
    with suppress(QueryError):  # nested too deeply for SQLite
        assert len(list(search.matches() if scope is Scope.MOMENTS else search.sessions())) <= 4


@pytest.mark.parametrize(
    "text",
    [
        "cmd:" + ",".join(f"word{n}" for n in range(500)),
        "out:" + ",".join(f"word{n}" for n in range(500)),
        "user:" + ",".join(f"u{n}" for n in range(800)),
        " OR ".join(["cmd:abc exit:1"] * 100),
        " AND ".join(["cmd:abc"] * 60),
        " THEN ".join(["cmd:abc"] * 6),
        "zz (qq OR (yy AND cmd:c))",
        "cmd:" + "a" * 4000,
        "out:" + "a" * 4000,
    ],
)
def test_large_queries_run(index: sqlite3.Connection, text: str) -> None:
    assert found(index, text) == []
    assert fitting(index, text) == []


def nested(levels: int) -> str:
    return "zz (qq OR (yy AND " * levels + "cmd:c" + "))" * levels


@pytest.mark.parametrize("levels", range(2, 10))
@pytest.mark.parametrize("ask", [fitting, found])
def test_what_nests_too_deeply_is_one_clear_error(
    index: sqlite3.Connection, levels: int, ask: Callable[[sqlite3.Connection, str], object]
) -> None:
    """From six on its meaning would be too large, below that SQLite decides, by its version."""
    if levels < 6:
        with suppress(QueryError):
            assert ask(index, nested(levels)) == []
        return
    with pytest.raises(QueryError, match="nest too deeply"):
        ask(index, nested(levels))


@pytest.mark.parametrize("scope", [Scope.SESSIONS, Scope.MOMENTS])
def test_a_meaning_that_is_too_large_is_refused_when_it_is_read(
    scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(QueryError, match="nest too deeply"):
        parse(nested(9), NOW, scope=scope)
    monkeypatch.setattr(query_tree, "MOST_STEPS", 3)
    parse("cmd:a cmd:b", NOW, scope=scope)
    with pytest.raises(QueryError, match="nest too deeply"):
        parse("cmd:a cmd:b cmd:c", NOW, scope=scope)


def test_sql_that_would_be_too_long_is_not_made(index: sqlite3.Connection) -> None:
    parts = [Sql("a" * (MOST_SQL - 6)), Sql("b")]
    assert len(joined(parts, "AND").text) == MOST_SQL + 2
    with pytest.raises(TooDeepError):
        joined([*parts, Sql("c")], "AND")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compile_predicates, "MOST_SQL", 100)
        with pytest.raises(QueryError, match="nest too deeply"):
            fitting(index, "cmd:a cmd:b cmd:c")


def test_more_commands_in_order_than_six_are_refused() -> None:
    with pytest.raises(QueryError, match="more than 6 commands in order"):
        parse(" THEN ".join(["cmd:abc"] * 7), NOW, scope=Scope.MOMENTS)


def test_a_chain_takes_one_pass_however_many_commands_fit() -> None:
    commands = [Ran("ls") for _ in range(400)]
    connection = index_of([(ALICE, commands)])
    text = " THEN ".join(["cmd:ls"] * 5)
    assert found(connection, f"{text} THEN cmd:psql") == []
    assert fitting(connection, f"{text} THEN cmd:psql") == []
    assert len(found(connection, text)) == 400
    connection.close()
    query = parse(f"{text} THEN cmd:psql", NOW, scope=Scope.SESSIONS)
    assert not query.matches(ALICE, None, commands)
