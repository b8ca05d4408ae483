"""What each field of the query language asks of one session."""

import fnmatch
import ipaddress
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Protocol

from recorder.index.moments import MomentError, Span, parse_duration, parse_moment


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


class BadValueError(ValueError):
    """A field's value that cannot be read; the message is a lower-case fact."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What relative times refer to."""

    now: datetime
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True)
class Test:
    """One question to a session.

    `ask` gets the facts and the check state ("verified", "bad", …) and answers None where the state is not
    known yet. `echo` says in words how a time was understood.
    """

    ask: Callable[[Facts, str | None], bool | None]
    echo: str = ""
    needs_check: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    about: str
    examples: tuple[str, ...]
    build: Callable[[str, Clock], Test]


TextTest = Callable[[str | None], bool]


def _is_exact(value: str) -> bool:
    """Smart case: a value without capitals matches any case."""
    return value != value.lower()


def _is_glob(value: str) -> bool:
    return "*" in value or "?" in value


def _glob(value: str, flags: re.RegexFlag) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(value.replace("[", "[[]")), flags)


def contains(value: str) -> TextTest:
    """Substring, or a glob anywhere in the text."""
    exact = _is_exact(value)
    if _is_glob(value):
        pattern = _glob(f"*{value}*", re.RegexFlag(0) if exact else re.IGNORECASE)
        return lambda text: text is not None and pattern.match(text) is not None
    if exact:
        return lambda text: text is not None and value in text
    return lambda text: text is not None and value in text.lower()


def equals(value: str) -> TextTest:
    """The whole text, or a glob over the whole of it."""
    exact = _is_exact(value)
    if _is_glob(value):
        pattern = _glob(value, re.RegexFlag(0) if exact else re.IGNORECASE)
        return lambda text: text is not None and pattern.match(text) is not None
    if exact:
        return lambda text: text == value
    return lambda text: text is not None and text.lower() == value


def any_text(value: str) -> Test:
    """Bare text: found in any of the session's own words."""
    found = contains(value)

    def ask(facts: Facts, _state: str | None) -> bool:
        return any(
            map(
                found,
                (facts.user, facts.host, facts.title, facts.reason, facts.command, facts.id, facts.source),
            )
        )

    return Test(ask)


def _choices(value: str) -> list[str]:
    choices = [choice for choice in value.split(",") if choice]
    if not choices:
        raise BadValueError("a value is missing")
    return choices


def _text_field(
    get: Callable[[Facts], str | None], compare: Callable[[str], TextTest]
) -> Callable[[str, Clock], Test]:
    def build(value: str, _clock: Clock) -> Test:
        tests = [compare(choice) for choice in _choices(value)]
        return Test(lambda facts, _state: any(test(get(facts)) for test in tests))

    return build


def _host(value: str, _clock: Clock) -> Test:
    """`web-03` also means `web-03.prod`: people know hosts by their first label."""
    tests = [equals(choice) for choice in _choices(value)]
    return Test(
        lambda facts, _state: any(test(facts.host) or test(facts.host.partition(".")[0]) for test in tests)
    )


def _id(value: str, _clock: Clock) -> Test:
    """A prefix or a suffix, as wherever an id is typed; ids are lower case."""
    choices = [choice.lower() for choice in _choices(value)]
    return Test(
        lambda facts, _state: any(
            equals(choice)(facts.id)
            if _is_glob(choice)
            else facts.id.startswith(choice) or facts.id.endswith(choice)
            for choice in choices
        )
    )


def _from(value: str, _clock: Clock) -> Test:
    tests = [_address(choice) for choice in _choices(value)]
    return Test(lambda facts, _state: any(test(facts.source or "") for test in tests))


def _address(choice: str) -> Callable[[str], bool]:
    if "/" not in choice:
        return equals(choice)
    try:
        network = ipaddress.ip_network(choice, strict=False)
    except ValueError as error:
        raise BadValueError(f'"{choice}" is not a network such as 10.9.0.0/16') from error

    def inside(text: str) -> bool:
        try:
            return ipaddress.ip_address(text) in network
        except ValueError:
            return False

    return inside


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}


def _number_test(value: str, read: Callable[[str], float]) -> Callable[[float], bool] | None:
    """A comparison or a range `x..y`, `x..`, `..y` (both ends belong to it); None for a plain value."""
    for sign, compare in _COMPARISONS.items():
        if value.startswith(sign):
            bound = read(value.removeprefix(sign))
            return lambda number: compare(number, bound)
    low, dots, high = value.partition("..")
    if not dots:
        return None
    if not low and not high:
        raise BadValueError('".." needs a value on one side')
    least, most = read(low) if low else float("-inf"), read(high) if high else float("inf")
    return lambda number: least <= number <= most


def _status(text: str) -> float:
    if not re.fullmatch(r"\d{1,3}", text) or int(text) > 255:
        raise BadValueError(f'"{text}" is not an exit status from 0 to 255')
    return float(text)


def _exit(value: str, _clock: Clock) -> Test:
    tests = [_exit_choice(choice) for choice in _choices(value)]
    return Test(lambda facts, _state: any(test(facts.exit_status) for test in tests))


def _exit_choice(choice: str) -> Callable[[int | None], bool]:
    if choice == "?":
        return lambda status: status is None
    compare = _number_test(choice, _status)
    wanted = None if compare else _status(choice)
    return lambda status: status is not None and (compare(status) if compare else status == wanted)


def _length(value: str, _clock: Clock) -> Test:
    compare = _number_test(value, _seconds)
    if compare is None:
        raise BadValueError(f"a length needs a comparison or a range, such as >{value} or ..{value}")
    return Test(lambda facts, _state: facts.duration_s is not None and compare(facts.duration_s))


def _seconds(text: str) -> float:
    try:
        return parse_duration(text)
    except MomentError as error:
        raise BadValueError(str(error)) from error


def _moment(text: str, clock: Clock) -> Span:
    try:
        return parse_moment(text, clock.now, clock.zone)
    except MomentError as error:
        raise BadValueError(str(error)) from error


def _range(value: str, clock: Clock) -> Span:
    """One moment, or `x..y` from the start of x to the end of y."""
    low, dots, high = value.partition("..")
    if not dots:
        return _moment(value, clock)
    if not low or not high:
        raise BadValueError("a time range needs both ends; use after: or before: for one")
    start = _moment(low, clock)
    # a clock time on the right is meant on the day of the left one
    end = _moment(high, Clock(start.start, clock.zone) if re.fullmatch(r"[\d:]{4,8}", high) else clock)
    if end.end < start.start:
        raise BadValueError("the range ends before it starts")
    return Span(start.start, end.end)


def _stamp(moment: datetime, clock: Clock) -> str:
    return moment.astimezone(clock.zone).strftime("%Y-%m-%d %H:%M %Z")


def _after(value: str, clock: Clock) -> Test:
    start = _moment(value, clock).start
    return Test(lambda facts, _state: facts.start >= start, f"after {_stamp(start, clock)}")


def _before(value: str, clock: Clock) -> Test:
    start = _moment(value, clock).start
    return Test(lambda facts, _state: facts.start < start, f"before {_stamp(start, clock)}")


def _on(value: str, clock: Clock) -> Test:
    span = _range(value, clock)
    return Test(lambda facts, _state: span.start <= facts.start < span.end, _between("started", span, clock))


def _at(value: str, clock: Clock) -> Test:
    """The session was running then; one without an end (live or interrupted) counts to now only if live."""
    span = _range(value, clock)

    def ask(facts: Facts, _state: str | None) -> bool:
        end = facts.end or (clock.now if facts.live else facts.start)
        return facts.start <= max(span.end, span.start) and end >= span.start

    return Test(ask, _between("running", span, clock))


def _between(verb: str, span: Span, clock: Clock) -> str:
    return f"{verb} {_stamp(span.start, clock)} to {_stamp(span.end, clock)}"


_YES_NO = {"yes": True, "no": False, "true": True, "false": False}


def _live(value: str, _clock: Clock) -> Test:
    if value.lower() not in _YES_NO:
        raise BadValueError(f'"{value}" is neither yes nor no')
    wanted = _YES_NO[value.lower()]
    return Test(lambda facts, _state: facts.live == wanted)


_FLAGS: dict[str, Callable[[Facts], bool]] = {
    "live": lambda facts: facts.live,
    "ended": lambda facts: not facts.live,
    "local": lambda facts: facts.origin == "local",
    "ssh": lambda facts: facts.origin == "sshd",
    "failed": lambda facts: bool(facts.exit_status),
}


def _is(value: str, _clock: Clock) -> Test:
    flags = [_flag(choice) for choice in _choices(value.lower())]
    return Test(lambda facts, _state: any(flag(facts) for flag in flags))


def _flag(name: str) -> Callable[[Facts], bool]:
    if name not in _FLAGS:
        raise BadValueError(f'no flag "{name}", use {", ".join(_FLAGS)}')
    return _FLAGS[name]


_CHECK_NAMES = {
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


def _check(value: str, _clock: Clock) -> Test:
    negated = value.startswith("!")
    states = {_check_state(choice) for choice in _choices(value.removeprefix("!"))}

    def ask(_facts: Facts, state: str | None) -> bool | None:
        return None if state is None else (state in states) != negated

    return Test(ask, needs_check=True)


def _check_state(name: str) -> str:
    state = _CHECK_NAMES.get(name.lower())
    if state is None:
        raise BadValueError(f'no check state "{name}", use {", ".join(_CHECK_NAMES)}')
    return state


FIELDS: dict[str, Field] = {
    "user": Field(
        "who logged in", ("user:alice,bob", "user:svc-*"), _text_field(lambda facts: facts.user, equals)
    ),
    "host": Field("where", ("host:web-03", "host:web-*"), _host),
    "from": Field("source address", ("from:10.9.0.0/16", "from:10.9.1.22"), _from),
    "id": Field("start or end of the id", ("id:k7f3q9xw",), _id),
    "title": Field(
        "words of the title", ('title:"web upgrade"',), _text_field(lambda facts: facts.title, contains)
    ),
    "reason": Field(
        "words of the reason", ("reason:INC-4711",), _text_field(lambda facts: facts.reason, contains)
    ),
    "run": Field(
        "the command the session was for", ("run:psql",), _text_field(lambda facts: facts.command, contains)
    ),
    "after": Field("started then or later", ("after:-7d", "after:2026-09-08"), _after),
    "before": Field("started earlier", ("before:yesterday",), _before),
    "on": Field("started on that day or in that range", ("on:monday", "on:2026-09-01..2026-09-08"), _on),
    "at": Field("was running then", ("at:14:00", "at:2026-09-08T14:00..16:00"), _at),
    "len": Field("length", ("len:>1h", "len:..30s"), _length),
    "exit": Field("exit status of the session", ("exit:0", "exit:!=0", "exit:1..125", "exit:?"), _exit),
    "live": Field("still running", ("live:yes",), _live),
    "is": Field("a flag: " + ", ".join(_FLAGS), ("is:live", "-is:local"), _is),
    "check": Field("what verification says", ("check:bad", "check:!ok", "check:partial"), _check),
}
FIELDS["state"] = FIELDS["check"]

LATER_FIELDS = frozenset(
    {"cmd", "out", "cwd", "took", "as", "via", "active", "alert", "review", "by", "tag", "note", "ticket"}
)
"""Fields of the language whose data this version does not have yet."""
