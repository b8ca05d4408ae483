"""The meaning of a query as SQL over the index. Every value is a parameter; no text of a query is in the SQL.

The row of the session is called `s`, that of command number n `c<n>`. An expression is exact: it says what
`query_memory` says. `Candidates` of an expression are the commands outside of which it cannot hold; they come
from the full-text tables, and are None where nothing narrows the search.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from recorder.index.compile_costs import Costs
from recorder.index.compile_predicates import FAILED_STATUS, Functions, Sql, joined, predicate_sql
from recorder.index.output_words import in_output, output_words, whole_words
from recorder.index.predicates import BeginsWord, Contains, Matches, OneOf, Predicate
from recorder.index.predicates import Never as NeverSo
from recorder.index.query_tree import (
    LISTED,
    Ask,
    Every,
    Exists,
    Formula,
    Never,
    Some,
    is_of_session,
    link_of,
)
from recorder.index.regex_literals import Words, words_of, words_of_pattern
from recorder.index.terms import Condition

SESSION_COLUMNS = {
    "id": "s.id",
    "user": "s.user",
    "host": "s.host",
    "host_label": "substr(s.host, 1, instr(s.host || '.', '.') - 1)",
    "source": "s.source_ip",
    "title": "s.title",
    "reason": "s.reason",
    "command": "s.command",
    "origin": "s.origin",
    "live": "s.live",
    "start": "s.started",
    "last": "CASE WHEN s.live THEN 9e999 ELSE coalesce(s.ended, s.started) END",
    "duration_s": "s.duration",
    "active": "s.active",
    "exit_status": "s.exit_status",
    "commands": "s.command_count",
}
"""Session facts by their key in a query."""

_IDS = "SELECT value FROM json_each(?)"

LISTS = {
    "alert_severity": ("alerts", "severity"),
    "alert_rule": ("alerts", "rule"),
    "note": ("notes", "text"),
    "author": ("notes", "author"),
    "tag": ("notes", "kind"),
}
"""Facts of which a session has any number: the table and the column."""

COMMAND_COLUMNS = {
    "aside": "(c{}.text IS NULL)",
    "text": "c{}.text",
    "exit": "c{}.exit_status",
    "cwd": "c{}.cwd",
    "took": "c{}.duration",
    "as": "c{}.as_user",
    "started": "c{}.started",
}

Candidates = frozenset[int] | None
Find = Callable[[str, Words], Candidates]
"""The commands whose text, or output, has the words; None where they are too many to be of use."""
FindFailed = Callable[[Sql], Candidates]
"""The same for those with an exit status other than 0 of which an expression over it holds."""


@dataclass(slots=True)
class Compiler:
    find: Find
    find_failed: FindFailed
    functions: Functions = field(default_factory=Functions)
    costs: Costs = field(default_factory=Costs)
    outputs: list[Predicate] = field(default_factory=list)
    """What `shows(number, command)` is asked for."""
    _found: dict[tuple[str, Words], Candidates] = field(default_factory=dict)
    _found_failed: dict[Sql, Candidates] = field(default_factory=dict)
    _listed: dict[frozenset[int], str] = field(default_factory=dict)

    def sql(self, formula: Formula) -> Sql:
        """The expression for a formula."""
        match formula:
            case Every(parts):
                return self._joined(parts, "AND") if parts else Sql("1")
            case Some(parts):
                return self._joined(parts, "OR") if parts else Sql("0")
            case Never(part):
                inner = self.sql(part)
                return Sql(f"(NOT {inner.text})", inner.parameters)
            case Exists():
                return self._exists(formula)
            case Ask(conditions, number):
                return joined([self._condition(condition, number) for condition in conditions], "AND")

    def _joined(self, parts: Iterable[Formula], word: str) -> Sql:
        return joined([self.sql(part) for part in self.costs.cheap_first(parts)], word)

    def _exists(self, formula: Exists) -> Sql:
        narrow = self.candidates(formula.part, formula.command)
        own, rest = link_of(formula)
        if rest is None:
            where = self._command(formula, own, narrow, None)
            name = f"c{formula.command}"
            exists = Sql(f"EXISTS (SELECT 1 FROM stretches {name} WHERE {where.text})", where.parameters)  # noqa: S608
        else:
            last = self._last_link(formula)
            exists = Sql(f"({last.text} IS NOT NULL)", last.parameters)
        return exists if narrow is None else joined([self._session_has(narrow), exists], "AND")

    def _last_link(self, formula: Exists) -> Sql:
        """The ordinal of the nearest command that ends a chain; NULL where there is none."""
        nearest = "max" if formula.before is not None else "min"
        link: Exists | None = formula
        place: Sql | None = None
        while link is not None:
            own, rest = link_of(link)
            where = self._command(link, own, self.candidates(own, link.command), place)
            name = f"c{link.command}"
            statement = f"(SELECT {nearest}({name}.ordinal) FROM stretches {name} WHERE {where.text})"  # noqa: S608
            place, link = Sql(statement, where.parameters), rest
        return place or Sql("NULL")

    def _command(self, formula: Exists, own: Formula, narrow: Candidates, place: Sql | None) -> Sql:
        """The conditions on a command: which side of another it stands on, and what is said of it.

        `place` is the ordinal of that other; None where it is a row at hand.
        """
        name = f"c{formula.command}"
        parts = [Sql(f"{name}.session = s.key")]
        for sign, other in ((">", formula.after), ("<", formula.before)):
            if other is not None:
                bound = place or Sql(f"c{other}.ordinal")
                parts.append(Sql(f"{name}.ordinal {sign} {bound.text}", bound.parameters))
        if narrow is not None:
            parts.append(Sql(f"{name}.id IN ({_IDS})", (self._ids(narrow),)))
        parts.append(self.sql(own))
        return joined(parts, "AND")

    def _condition(self, condition: Condition, number: int | None) -> Sql:
        predicate = condition.predicate
        if isinstance(predicate, NeverSo):
            inner = self._condition(Condition(condition.keys, predicate.choice), number)
            return Sql(f"(NOT {inner.text})", inner.parameters)
        return joined([self._value(key, predicate, number) for key in condition.keys], "OR")

    def _value(self, key: str, predicate: Predicate, number: int | None) -> Sql:
        if key == "check":
            return Sql("fits(?, state(s.id))", (self.functions.number(predicate),))
        if key in LISTS:
            table, column = LISTS[key]
            inner = predicate_sql(predicate, f"x.{column}", self.functions)
            exists = f"EXISTS (SELECT 1 FROM {table} x WHERE x.session = s.key AND {inner.text})"  # noqa: S608
            return Sql(exists, inner.parameters)
        if number is None:
            return predicate_sql(predicate, SESSION_COLUMNS[key], self.functions)
        if key == "output":
            return self._shows(predicate, number)
        return predicate_sql(predicate, COMMAND_COLUMNS[key].format(number), self.functions)

    def _shows(self, predicate: Predicate, number: int) -> Sql:
        """Asked only of the few whose output has the words, where they are few."""
        shows = Sql(f"shows(?, c{number}.id, c{number}.session)", (self.output(predicate),))
        narrow = self._find("output", predicate_words("output", predicate))
        if narrow is None:
            return shows
        return joined([Sql(f"c{number}.id IN ({_IDS})", (self._ids(narrow),)), shows], "AND")

    def output(self, predicate: Predicate) -> int:
        """The number of what is asked of output, for `shows`."""
        predicate = in_output(predicate)
        if predicate not in self.outputs:
            self.outputs.append(predicate)
        return self.outputs.index(predicate)

    def _session_has(self, commands: frozenset[int]) -> Sql:
        """Asked before the rest: most sessions have none of them."""
        inner = f"SELECT session FROM stretches WHERE id IN ({_IDS})"  # noqa: S608
        return Sql(f"s.key IN ({inner})", (self._ids(commands),))

    def _ids(self, commands: frozenset[int]) -> str:
        """One text for all places of a query that have the same candidates."""
        if commands not in self._listed:
            self._listed[commands] = id_list(commands)
        return self._listed[commands]

    def candidates(self, formula: Formula, number: int) -> Candidates:
        """The commands outside of which the formula cannot hold of the command with that number."""
        match formula:
            case Every(parts):
                return _narrowest(self.candidates(part, number) for part in parts)
            case Some(parts) if parts:
                return _union(self.candidates(part, number) for part in parts)
            case Ask(conditions, asked) if asked == number:
                return _narrowest(self._condition_candidates(condition) for condition in conditions)
            case _:
                return None

    def session_candidates(self, formula: Formula) -> Candidates:
        """Commands, outside of whose sessions the formula cannot hold of a session, or of `LISTED` in it."""
        match formula:
            case Every(parts):
                return _fewest(self.session_candidates(part) for part in parts)
            case Some(parts) if parts:
                return _union(self.session_candidates(part) for part in parts)
            case Exists(number, part):
                return _fewest((self.candidates(part, number), self.session_candidates(part)))
            case Ask():
                return self.candidates(formula, LISTED)
            case _:
                return None

    def required(self, formula: Formula, number: int) -> list[Formula]:
        """Parts without each of which the formula cannot hold of the command with that number.

        None of them asks for other commands.
        """
        match formula:
            case Every(parts):
                return [one for part in parts for one in self.required(part, number)]
            case _ if self.costs.is_fact(formula):
                return [formula]
            case Some(parts) if parts:
                return _in_all(self.required(part, number) for part in parts)
            case Ask(_, asked) if asked == number:
                return [formula]
            case _:
                return []

    def required_of_session(self, formula: Formula) -> list[Formula]:
        """Parts each of which holds of every session that fits, or of some command of it, called `LISTED`."""
        match formula:
            case Every(parts):
                return [one for part in parts for one in self.required_of_session(part)]
            case _ if self.costs.is_fact(formula):
                return [formula]
            case Some(parts) if parts:
                return _in_all(self.required_of_session(part) for part in parts)
            case Exists(number, part):
                required = self.required(part, number)
                asks = [one for one in required if isinstance(one, Ask) and one.command == number]
                return [Ask(one.conditions, LISTED) for one in asks] + list(filter(is_of_session, required))
            case _:
                return []

    def _condition_candidates(self, condition: Condition) -> Candidates:
        if condition.keys == ("exit",):
            return self._failed(condition.predicate)
        if not set(condition.keys) <= {"text", "output"}:
            return None
        return _union(self._find(key, predicate_words(key, condition.predicate)) for key in condition.keys)

    def _failed(self, predicate: Predicate) -> Candidates:
        if predicate.holds(0) or predicate.holds(None):
            return None
        asked = predicate_sql(predicate, FAILED_STATUS, self.functions)
        if asked not in self._found_failed:
            self._found_failed[asked] = self.find_failed(asked)
        return self._found_failed[asked]

    def _find(self, key: str, words: Words) -> Candidates:
        if not words:
            return None
        if (key, words) not in self._found:
            self._found[key, words] = self.find(key, words)
        return self._found[key, words]


def id_list(commands: frozenset[int]) -> str:
    """What `json_each` makes a table of."""
    return json.dumps(sorted(commands))


def predicate_words(key: str, predicate: Predicate) -> Words:
    """The words that every fitting text, or output, has; empty where nothing is certain."""
    in_texts = key == "text"
    match predicate:
        case Contains(text) | BeginsWord(text):
            words = words_of(text) if in_texts else output_words(text)
            return (words,) if words else ()
        case Matches(regex):
            return words_of_pattern(regex.pattern) if in_texts else whole_words(regex.pattern)
        case OneOf(choices):
            each = [predicate_words(key, choice) for choice in choices]
            return tuple(branch for words in each for branch in words) if all(each) else ()
        case _:
            return ()


def _narrowest(found: Iterable[Candidates]) -> Candidates:
    """What is in all that narrow at all."""
    narrow = sorted((part for part in found if part is not None), key=len)
    return frozenset.intersection(*narrow) if narrow else None


def _fewest(found: Iterable[Candidates]) -> Candidates:
    """Those of the one part that narrows most: other commands of the same sessions may serve the others."""
    return min((part for part in found if part is not None), key=len, default=None)


def _union(found: Iterable[Candidates]) -> Candidates:
    parts = list(found)
    known = [part for part in parts if part is not None]
    return frozenset().union(*known) if len(known) == len(parts) else None


def _in_all(found: Iterable[list[Formula]]) -> list[Formula]:
    first, *others = found
    return [one for one in first if all(one in other for other in others)]
