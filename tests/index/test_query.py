"""The query language against sessions written out by hand."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.errors import ExitCode
from recorder.index.query import QueryError, Scope, looks_like_query, parse
from recorder.index.terms import FIELDS
from tests.index.sessions import NOW, Facts

ALICE = Facts()
LIVE = Facts(user="bob", live=True, end=None, duration_s=None, exit_status=None, title=None, reason=None)


def fits(text: str, session: Facts = ALICE, state: str | None = None) -> bool:
    return parse(text, NOW).matches(session, state)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "alice",
        "upgrade",
        "inc-47",
        "INC-47",
        "web-*",
        "10.9.1.22",
        "k7f3",
        '"Web upgrade"',
        "user:alice",
        "user:bob,alice",
        "user:al*",
        "host:web-03",
        "host:web-03.prod",
        "host:web-??.prod",
        "id:k7f3q9xw",
        "id:k7f3",
        "id:K7F3",
        "id:9xw",
        "id:20260912t14",
        "id:20260912T14",
        "from:10.9.0.0/16",
        "from:10.9.1.22",
        'title:"web up"',
        "reason:INC*",
        "exit:0",
        "exit:<1",
        "exit:0..3",
        "exit:7,0",
        "len:>17m",
        "len:10m..1h",
        "len:..18m",
        "after:2026-09-12",
        "after:-2h",
        "after:14:00",
        "before:now",
        "before:2026-09-13T00:00Z",
        "on:today",
        "on:saturday",
        "on:2026-09-01..2026-09-12",
        "at:14:10",
        "at:14:15..16:00",
        "at:2026-09-12T14:19..15:00",
        "is:ssh",
        "is:ended,live",
        "live:no",
        "-user:bob",
        "!user:bob",
        "--alice",
        "!(user:bob OR user:carol)",
        "user:bob OR host:web-03 exit:0",
        "(user:bob OR user:alice) AND exit:0",
        "alice AND upgrade",
        "USER:alice",
    ],
)
def test_matches(text: str) -> None:
    assert fits(text)


@pytest.mark.parametrize(
    "text",
    [
        "mallory",
        "Alice",
        "WEB",
        "user:al",
        "host:web",
        "host:web-03.pro",
        "id:f3q9",
        "from:10.8.0.0/16",
        "from:fe80::/10",
        "exit:!=0",
        "exit:?",
        "exit:1..255",
        "len:<17m",
        "after:2026-09-13",
        "after:-30m",
        "before:2026-09-12",
        "on:yesterday",
        "at:14:30",
        "is:live",
        "is:local",
        "live:yes",
        "-alice",
        "alice -upgrade",
        "user:bob OR host:web-04 exit:0",
        "(user:alice OR user:bob) host:db",
        "run:psql",
    ],
)
def test_does_not_match(text: str) -> None:
    assert not fits(text)


def test_unknown_length_and_status_of_a_live_session() -> None:
    assert fits("exit:? is:live", LIVE)
    assert fits("at:now", LIVE)
    assert not fits("len:>0s", LIVE)
    assert not fits("exit:!=0", LIVE)


def test_check_state_is_open_until_known() -> None:
    query = parse("user:alice -check:bad", NOW)
    assert query.needs_check
    assert query.may_match(ALICE)
    assert not query.may_match(LIVE)
    assert not query.matches(ALICE)
    assert query.matches(ALICE, "verified")
    assert not query.matches(ALICE, "bad")


@pytest.mark.parametrize(
    ("text", "state", "expected"),
    [
        ("check:ok", "verified", True),
        ("check:!ok", "verified", False),
        ("check:!ok", "truncated", True),
        ("state:unknown", "unknown key", True),
        ("check:bad,missing", "missing", True),
        ("check:live", "partial", True),
    ],
)
def test_check_states(text: str, state: str, expected: bool) -> None:
    assert fits(text, ALICE, state) is expected


def test_times_are_echoed_as_understood() -> None:
    assert parse("after:-7d user:x", NOW).echo == ("after 2026-09-05 15:00 UTC",)
    assert parse("on:yesterday", NOW).echo == ("started 2026-09-11 00:00 UTC to 2026-09-12 00:00 UTC",)


def test_days_are_those_of_the_zone() -> None:
    tokyo = timezone(timedelta(hours=9), "JST")
    late = Facts(start=datetime(2026, 9, 12, 15, 30, tzinfo=UTC))
    assert parse("on:2026-09-13", NOW, tokyo).matches(late)
    assert not parse("on:2026-09-13", NOW).matches(late)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("usr:alice", 'query: no field "usr" (at 1). Did you mean user:alice?'),
        ("x usr:alice", 'query: no field "usr" (at 3). Did you mean user:alice?'),
        ("qqqq://x", 'query: no field "qqqq" (at 1). As plain text: "qqqq://x"'),
        ("after:-7x", 'query: after:-7x: unknown unit "x" (at 7). Use ms, s, m, h, d, w'),
        (
            "after:2026-02-30",
            'query: after:2026-02-30: "2026-02-30" is not a date or time that exists (at 7)',
        ),
        ("on:25:00", 'query: on:25:00: "25:00" is not a date or time that exists (at 4)'),
        ("user:", "query: user: needs a value (at 1). For example user:alice,bob"),
        ('a "b', "query: the quote is not closed (at 3)"),
        ("(a", 'query: "(" is not closed (at 1)'),
        ("a)", 'query: ")" without "(" (at 2)'),
        ("a OR", "query: a term is missing (at 5)"),
        ("OR a", "query: a term is missing (at 1). To find the word itself, put it in quotes"),
        ("a NOT b", 'query: "NOT" is no operator (at 3). Write -x for not x, or "NOT" in quotes'),
        ("/curl(/", "query: /curl(/: unclosed group at 5 (at 1)"),
        ("a reason:/x[/", "query: reason:/x[/: unclosed set at 2 (at 10)"),
        ("/(?=x)/", "query: /(?=x)/: looking ahead or behind is not supported at 1 (at 1)"),
        (
            "title:-rf",
            'query: title:-rf: a value that starts with "-" needs quotes (at 7). Write "-rf"',
        ),
        ("exit:256", 'query: exit:256: "256" is not an exit status from 0 to 255 (at 6)'),
        ("exit:!=0,2", 'query: exit:!=0,2: "!=" is for one exit status (at 6). Write exit:!=0 exit:!=2'),
        ("exit:5..1", "query: exit:5..1: the range ends before it starts (at 6). Write 1..5"),
        ("took:1m..9s", "query: took:1m..9s: the range ends before it starts (at 6). Write 9s..1m"),
        ("check:/ok/", "query: check:/ok/: check: takes no pattern (at 7). For example check:bad"),
        ("at:/x/", "query: at:/x/: at: takes no pattern (at 4). For example at:14:00"),
        ("http://x/y", 'query: no field "http" (at 1). As plain text: "http://x/y"'),
        ("exit:..", 'query: exit:..: ".." needs a value on one side (at 6)'),
        ("len:1h", "query: len:1h: a length needs a comparison or a range (at 5). For example >1h or ..1h"),
        (
            "from:10.9.0.0/99",
            'query: from:10.9.0.0/99: "10.9.0.0/99" is not a network such as 10.9.0.0/16 (at 6)',
        ),
        (
            "is:red",
            'query: is:red: no flag "red" (at 4). Use live, ended, local, ssh, failed, root, nocommands',
        ),
        (
            "a (b AND c) THEN d",
            "query: THEN puts single commands in order (at 1). Take AND out of its parentheses",
        ),
        (
            "x cmd:rm",
            "query: cmd:rm asks about commands, which are not looked at here (at 3). "
            "sealcast ls and sealcast search look at them",
        ),
        ("live:maybe", 'query: live:maybe: "maybe" is neither yes nor no (at 6)'),
    ],
)
def test_errors_say_where_and_what_was_meant(text: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text, NOW)
    assert caught.value.message == message
    assert caught.value.code == ExitCode.USAGE


def test_fields_of_later_versions_are_named_as_such() -> None:
    with pytest.raises(
        QueryError, match=r'field "review" is not available yet \(at 1\)\. There are: active, after'
    ):
        parse("review:open")


def test_depth_and_length_are_bounded() -> None:
    with pytest.raises(QueryError, match="nest deeper"):
        parse("(" * 2000)
    with pytest.raises(QueryError, match="longer than"):
        parse("x" * 5000)
    assert parse("-" * 4000 + "x").matches(ALICE)


def test_control_bytes_do_not_reach_the_message() -> None:
    with pytest.raises(QueryError) as caught:
        parse("us\x1b]0;x\x07er:x \x1b[2J:y is:\x1b[2J", NOW)
    assert "\x1b" not in caught.value.message


def test_many_stars_take_no_time() -> None:
    assert not fits("*a*" * 40 + "b", Facts(title="a" * 3000))


@pytest.mark.parametrize("name", FIELDS)
def test_the_examples_of_every_field_are_queries(name: str) -> None:
    for example in FIELDS[name].examples:
        parse(example, NOW, scope=Scope.SESSIONS)


def test_first_words_that_are_queries() -> None:
    assert looks_like_query("user:alice")
    assert looks_like_query("/text")
    assert not looks_like_query("paly")


@given(st.text(alphabet='ab:-!"\\/().,<>=* ORANDNT2\x1b', max_size=40))
def test_any_text_is_a_query_or_a_query_error(text: str) -> None:
    position = 1
    try:
        parse(text, NOW).matches(ALICE)
    except QueryError as error:
        position = error.position
    assert 1 <= position <= len(text) + 1
