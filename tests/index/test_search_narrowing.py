"""What a search does not look at: sessions and commands that cannot be found. The answers stay the same."""

import sqlite3
from dataclasses import replace
from datetime import timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.index import search as search_module
from recorder.index.predicates import BeginsWord
from recorder.index.query import Scope, parse
from recorder.index.search import Search
from tests.index.searching import ALICE, BOB, STORE, fitting, found, in_memory, states
from tests.index.sessions import NOW, Ran
from tests.index.stores import index_of


def test_the_newest_of_many_candidates_come_without_the_others_being_put_in_order() -> None:
    """Sessions are indexed in any order, and their commands as they come."""
    begun = [NOW - timedelta(minutes=n * 7919 % 300) for n in range(300)]
    many = [
        (
            replace(ALICE, id=f"20260901T{n:06}-k7f3q9xw", start=start),
            [Ran(f"cmd{n % 2}word", started=start), Ran("ls", started=start), Ran("cmd0word", started=start)],
        )
        for n, start in enumerate(begun)
    ]
    connection = index_of(many)
    expected = in_memory(many, "cmd0word")[1]
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_module, "MANY", 100)
        matches = Search(connection, parse("cmd0word", NOW, scope=Scope.MOMENTS), states).matches()
        first = [(match.session, match.ordinal) for match in islice(matches, 20)]
        del matches  # a connection serves one search
        assert first == expected[:20]
        assert not any(said.lstrip().startswith("SELECT c0.id FROM stretches") for said in statements)
        assert found(connection, "cmd0word") == expected
        patch.setattr(search_module, "NEWEST_HANDFULS", 2)
        assert found(connection, "cmd0word") == expected
    connection.close()


@pytest.mark.parametrize(
    "facts", ["user:bob", "host:db*", "-user:alice", "(user:bob OR user:carol)", "before:-12h", "exit:2"]
)
@pytest.mark.parametrize("sought", ["out:/[e]rror/", "out:/[x]yzzy/", "out:e"])
def test_output_is_read_only_of_sessions_whose_facts_fit(
    index: sqlite3.Connection, facts: str, sought: str
) -> None:
    index.execute("UPDATE output_blocks SET data = x'00' WHERE session = 1")
    text = f"{facts} {sought}"
    assert found(index, text) == in_memory(STORE, text)[1]


def test_sessions_without_the_pattern_are_not_asked_command_by_command(index: sqlite3.Connection) -> None:
    """A statement over commands is run for those sessions alone that hold the pattern as a whole."""
    for text, sessions in (
        ("cmd:/m.ke/", [BOB.id]),
        ("out:/f.tal/", [ALICE.id]),
        ("/f.tal/", [ALICE.id]),
        ("/m.ke/ user:alice", []),
        ("/m.ke/ AND /starting$/", []),
        ("/cat.app/ AND /starting$/", [ALICE.id]),
        ("/cat.app/ OR /starting$/", [ALICE.id]),
    ):
        statements: list[str] = []
        index.set_trace_callback(statements.append)
        matches = {session for session, _ in found(index, text)}
        index.set_trace_callback(None)
        asked = [said for said in statements if said.lstrip().startswith("SELECT s.id, s.user")]
        assert matches == set(sessions), text
        assert bool(asked) == bool(sessions), text
        assert fitting(index, text) == sessions


def test_sessions_that_fit_by_themselves_are_found_beside_those_with_the_pattern() -> None:
    """More than are looked at to find out whether that is of use."""
    many = [
        (
            replace(
                ALICE,
                id=f"20260901T{n:06}-k7f3q9xw",
                start=NOW - timedelta(minutes=n),
                title="needle" if n % 50 == 7 else None,
            ),
            [Ran("needle" if n % 40 == 3 else "vi", output=["a needle"] if n % 30 == 5 else ["error"])],
        )
        for n in range(300)
    ]
    connection = index_of(many)
    for text in (
        "/ne.dle/",
        "/ne.dle/ cmd:/n.e/",
        "/ne.dle/ OR title:needle",
        "cmd:/ne.dle/ OR out:/ne.dle/",
        "-/ne.dle/",
        "/v.|ne.d/",
        "cmd:/v[i]/ -out:/ne.dle/",
    ):
        assert (fitting(connection, text), found(connection, text)) == in_memory(many, text), text
    connection.close()


def test_what_is_sought_in_sessions_of_candidates_comes_by_handfuls_the_newest_first() -> None:
    many = [
        (
            replace(ALICE, id=f"20260901T{n:06}-k7f3q9xw", start=NOW - timedelta(minutes=n * 7919 % 300)),
            [Ran("needle"), Ran("vi", output=["error"])],
        )
        for n in range(300)
    ]
    connection = index_of(many)
    expected = in_memory(many, "cmd:needle AND cmd:/v[i]/")[1]
    search = Search(connection, parse("cmd:needle AND cmd:/v[i]/", NOW, scope=Scope.MOMENTS), states)
    matches = search.matches()
    assert [(match.session, match.ordinal) for match in islice(matches, 2)] == expected[:2]
    assert (search.searched, search.is_narrow) == (0, True)
    assert [(match.session, match.ordinal) for match in matches] == expected[2:]
    assert search.searched == search.total
    connection.close()


def test_a_beginning_that_is_everywhere_does_not_narrow_and_finds_the_same() -> None:
    many = [
        (
            replace(ALICE, id=f"20260901T{n:06}-k7f3q9xw", start=NOW - timedelta(minutes=n)),
            [Ran("make", output=["err error errors erratic", f"word{n}"])],
        )
        for n in range(40)
    ]
    connection = index_of(many)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_module, "SELECTIVE_PIECES", 30)
        for text in ("out:err", "out:word", "out:word7", "out:err,word7", 'out:"erratic"', "out:word7 err"):
            assert found(connection, text) == in_memory(many, text)[1]
    connection.close()


@given(
    st.text(alphabet="aAéÉſ\u0301日-_ 1", min_size=1, max_size=3),
    st.lists(st.text(alphabet="aAéÉſ\u0301日-_ 1\U0001e900", max_size=8), min_size=1, max_size=4),
    st.booleans(),
)
def test_bytes_say_of_parts_of_a_text_what_the_parts_say(word: str, lines: list[str], exact: bool) -> None:
    predicate = BeginsWord(word if exact else word.lower(), exact)
    data = "".join(f"{line}\n" for line in lines).encode()
    stands_in = predicate.reader_of(data)
    if stands_in is None:
        assert not exact
        assert not word.isascii()
        return
    start = 0
    for line in lines:
        end = start + len(line.encode()) + 1
        assert stands_in(start, end) == predicate.holds(line)
        start = end
    assert stands_in(0, len(data)) == predicate.holds("\n".join(lines))
