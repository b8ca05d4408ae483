"""Words that every text must hold in which a pattern is found: they name the candidates in an index.

A word is what an index of trigrams finds whatever its case: three or more characters, of which none has a
case beyond ASCII. Where nothing is certain there are no words, never a wrong one.
"""

import itertools
import math
import re
from collections.abc import Callable, Iterable

Word = str | tuple[str, ...]
"""A word, or several of which a text has one."""
Words = tuple[tuple[Word, ...], ...]
"""Any of these, each of which is all of its words. Empty: every text is a candidate."""

_LEAST = 3
_MOST_BRANCHES = 16
_MOST_CHOICES = 2
"""So many places where one of several words stands, beside words that are certain."""
_QUANTIFIER = re.compile(r"\{(\d+)(?:,\d*)?\}")
_GROUP = re.compile(r"\((?:\?(?:P?<[^>]*>|[A-Za-z-]*:))?")
_FLAGS = re.compile(r"\(\?[A-Za-z-]*\)")
_CLASS_ESCAPE = re.compile(r"\\(?:[pP]\{[^}]*\}|[pP].|x\{[^}]*\}|x[0-9A-Fa-f]{2}|[0-7]{1,3}|.)", re.DOTALL)


def words_of(text: str) -> tuple[str, ...]:
    """The words of a plain text."""
    runs: list[str] = [""]
    for character in text:
        if _is_certain(character):
            runs[-1] += character
        else:
            runs.append("")
    return tuple(run for run in runs if len(run) >= _LEAST)


def words_of_pattern(pattern: str) -> Words:
    """The words of a pattern that RE2 accepts."""
    if "\\Q" in pattern or "(?x" in pattern:
        return ()
    try:
        return _Reader(pattern).alternatives()
    except (IndexError, RecursionError):
        return ()


def literal_runs(pattern: str) -> tuple[str, ...]:
    """The words of a pattern that all of its matches have, as far as it has no alternatives."""
    words = words_of_pattern(pattern)
    return tuple(word for word in words[0] if isinstance(word, str)) if len(words) == 1 else ()


def phrase(word: str) -> str:
    """A word in the language of FTS5; nothing of it is read as syntax there."""
    return '"' + word.replace('"', '""') + '"'


def fts_query(words: Words, each: Callable[[str], str] = phrase) -> str:
    """The words in the language of FTS5, `each` put as said."""
    return " OR ".join("(" + " AND ".join(_any_of(word, each) for word in branch) + ")" for branch in words)


def _any_of(word: Word, each: Callable[[str], str]) -> str:
    return each(word) if isinstance(word, str) else f"({' OR '.join(map(each, word))})"


def _is_certain(character: str) -> bool:
    """Printable, and either ASCII or without case: then every index folds it alike."""
    if character.isascii():
        return character.isprintable()
    return character.isprintable() and character.lower() == character.upper() == character.casefold()


class _Reader:
    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0

    def alternatives(self) -> Words:
        """Up to the end or a closing parenthesis, which is left."""
        branches = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            branches.append(self._sequence())
        if any(not branch for branch in branches):
            return ()
        flat = tuple(words for branch in branches for words in branch)
        return flat if len(flat) <= _MOST_BRANCHES else ()

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _sequence(self) -> Words:
        """The runs of plain characters; where there are none, the best of the groups in it."""
        runs, groups, choices = [""], list[Words](), list[str]()
        while self._peek() not in ("", "|", ")"):
            begun = self._at
            literal, inner = self._atom()
            atom = self._text[begun : self._at]
            least, exact = self._repeats()
            choices += _places(literal or few_characters(atom), least, exact=exact)
            if literal and least:
                runs[-1] += literal
            if literal and exact and least == 1:
                continue
            runs.append("")
            if inner and least:
                groups.append(inner)
        return _with_choices(_best(runs, groups), _spelled_out(choices))

    def _atom(self) -> tuple[str, Words]:
        """A character that stands for itself, or the words of a group, or neither."""
        character = self._text[self._at]
        if character == "(":
            return "", self._group()
        if character == "[":
            self._skip_set()
            return "", ()
        if character == "\\":
            return self._escape(), ()
        self._at += 1
        return (character if character not in ".^$" and _is_certain(character) else ""), ()

    def _group(self) -> Words:
        if flags := _FLAGS.match(self._text, self._at):
            self._at = flags.end()
            return ()
        opened = _GROUP.match(self._text, self._at)
        self._at = opened.end() if opened else self._at + 1
        inner = self.alternatives()
        self._at += 1
        return inner

    def _skip_set(self) -> None:
        self._at += 1
        self._at += self._peek() == "^"
        self._at += self._peek() == "]"
        while self._text[self._at] != "]":
            if self._text.startswith("[:", self._at):
                self._at = (
                    self._text.index(":]", self._at) + 2 if ":]" in self._text[self._at :] else self._at + 1
                )
            else:
                self._at += 2 if self._text[self._at] == "\\" else 1
        self._at += 1

    def _escape(self) -> str:
        found = _CLASS_ESCAPE.match(self._text, self._at)
        if found is None:
            raise IndexError
        self._at = found.end()
        character = found[0][1:]
        stands_for_itself = len(character) == 1 and not character.isalnum() and _is_certain(character)
        return character if stands_for_itself else ""

    def _repeats(self) -> tuple[int, bool]:
        """How often the atom stands there at least, and whether exactly so often."""
        sign = self._peek()
        if sign in ("*", "?", "+"):
            self._at += 1
            self._at += self._peek() == "?"
            return int(sign == "+"), False
        counted = _QUANTIFIER.match(self._text, self._at)
        if counted is None:
            return 1, True
        self._at = counted.end()
        self._at += self._peek() == "?"
        return int(counted[1]), "," not in counted[0]


def _best(runs: Iterable[str], groups: list[Words]) -> Words:
    """All long runs; a group of one branch adds its words, one of several serves where nothing else does."""
    certain: list[Word] = [run for run in runs if len(run) >= _LEAST]
    for group in groups:
        if len(group) == 1:
            certain.extend(group[0])
    if certain:
        return (tuple(dict.fromkeys(certain)),)
    return max(groups, key=_weight, default=())


_SPAN = re.compile(r"([0-9A-Za-z_./:=@])(?:-([0-9A-Za-z]))?")


def few_characters(atom: str) -> str:
    """The characters that a set such as `[0-9]` or `\\d` stands for, where they are few; else none."""
    if atom == r"\d":
        return "0123456789"
    inner = atom[1:-1] if atom.startswith("[") else ""
    found, end = "", 0
    while span := _SPAN.match(inner, end):
        first, last = span[1], span[2] or span[1]
        found, end = found + "".join(map(chr, range(ord(first), ord(last) + 1))), span.end()
    return found if end == len(inner) and len(found) <= _MOST_BRANCHES else ""


def _places(characters: str, least: int, *, exact: bool) -> list[str]:
    """What stands at places side by side, each one of these characters; "" is anything, or nothing."""
    if not characters or not least:
        return [""]
    if exact and least <= _LEAST:
        return [characters] * least
    ends = [characters] * min(least, _LEAST)
    return [*ends, "", *ends]


def _spelled_out(choices: list[str]) -> list[tuple[str, ...]]:
    """`/x[0-9]y/` is x0y, or x1y, and so on: all for three places side by side, the fewest words first."""
    spans = (choices[start : start + _LEAST] for start in range(len(choices) - _LEAST + 1))
    known = [span for span in spans if all(span) and math.prod(map(len, span)) <= _MOST_BRANCHES]
    ordered = sorted(known, key=lambda span: math.prod(map(len, span)))
    return [tuple(map("".join, itertools.product(*span))) for span in ordered]


def _with_choices(best: Words, spelled: list[tuple[str, ...]]) -> Words:
    """Words that are certain narrow further with what stands beside them."""
    if not best:
        return tuple((word,) for word in spelled[0]) if spelled else ()
    if len(best) > 1:
        return best
    further = [words for words in spelled if len(words) > 1]
    return ((*best[0], *dict.fromkeys(further[:_MOST_CHOICES])),)


def _weight(words: Words) -> int:
    return min((max(map(_length, branch)) for branch in words), default=0)


def _length(word: Word) -> int:
    return len(word) if isinstance(word, str) else _LEAST
