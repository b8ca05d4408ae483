"""What it takes to find out whether a formula holds, roughly: what is cheap is asked first."""

from collections.abc import Iterable

from recorder.index.predicates import Matches
from recorder.index.query_tree import Ask, Every, Exists, Formula, Never, Some
from recorder.index.terms import Condition

FACT, TEXT, PATTERN, COMMAND, OUTPUT, CHECK = range(6)
"""A fact of the row at hand, its text, a pattern in it, other commands, output, a verification."""


class Costs:
    """The costs of formulas, each found out once: a formula may be large, and is asked for at every level."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Formula, int]] = {}
        """By the identity of a formula, which is kept: a comparison would go through all of it."""

    def of(self, formula: Formula) -> int:
        known = self._known.get(id(formula))
        if known is None:
            known = self._known[id(formula)] = formula, self._find(formula)
        return known[1]

    def is_fact(self, formula: Formula) -> bool:
        """It asks for no other commands, no output, no verification."""
        return self.of(formula) < COMMAND

    def cheap_first(self, parts: Iterable[Formula]) -> list[Formula]:
        return sorted(parts, key=self.of)

    def _find(self, formula: Formula) -> int:
        match formula:
            case Every(parts) | Some(parts):
                return max(map(self.of, parts), default=FACT)
            case Never(part):
                return self.of(part)
            case Exists():
                return max(COMMAND, self.of(formula.part))
            case Ask(conditions):
                return max(map(_of_condition, conditions), default=FACT)


def _of_condition(condition: Condition) -> int:
    if "check" in condition.keys:
        return CHECK
    if "output" in condition.keys:
        return OUTPUT
    if isinstance(condition.predicate, Matches):
        return PATTERN
    return TEXT if "text" in condition.keys else FACT
