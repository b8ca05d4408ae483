"""A parsed query, and what it means: one formula that SQL and memory both carry out.

Terms side by side are about one command. A session fits such a group
- if one of its commands fits all terms, of which at least one that is not negated speaks of that command, or
- if it fits as a whole: its own facts do, and no command has what is negated.
So `cmd:kubectl exit:!=0` is one failed kubectl, `user:alice -cmd:rm` a session of alice without any rm.
AND joins such groups in one session, THEN puts their commands in order. A part in parentheses that holds
neither is about the same command as the terms beside it.

What was shown while no command ran is an aside. It takes the place of the one command where a term that is
not negated is found in what it shows, and no term asks for what only commands have.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from recorder.index.predicates import Compares, Predicate
from recorder.index.terms import Condition, Conditions, Test


class TooDeepError(ValueError):
    """What a query means would become too large to be carried out."""


@dataclass(frozen=True, slots=True)
class Leaf:
    test: Test


@dataclass(frozen=True, slots=True)
class Not:
    node: "Node"


@dataclass(frozen=True, slots=True)
class Side:
    """Terms side by side."""

    nodes: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class And:
    nodes: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    nodes: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Then:
    nodes: "tuple[Node, ...]"


Node = Leaf | Not | Side | And | Or | Then


@dataclass(frozen=True, slots=True)
class Every:
    """All parts hold; none of them: always."""

    parts: "tuple[Formula, ...]"


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part holds; none of them: never."""

    parts: "tuple[Formula, ...]"


@dataclass(frozen=True, slots=True)
class Never:
    part: "Formula"


@dataclass(frozen=True, slots=True)
class Ask:
    """Conditions on the session, or on the command or aside with that number."""

    conditions: Conditions
    command: int | None = None


@dataclass(frozen=True, slots=True)
class Exists:
    """There is a command or aside, called `command` in the part, between `after` and `before`."""

    command: int
    part: "Formula"
    after: int | None = None
    before: int | None = None


Formula = Every | Some | Never | Ask | Exists
ALWAYS, NEVER = Every(()), Some(())
MOST_STEPS = 4_000
"""Terms that a formula may ask of single commands; each is counted wherever it is written out.

AND of commands below OR, over and over, is written out four times as long at each level.
"""
LISTED = 0
"""The number of the command that a listing is about."""
_COMMAND = (Condition(("aside",), Compares("=", 0)),)
_ASIDE = (Condition(("aside",), Compares("=", 1)),)
_OF_ASIDES = ({"output"}, {"text", "output"}, {"started"})
"""What can be asked of an aside."""


def link_of(formula: Exists) -> tuple[Formula, Exists | None]:
    """What is said of the command itself, and the rest of a chain that begins with it.

    The rest asks only for commands on the far side of this one. So the nearest command that fits is as good
    as any: a chain takes one pass, however many commands fit its links.
    """
    parts = formula.part.parts if isinstance(formula.part, Every) else (formula.part,)
    for part in parts:
        if isinstance(part, Exists) and formula.command in (part.after, part.before):
            return every(*(other for other in parts if other is not part)), part
    return formula.part, None


def is_of_session(formula: Formula) -> bool:
    """It asks for no command."""
    match formula:
        case Every(parts) | Some(parts):
            return all(map(is_of_session, parts))
        case Never(part):
            return is_of_session(part)
        case Ask(_, command):
            return command is None
        case Exists():
            return False


def tests(node: Node) -> Iterator[Test]:
    """All terms, from left to right."""
    match node:
        case Leaf(test):
            yield test
        case Not(inner):
            yield from tests(inner)
        case _:
            for part in node.nodes:
                yield from tests(part)


def sought_in(node: Node, keys: set[str]) -> list[Predicate]:
    """What a query looks for in just these facts of commands, without what is negated."""
    match node:
        case Leaf(test):
            return [condition.predicate for condition in test.command or () if set(condition.keys) == keys]
        case Not():
            return []
        case _:
            return [predicate for part in node.nodes for predicate in sought_in(part, keys)]


def is_about_one_command(node: Node) -> bool:
    """It holds neither AND nor THEN, so it can be asked of a single command."""
    match node:
        case Leaf():
            return True
        case Not(inner):
            return is_about_one_command(inner)
        case Side(nodes) | Or(nodes):
            return all(map(is_about_one_command, nodes))
        case _:
            return False


def fits(node: Node) -> Formula:
    """What must hold of a session. Raises `TooDeepError`."""
    return _Meaning().session(node)


def listed(node: Node) -> Formula:
    """What must hold of the command `LISTED`, and of the session around it, to be found.

    Raises `TooDeepError`.
    """
    return _Meaning().listing(node, anchored=False)


def every(*parts: Formula) -> Formula:
    if any(part == NEVER for part in parts):
        return NEVER
    kept = tuple(part for part in parts if part != ALWAYS)
    return kept[0] if len(kept) == 1 else Every(kept)


def some(*parts: Formula) -> Formula:
    if any(part == ALWAYS for part in parts):
        return ALWAYS
    kept = tuple(part for part in parts if part != NEVER)
    return kept[0] if len(kept) == 1 else Some(kept)


def never(part: Formula) -> Formula:
    if part in (ALWAYS, NEVER):
        return NEVER if part == ALWAYS else ALWAYS
    return part.part if isinstance(part, Never) else Never(part)


class _Meaning:
    """Numbers the commands that a formula speaks of."""

    def __init__(self) -> None:
        self._numbers = count(LISTED + 1)
        self._steps = 0

    def session(self, node: Node) -> Formula:
        match node:
            case And(nodes):
                return every(*map(self.session, nodes))
            case Or(nodes):
                return some(*map(self.session, nodes))
            case Then(nodes):
                return self._chain(nodes, after=None)
            case Not(inner) if not is_about_one_command(inner):
                return never(self.session(inner))
            case Side(nodes):
                apart, together = _split(nodes)
                return every(*map(self.session, apart), self._group(Side(together)))
            case _:
                return self._group(node)

    def _group(self, node: Node) -> Formula:
        number = next(self._numbers)
        anchor = self.anchor(node, number)
        one = NEVER if anchor == NEVER else Exists(number, every(self.command(node, number), anchor))
        return some(one, self._aside_in(node), self.alone(node))

    def _aside_in(self, node: Node) -> Formula:
        """Some aside takes the place of the command."""
        number = next(self._numbers)
        aside = self.aside(node, number)
        return NEVER if aside == NEVER else Exists(number, aside)

    def _chain(self, nodes: tuple[Node, ...], after: int | None) -> Formula:
        if not nodes:
            return ALWAYS
        number = next(self._numbers)
        rest = self._chain(nodes[1:], number)
        return Exists(number, every(self.command(nodes[0], number), rest), after=after)

    def command(self, node: Node, number: int) -> Formula:
        """What must hold of one command."""
        return every(Ask(_COMMAND, number), self._one(node, number))

    def aside(self, node: Node, number: int) -> Formula:
        """What must hold of an aside that takes the place of a command; NEVER where none can."""
        shown = self.anchor(_of_asides(node), number, only_shown=True)
        if shown == NEVER:
            return NEVER
        return every(Ask(_ASIDE, number), shown, self._one(_of_asides(node), number))

    def _one(self, node: Node, number: int) -> Formula:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise TooDeepError
        match node:
            case Leaf(test):
                own = NEVER if test.command is None else Ask(test.command, number)
                around = test.session if test.around or test.command is None else None
                return some(own, NEVER if around is None else Ask(around))
            case Not(inner):
                return never(self._one(inner, number))
            case Side(nodes):
                return every(*(self._one(part, number) for part in nodes))
            case Or(nodes):
                return some(*(self._one(part, number) for part in nodes))
            case _:
                return self.session(node)

    def anchor(self, node: Node, number: int, *, only_shown: bool = False) -> Formula:
        """What of a group is said of the command itself, or just of its output, and not negated."""
        match node:
            case Leaf(test):
                asks = test.command is not None and (not only_shown or asks_output(test))
                return Ask(test.command, number) if test.command is not None and asks else NEVER
            case Side(nodes) | Or(nodes):
                return some(*(self.anchor(part, number, only_shown=only_shown) for part in nodes))
            case _:
                return NEVER

    def alone(self, node: Node) -> Formula:
        """What must hold of a session as a whole."""
        match node:
            case Leaf(test):
                return NEVER if test.session is None else Ask(test.session)
            case Side(nodes):
                return every(*map(self.alone, nodes))
            case Or(nodes):
                return some(*map(self.alone, nodes))
            case Not(inner):
                return never(self.session(inner))
            case _:
                return self.session(node)

    def listing(self, node: Node, *, anchored: bool) -> Formula:
        match node:
            case Or(nodes):
                return some(*(self.listing(part, anchored=anchored) for part in nodes))
            case And(nodes):
                return self._listing_of_all(nodes)
            case Then(nodes):
                return some(*(self._link(nodes, place) for place in range(len(nodes))))
            case _:
                anchor = self.anchor(node, LISTED) if anchored else ALWAYS
                return some(every(self.command(node, LISTED), anchor), self.aside(node, LISTED))

    def _listing_of_all(self, nodes: tuple[Node, ...]) -> Formula:
        """The commands that its parts speak of; where none does, every command of the session."""
        speaking = [part for part in nodes if _lists(part)]
        if not speaking:
            return every(*(self.listing(part, anchored=False) for part in nodes))
        found = some(*(self.listing(part, anchored=True) for part in speaking))
        return every(found, *map(self.session, nodes))

    def _link(self, nodes: tuple[Node, ...], place: int) -> Formula:
        """The listed command is the one at `place` of a chain."""
        follow = self._chain(nodes[place + 1 :], LISTED)
        return every(self.command(nodes[place], LISTED), self._chain_up_to(nodes[:place], LISTED), follow)

    def _chain_up_to(self, nodes: tuple[Node, ...], before: int) -> Formula:
        if not nodes:
            return ALWAYS
        number = next(self._numbers)
        rest = self._chain_up_to(nodes[:-1], number)
        return Exists(number, every(self.command(nodes[-1], number), rest), before=before)


def _of_asides(node: Node) -> Node:
    """A node that asks of an aside what this one asks of a command; it never holds where it asks for more."""
    match node:
        case Leaf(test):
            return node if _fits_asides(test) else Or(())
        case Not(inner):
            return node if all(map(_fits_asides, tests(inner))) else Or(())
        case Side(nodes):
            return Side(tuple(map(_of_asides, nodes)))
        case Or(nodes):
            return Or(tuple(map(_of_asides, nodes)))
        case _:
            return node


def _fits_asides(test: Test) -> bool:
    return all(set(condition.keys) in _OF_ASIDES for condition in test.command or ())


def asks_output(test: Test) -> bool:
    """The term asks what a command showed."""
    return any("output" in condition.keys for condition in test.command or ())


def _split(nodes: tuple[Node, ...]) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    """The parts that are about the session whatever command stands beside them, and the others."""
    apart = tuple(part for part in nodes if not is_about_one_command(part) and not isinstance(part, Or))
    return apart, tuple(part for part in nodes if part not in apart)


def _lists(node: Node) -> bool:
    """Some term that is not negated speaks of commands."""
    match node:
        case Leaf(test):
            return test.command is not None and test.lists
        case Not():
            return False
        case _:
            return any(map(_lists, node.nodes))
