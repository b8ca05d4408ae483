"""A query carried out over one session in memory."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from recorder.index.output_words import in_output
from recorder.index.predicates import Never as NeverSo
from recorder.index.query_tree import LISTED, Ask, Every, Exists, Formula, Never, Some, link_of
from recorder.index.terms import Condition, Facts, of_session


class Ran(Protocol):
    """The facts about one command, or one aside, that a query can ask about."""

    @property
    def is_aside(self) -> bool:
        """It is no command but what was shown while none ran: it has output and time alone."""

    @property
    def text(self) -> str: ...
    @property
    def output(self) -> Iterable[str]:
        """The lines that it showed."""

    @property
    def exit_status(self) -> int | None: ...
    @property
    def cwd(self) -> str | None: ...
    @property
    def duration_s(self) -> float | None: ...
    @property
    def as_user(self) -> str | None: ...
    @property
    def started(self) -> datetime: ...


_COMMAND: dict[str, Callable[[Ran], object]] = {
    "aside": lambda ran: int(ran.is_aside),
    "text": lambda ran: ran.text,
    "exit": lambda ran: ran.exit_status,
    "cwd": lambda ran: ran.cwd,
    "took": lambda ran: ran.duration_s,
    "as": lambda ran: ran.as_user,
    "started": lambda ran: ran.started.timestamp(),
}


def holds(
    formula: Formula, session: Facts, state: str | None, commands: Sequence[Ran], listed: int | None = None
) -> bool | None:
    """Whether a session fits; None where that hangs on a check state that is not known.

    `listed` is the place of the command that a listing is about.
    """
    return _Evaluator(session, state, commands).ask(formula, {} if listed is None else {LISTED: listed})


class _Evaluator:
    def __init__(self, session: Facts, state: str | None, commands: Sequence[Ran]) -> None:
        self._session = session
        self._state = state
        self._commands = commands

    def ask(self, formula: Formula, at: Mapping[int, int]) -> bool | None:
        match formula:
            case Every(parts):
                return _all(self.ask(part, at) for part in parts)
            case Some(parts):
                return _any(self.ask(part, at) for part in parts)
            case Never(part):
                answer = self.ask(part, at)
                return None if answer is None else not answer
            case Exists():
                return self._exists(formula, at)
            case Ask(conditions, number):
                ran = None if number is None else self._commands[at[number]]
                return _all(self._condition(condition, ran) for condition in conditions)

    def _exists(self, formula: Exists, at: Mapping[int, int]) -> bool | None:
        first = 0 if formula.after is None else at[formula.after] + 1
        last = len(self._commands) if formula.before is None else at[formula.before]
        places = range(first, last) if formula.before is None else range(last - 1, first - 1, -1)
        own, rest = link_of(formula)
        if rest is None:
            return _any(self.ask(own, {**at, formula.command: place}) for place in places)
        return self._chain(own, rest, [{**at, formula.command: place} for place in places])

    def _chain(self, own: Formula, rest: Exists, places: Sequence[Mapping[int, int]]) -> bool | None:
        """The nearest command that fits decides; before it, only such as may fit."""
        unknown: bool | None = False
        for at in places:
            answer = self.ask(own, at)
            if answer:
                return _any((self.ask(rest, at), unknown))
            if answer is None and self.ask(rest, at) is not False:
                unknown = None
        return unknown

    def _condition(self, condition: Condition, ran: Ran | None) -> bool | None:
        if condition.keys == ("check",):
            return None if self._state is None else condition.predicate.holds(self._state)
        predicate = condition.predicate
        if isinstance(predicate, NeverSo):
            return not self._condition(Condition(condition.keys, predicate.choice), ran)
        if ran is None:
            return any(predicate.holds(self._fact(key)) for key in condition.keys)
        return any(
            any(map(in_output(predicate).holds, ran.output))
            if key == "output"
            else predicate.holds(_COMMAND[key](ran))
            for key in condition.keys
        )

    def _fact(self, key: str) -> object:
        if key == "commands":
            return sum(not ran.is_aside for ran in self._commands)
        return of_session(self._session, key)


def _all(answers: Iterable[bool | None]) -> bool | None:
    found: bool | None = True
    for answer in answers:
        if answer is False:
            return False
        found = None if answer is None else found
    return found


def _any(answers: Iterable[bool | None]) -> bool | None:
    found: bool | None = False
    for answer in answers:
        if answer:
            return True
        found = None if answer is None else found
    return found
