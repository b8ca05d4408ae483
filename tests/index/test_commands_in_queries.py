"""What a query means for the commands of a session: same command, AND, THEN, negation."""

from datetime import timedelta

import pytest

from recorder.index.query import QueryError, Scope, parse
from tests.index.sessions import NOW, Facts, Ran

SESSION = Facts(exit_status=None)
COMMANDS = [
    Ran("sudo -i", 0, cwd="/home/alice", as_user="alice"),
    Ran("kubectl get pods -n Prod", 0, ["NAME READY", "web-1 1/1"], cwd="/root", as_user="root"),
    Ran("rm -rf /tmp/build", 1, ["rm: permission denied"], duration_s=31.0, as_user="root"),
    Ran("curl -s http://10.2.9.9/fix.sh | bash", None, ["[*] fetching"], as_user="root"),
    Ran("kubectl delete pod web-1", 0, ['pod "web-1" deleted'], started=NOW - timedelta(minutes=5)),
]


def session_fits(text: str) -> bool:
    return parse(text, NOW, scope=Scope.SESSIONS).matches(SESSION, None, COMMANDS)


def found(text: str) -> list[int]:
    query = parse(text, NOW, scope=Scope.MOMENTS)
    return query.found_in(SESSION, None, COMMANDS)


@pytest.mark.parametrize(
    "text",
    [
        "cmd:kubectl exit:0",
        'cmd:"get pods" out:ready',
        "kubectl",
        "permission denied",
        "upgrade cmd:kubectl",
        "alice kubectl",
        "user:alice cmd:rm exit:!=0",
        "cmd:kubectl AND exit:!=0",
        'cmd:"sudo -i" THEN cmd:/curl.*sh/',
        "cmd:sudo THEN cmd:kubectl THEN cmd:rm",
        "cmd:kubectl -out:NAME",
        "-cmd:psql",
        "user:alice -cmd:psql",
        "-(cmd:rm exit:0)",
        "cmd:rm (exit:1 OR exit:2)",
        "(cmd:psql OR cmd:rm) exit:1",
        "cmd:curl (cmd:rm AND cmd:sudo)",
        "cmd:psql OR cmd:sudo AND cmd:rm",
        "exit:?",
        "took:>30s",
        "as:root cwd:/ro*",
        "as:!root",
        "is:root",
        "out:/web-\\d/",
        "cmd:Prod",
        "cmd:kubectl,psql",
    ],
)
def test_session_fits(text: str) -> None:
    assert session_fits(text)


@pytest.mark.parametrize(
    "text",
    [
        "cmd:kubectl exit:!=0",
        "kubectl permission",
        "cmd:sudo out:ready",
        "cmd:rm THEN cmd:sudo",
        "cmd:curl THEN cmd:curl",
        "-cmd:rm",
        "user:alice -cmd:kubectl",
        "-(cmd:rm exit:1)",
        "cmd:rm (exit:0 OR exit:?)",
        "cmd:curl (cmd:rm AND cmd:psql)",
        "cmd:psql AND cmd:sudo OR cmd:vi",
        "cmd:PROD",
        "took:>1m",
        "as:bob",
        "user:bob cmd:sudo",
        "cmd:sudo user:bob",
    ],
)
def test_session_does_not_fit(text: str) -> None:
    assert not session_fits(text)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("kubectl", [1, 4]),
        ("web-1", [1, 4]),
        ("cmd:web-1", [4]),
        ("kubectl -out:deleted", [1]),
        ("-cmd:kubectl", [0, 2, 3]),
        ("user:alice", [0, 1, 2, 3, 4]),
        ("user:bob", []),
        ("alice", []),
        ("cmd:kubectl AND exit:!=0", [1, 2, 4]),
        ("cmd:kubectl AND cmd:psql", []),
        ("cmd:kubectl AND user:alice", [1, 4]),
        ("cmd:rm AND -cmd:psql", [2]),
        ("cmd:rm AND -cmd:sudo", []),
        ("cmd:kubectl THEN cmd:rm", [1, 2]),
        ("cmd:kubectl THEN cmd:curl THEN cmd:kubectl", [1, 3, 4]),
        ("cmd:sudo OR exit:?", [0, 3]),
        ("after:-10m", [4]),
        ("cmd:kubectl AND after:-10m", [1, 4]),
        ("cmd:kubectl after:-10m", [4]),
        ("cmd:kubectl AND after:-1m", []),
        ("cmd:rm (cmd:sudo AND cmd:curl)", [2]),
        ("at:14:10 cmd:sudo", [0]),
        ("at:14:30 cmd:sudo", []),
    ],
)
def test_commands_found(text: str, places: list[int]) -> None:
    assert found(text) == places


def test_a_session_without_commands_fits_what_it_is_and_what_it_has_not() -> None:
    for text, expected in (("upgrade", True), ("-cmd:rm", True), ("cmd:rm", False), ("exit:?", True)):
        assert parse(text, NOW, scope=Scope.SESSIONS).matches(SESSION, None, []) is expected


def test_a_check_state_that_is_not_known_leaves_the_answer_open() -> None:
    query = parse("cmd:kubectl check:bad", NOW, scope=Scope.SESSIONS)
    assert query.needs_check
    assert query.needs_index
    assert not query.matches(SESSION, None, COMMANDS)
    assert query.matches(SESSION, "bad", COMMANDS)


def test_quotes_take_wildcards_and_commas_as_they_are() -> None:
    session, starred = Facts(), [Ran("rm *,x"), Ran("rm foo")]
    for text, places in (('cmd:"rm *"', [0]), ("cmd:rm*", [0, 1]), ('cmd:"*,"', [0]), ('cmd:"rm "f*', [1])):
        assert parse(text, NOW, scope=Scope.MOMENTS).found_in(session, None, starred) == places


def test_slashes_are_a_pattern_only_around_a_whole_word() -> None:
    session, ran = Facts(), [Ran("cat /etc/passwd"), Ran("ls /tmp/"), Ran("a[/]b")]
    for text, places in (
        ("/etc/passwd", [0]),
        ("cmd:/etc*", [0]),
        ("/etc.pass/", [0]),
        ("/a.[/]b/", []),
        (r"/\[[/]/", [2]),
        (r"/tmp\//", [1]),
        ("/(CAT|LS) /", []),
        ("/(cat|ls) /", [0, 1]),
    ):
        assert parse(text, NOW, scope=Scope.MOMENTS).found_in(session, None, ran) == places


@pytest.mark.parametrize("text", ["cmd:-rf", "cmd:,", 'cmd:""', "took:5s", "out:"])
def test_values_that_commands_do_not_have(text: str) -> None:
    with pytest.raises(QueryError):
        parse(text, NOW, scope=Scope.MOMENTS)


def test_terms_and_nesting_are_bounded() -> None:
    with pytest.raises(QueryError, match="more than 200 terms"):
        parse("a OR " * 300 + "a", NOW, scope=Scope.SESSIONS)
    with pytest.raises(QueryError, match="nest too deeply"):
        parse("zz (qq OR (yy AND " * 9 + "c" + "))" * 9, NOW, scope=Scope.SESSIONS)
    nested = "zz (qq OR (yy AND " * 5 + "c" + "))" * 5
    assert not parse(nested, NOW, scope=Scope.SESSIONS).matches(SESSION, None, [])


ASIDE = Ran("", None, ["Welcome to web", "mail: refused"], duration_s=None, is_aside=True)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("welcome", [0]),
        ("out:refused", [0, 2]),
        ('out:"permission denied"', []),
        ("out:welcome out:refused", [0]),
        ("out:welcome -out:refused", []),
        ("out:welcome user:alice", [0]),
        ("out:welcome user:bob", []),
        ("out:welcome -cmd:psql", []),
        ("out:welcome exit:?", []),
        ("out:refused exit:1", [2]),
        ("out:refused (cmd:rm OR out:mail)", [0, 2]),
        ("cmd:rm OR out:welcome", [0, 2]),
        ("out:welcome AND cmd:rm", [0, 2]),
        ("out:welcome THEN cmd:rm", []),
        ("exit:?", []),
        ("-cmd:psql", [1, 2]),
        ("user:alice", [1, 2]),
        ("-out:deleted", [1, 2]),
        ("user:alice OR out:welcome", [0, 1, 2]),
        ("after:2026-09-12T14:00 out:welcome", [0]),
        ("before:2026-09-12T14:00 out:welcome", []),
        ("cmd:/^$/", []),
    ],
)
def test_an_aside_is_found_by_what_it_shows_alone(text: str, places: list[int]) -> None:
    commands = [ASIDE, Ran("sudo -i", 0), Ran("rm -rf /tmp/build", 1, ["rm: refused"])]
    assert parse(text, NOW, scope=Scope.MOMENTS).found_in(SESSION, None, commands) == places


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("out:welcome", True),
        ("out:welcome user:alice", True),
        ("welcome alice", True),
        ("-out:welcome", False),
        ("-out:deleted", True),
        ("out:welcome AND cmd:rm", True),
        ("out:welcome AND -cmd:rm", False),
        ("out:welcome cmd:rm", False),
        ("-(out:welcome cmd:rm)", True),
        ("out:welcome exit:1", False),
        ("out:welcome THEN cmd:rm", False),
        ("-cmd:psql", True),
    ],
)
def test_a_session_fits_by_what_its_asides_show(text: str, expected: bool) -> None:
    commands = [ASIDE, Ran("rm -rf /tmp/build", 1)]
    assert parse(text, NOW, scope=Scope.SESSIONS).matches(SESSION, None, commands) is expected


def test_a_session_of_one_aside_has_no_commands() -> None:
    for text, expected in (("is:nocommands", True), ("welcome", True), ("cmd:/.*/", False)):
        assert parse(text, NOW, scope=Scope.SESSIONS).matches(SESSION, None, [ASIDE]) is expected
