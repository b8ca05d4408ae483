"""The fields of the query language: what each asks of a session, and of one command in it."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from recorder.index import terms_values as values
from recorder.index.predicates import Between, Compares, Contains, Edge, InNetwork, OneOf, Predicate, Same
from recorder.index.query_tokens import Value
from recorder.index.terms_values import INFINITY, BadValueError, Clock


class Facts(Protocol):
    """The session facts that a query can ask about."""

    @property
    def id(self) -> str: ...
    @property
    def user(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def start(self) -> datetime: ...
    @property
    def end(self) -> datetime | None: ...
    @property
    def duration_s(self) -> float | None: ...
    @property
    def live(self) -> bool: ...
    @property
    def title(self) -> str | None: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def origin(self) -> str: ...
    @property
    def source(self) -> str | None:
        """The client's address."""

    @property
    def exit_status(self) -> int | None: ...
    @property
    def command(self) -> str | None: ...


class Scope(Enum):
    """Where a query is asked: it decides what bare text and times mean, and which fields there are."""

    FACTS = "sessions without their commands"
    SESSIONS = "sessions"
    MOMENTS = "commands"


@dataclass(frozen=True, slots=True)
class Condition:
    """One of the facts named by `keys` fits."""

    keys: tuple[str, ...]
    predicate: Predicate


Conditions = tuple[Condition, ...]
"""All of them."""


@dataclass(frozen=True, slots=True)
class Test:
    """One term: what it asks of the session and what of a command; None where it has no question there."""

    session: Conditions | None = None
    command: Conditions | None = None
    around: bool = True
    """Where the session fits, each of its commands does."""
    lists: bool = True
    """The term speaks of commands, and is not just a bound on their times."""
    echo: str = ""
    """How a time was understood, in words."""
    needs_check: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    about: str
    examples: tuple[str, ...]
    build: "Callable[[Value, Clock, Scope], Test | tuple[Test, ...]]"


WORDS = ("user", "host", "title", "reason", "command", "id", "source")
"""The session's own words."""


def bare_text(value: Value, _clock: Clock, scope: Scope) -> Test:
    """Text of a command or its output; where sessions are listed, their own words as well."""
    predicate = values.contains(value)
    words = (Condition(WORDS, predicate),)
    text = (Condition(("text", "output"), predicate),)
    if scope is Scope.FACTS:
        return Test(session=words)
    return Test(session=words, command=text) if scope is Scope.SESSIONS else Test(command=text)


def _of_session(
    keys: tuple[str, ...], read: Callable[[Value], Predicate], parts: Callable[..., Predicate] = values.names
) -> Callable[[Value, Clock, Scope], Test]:
    def build(value: Value, _clock: Clock, _scope: Scope) -> Test:
        return Test(session=(Condition(keys, parts(value, read)),))

    return build


def _of_command(
    key: str, read: Callable[[Value], Predicate], parts: Callable[..., Predicate] = values.texts
) -> Callable[[Value, Clock, Scope], Test]:
    def build(value: Value, _clock: Clock, _scope: Scope) -> Test:
        return Test(command=(Condition((key,), parts(value, read)),))

    return build


def _id(value: Value) -> Predicate:
    """A prefix, a suffix or a prefix of the last part, as wherever an id is typed; only the T between day and
    time is a capital.
    """
    if value.pattern is not None or value.is_glob:
        return values.equals(value)
    text = value.text.lower()
    written = text.replace("t", "T", 1) if text[:8].isdecimal() else text
    return OneOf((Edge(written), Contains(f"-{written}", exact=True)))


def _address(value: Value) -> Predicate:
    if "/" not in value.text:
        return values.equals(value)
    try:
        return InNetwork(ipaddress.ip_network(value.text, strict=False))
    except ValueError as error:
        raise BadValueError(f'"{value.text}" is not a network such as 10.9.0.0/16') from error


def _exit(value: Value, _clock: Clock, _scope: Scope) -> Test:
    """Of a command; asked alone, also of the session as a whole."""
    predicate = values.status(value)
    return Test((Condition(("exit_status",), predicate),), (Condition(("exit",), predicate),), around=False)


def _length(value: Value, _clock: Clock, _scope: Scope) -> Test:
    return Test(session=(Condition(("duration_s",), values.duration(value)),))


def _active(value: Value, _clock: Clock, _scope: Scope) -> Test:
    return Test(session=(Condition(("active",), values.duration(value)),))


def _took(value: Value, _clock: Clock, _scope: Scope) -> Test:
    return Test(command=(Condition(("took",), values.duration(value)),))


def _starts(low: datetime | None, high: datetime | None, scope: Scope, echo: str) -> Test:
    """The start lies there: of the session, or where moments are sought of the command."""
    first = -INFINITY if low is None else low.timestamp()
    last = INFINITY if high is None else high.timestamp()
    between = Between(first, last, before_end=True)
    if scope is Scope.MOMENTS:
        return Test(command=(Condition(("started",), between),), lists=False, echo=echo)
    return Test(session=(Condition(("start",), between),), echo=echo)


def _after(value: Value, clock: Clock, scope: Scope) -> Test:
    low = values.moment(value.text, clock).start
    return _starts(low, None, scope, f"after {values.stamp(low, clock)}")


def _before(value: Value, clock: Clock, scope: Scope) -> Test:
    high = values.moment(value.text, clock).start
    return _starts(None, high, scope, f"before {values.stamp(high, clock)}")


def _on(value: Value, clock: Clock, scope: Scope) -> Test:
    low, high = values.time_range(value.text, clock)
    return _starts(low, high, scope, _range_words("started", low, high, clock))


def _at(value: Value, clock: Clock, _scope: Scope) -> Test:
    """The session was running then; a live one has been running until now, one without an end is a moment."""
    low, high = values.time_range(value.text, clock)
    first = -INFINITY if low is None else low.timestamp()
    last = INFINITY if high is None else max(high.timestamp(), first)
    if first > clock.now.timestamp():
        last = -INFINITY  # nothing was running in the future
    begun = Condition(("start",), Compares("<=", last))
    not_over = Condition(("last",), Compares(">=", first))
    return Test(session=(begun, not_over), echo=_range_words("running", low, high, clock))


def _range_words(verb: str, low: datetime | None, high: datetime | None, clock: Clock) -> str:
    if low is None or high is None:
        known = low or high
        return f"{verb} {'from' if low else 'until'} {values.stamp(known, clock)}" if known else ""
    return f"{verb} {values.stamp(low, clock)} to {values.stamp(high, clock)}"


_YES_NO = {"yes": 1, "no": 0, "true": 1, "false": 0}


def _live(value: Value, _clock: Clock, _scope: Scope) -> Test:
    wanted = _YES_NO.get(value.text.lower())
    if wanted is None:
        raise BadValueError(f'"{value.text}" is neither yes nor no')
    return Test(session=(Condition(("live",), Compares("=", wanted)),))


def _text_is(key: str, text: str) -> Conditions:
    return (Condition((key,), Same(text, exact=True)),)


FLAGS: dict[str, Test] = {
    "live": Test(session=(Condition(("live",), Compares("=", 1)),)),
    "ended": Test(session=(Condition(("live",), Compares("=", 0)),)),
    "local": Test(session=_text_is("origin", "local")),
    "ssh": Test(session=_text_is("origin", "sshd")),
    "failed": Test(session=(Condition(("exit_status",), Compares("!=", 0)),)),
    "root": Test(session=_text_is("user", "root"), command=_text_is("as", "root")),
    "nocommands": Test(session=(Condition(("commands",), Compares("=", 0)),)),
}


def _is(value: Value, _clock: Clock, _scope: Scope) -> tuple[Test, ...]:
    return tuple(_flag(choice.text.lower()) for choice in value.choices())


def _flag(name: str) -> Test:
    if name == "seen":
        raise BadValueError("nothing records yet who looked at a session")
    if name not in FLAGS:
        raise BadValueError(f'no flag "{name}"', f"Use {', '.join(FLAGS)}")
    return FLAGS[name]


CHECK_NAMES = {
    "ok": "verified",
    "verified": "verified",
    "live": "partial",
    "partial": "partial",
    "truncated": "truncated",
    "unconfirmed": "not in a log here",
    "unsigned": "unsigned",
    "unknown": "unknown key",
    "bad": "bad",
    "missing": "missing",
    "unreadable": "unreadable",
}


def _check(value: Value, _clock: Clock, _scope: Scope) -> Test:
    return Test(session=(Condition(("check",), values.names(value, _check_state)),), needs_check=True)


def _check_state(value: Value) -> Predicate:
    state = CHECK_NAMES.get(value.text.lower())
    if state is None:
        raise BadValueError(f'no check state "{value.text}"', f"Use {', '.join(CHECK_NAMES)}")
    return Same(state, exact=True)


SEVERITIES = ("low", "medium", "high", "critical")


def _alert(value: Value, _clock: Clock, _scope: Scope) -> Test:
    """`any`, severities or rules."""
    if value.text.lower() == "any" and value.is_bare:
        return Test(session=(Condition(("alert_severity",), Contains("", exact=True)),))
    is_severity = all(choice.text.lower() in SEVERITIES for choice in value.choices())
    key = "alert_severity" if is_severity else "alert_rule"
    return Test(session=(Condition((key,), values.names(value, values.equals)),))


def _text_list(value: Value, read: Callable[[Value], Predicate]) -> Predicate:
    return values.texts(value, read)


FIELDS: dict[str, Field] = {
    "cmd": Field(
        "text of a command",
        ("cmd:kubectl", 'cmd:"rm -rf"', r"cmd:/curl.*\|\s*sh/"),
        _of_command("text", values.contains),
    ),
    "out": Field(
        "what it wrote", ('out:"FATAL"', r"out:/CVE-20\d\d/"), _of_command("output", values.contains)
    ),
    "exit": Field("its exit code, or the session's", ("exit:0", "exit:!=0", "exit:1..125", "exit:?"), _exit),
    "cwd": Field("its directory", ("cwd:/etc*",), _of_command("cwd", values.equals)),
    "took": Field("how long it took", ("took:>30s", "took:1m..1h"), _took),
    "as": Field("whom it ran as", ("as:root",), _of_command("as", values.equals, values.names)),
    "user": Field("who logged in", ("user:alice,bob", "user:svc-*"), _of_session(("user",), values.equals)),
    "host": Field("where", ("host:web-03", "host:web-*"), _of_session(("host", "host_label"), values.equals)),
    "from": Field(
        "source address", ("from:10.9.0.0/16", "from:10.9.1.22"), _of_session(("source",), _address)
    ),
    "id": Field("start of the id or of its last part", ("id:k7f3q9xw", "id:k7f3"), _of_session(("id",), _id)),
    "title": Field(
        "words of the title", ('title:"web upgrade"',), _of_session(("title",), values.contains, _text_list)
    ),
    "reason": Field(
        "words of the reason", ("reason:INC-4711",), _of_session(("reason",), values.contains, _text_list)
    ),
    "run": Field(
        "the command the session was for",
        ("run:psql",),
        _of_session(("command",), values.contains, _text_list),
    ),
    "after": Field("then or later", ("after:-7d", "after:2026-09-08"), _after),
    "before": Field("earlier", ("before:yesterday",), _before),
    "on": Field("on that day or in that range", ("on:monday", "on:2026-09-01..2026-09-08"), _on),
    "at": Field("the session was running then", ("at:14:00", "at:2026-09-08T14:00..16:00"), _at),
    "len": Field("length of the session", ("len:>1h", "len:..30s"), _length),
    "active": Field("time in which something happened", ("active:>10m",), _active),
    "live": Field("still running", ("live:yes",), _live),
    "is": Field("a flag: " + ", ".join(FLAGS), ("is:live", "-is:local"), _is),
    "alert": Field("any, a severity or a rule", ("alert:any", "alert:high", "alert:curl-pipe-sh"), _alert),
    "note": Field(
        "text of a note", ('note:"follow up"',), _of_session(("note",), values.contains, _text_list)
    ),
    "tag": Field("tag of a note", ("tag:incident",), _of_session(("tag",), values.equals)),
    "by": Field("who wrote a note", ("by:carol",), _of_session(("author",), values.equals)),
    "check": Field("what verification says", ("check:bad", "check:!ok", "check:partial"), _check),
}
FIELDS["state"] = FIELDS["check"]

WITHOUT_PATTERNS = frozenset(
    {"exit", "took", "after", "before", "on", "at", "len", "active", "live", "is", "check", "state"}
)
"""Fields whose values are numbers, times or words of ours."""

LATER_FIELDS = frozenset({"review", "ticket", "via"})
"""Fields of the language whose data this version does not have yet."""

INDEX_FACTS = frozenset({"commands", "active", "alert_severity", "alert_rule", "note", "author", "tag"})
"""Session facts that only the index knows."""


def of_session(facts: Facts, key: str) -> object:
    """A session fact by its key."""
    return _SESSION[key](facts)


_SESSION: dict[str, Callable[[Facts], object]] = {
    "id": lambda facts: facts.id,
    "user": lambda facts: facts.user,
    "host": lambda facts: facts.host,
    "host_label": lambda facts: facts.host.partition(".")[0],
    "source": lambda facts: facts.source,
    "title": lambda facts: facts.title,
    "reason": lambda facts: facts.reason,
    "command": lambda facts: facts.command,
    "origin": lambda facts: facts.origin,
    "live": lambda facts: int(facts.live),
    "start": lambda facts: facts.start.timestamp(),
    "last": lambda facts: INFINITY if facts.live else (facts.end or facts.start).timestamp(),
    "duration_s": lambda facts: facts.duration_s,
    "exit_status": lambda facts: facts.exit_status,
}
