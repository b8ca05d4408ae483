"""Whether a command shows something in its output, asked for one command after the other by SQLite."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from recorder.index.compile import predicate_words
from recorder.index.output_words import in_output
from recorder.index.predicates import BeginsWord, Matches, OneOf, Predicate
from recorder.index.regex import PatternError, Regex
from recorder.index.search_outputs import Block, Outputs

_KEPT_SESSIONS = 512
_NOT_BY_LINES = re.compile(r"\\[Az]|\(\?[a-zA-Z]*-?[a-zA-Z]*m")
"""What ties a pattern to the ends of its text, or says itself what a line is."""


class Shows:
    """Looks at single commands where an index of words names few pieces, else at whole sessions once."""

    def __init__(self, outputs: Outputs, predicates: list[Predicate], few: int) -> None:
        """`few`: up to so many pieces are few."""
        self._outputs = outputs
        self._predicates = predicates
        self._few = few
        self._pieces: dict[int, frozenset[int] | None] = {}
        self._of_session = lru_cache(_KEPT_SESSIONS)(self._look_at_session)

    def __call__(self, number: int, command: int, session: int) -> int:
        """Whether the command of that session shows what the predicate with that number asks for."""
        pieces = self._named_pieces(number)
        if pieces is None:
            return int(command in self._of_session(number, session))
        predicate = self._predicates[number]
        return int(any(shows(predicate, text) for text in self._outputs.texts(command, pieces)))

    def sessions(self, number: int, sessions: list[int]) -> list[int]:
        """Those of the sessions in which something may show what the predicate with that number asks for.

        All of them where an index of words names few pieces.
        """
        if self._named_pieces(number) is not None:
            return sessions
        predicate = self._predicates[number]
        found: set[int] = set()
        for block in self._outputs.blocks(sessions):
            if block.session not in found and _may_show(predicate, block):
                found.add(block.session)
        return sorted(found)

    def _named_pieces(self, number: int) -> frozenset[int] | None:
        if number not in self._pieces:
            words = predicate_words("output", self._predicates[number])
            self._pieces[number] = self._outputs.pieces(words, self._few) if words else None
        return self._pieces[number]

    def _look_at_session(self, number: int, session: int) -> frozenset[int]:
        predicate = self._predicates[number]
        found: set[int] = set()
        for block in self._outputs.blocks([session]):
            if _may_show(predicate, block):
                found.update(self._shown_in(block, predicate))
        return frozenset(found)

    def _shown_in(self, block: Block, predicate: Predicate) -> Iterator[int]:
        """The commands and asides that show it there."""
        stands_in = _reader(predicate, block)
        for command, start, size in self._outputs.parts(block):
            fits = stands_in(start, start + size) if stands_in else shows(predicate, block.part(start, size))
            if fits:
                yield command


def shows(predicate: Predicate, text: str) -> bool:
    """Whether one of the lines fits."""
    if not may_show(predicate, text):
        return False
    if isinstance(predicate, BeginsWord) and _is_in_one_line(predicate):
        return True
    return any(map(predicate.holds, text.split("\n")))


def _may_show(predicate: Predicate, block: Block) -> bool:
    """A pattern reads what is ASCII as it is kept."""
    if isinstance(predicate, Matches) and block.data.isascii():
        lines = by_lines(predicate)
        return lines is None or lines.regex.found_in(block.data)
    stands_in = _reader(predicate, block)
    return stands_in(0, len(block.data)) if stands_in else may_show(predicate, block.text)


def _reader(predicate: Predicate, block: Block) -> Callable[[int, int], bool] | None:
    """Whether parts of the block show it, where that can be told from its bytes."""
    if isinstance(predicate, BeginsWord) and _is_in_one_line(predicate):
        return predicate.reader_of(block.data)
    return None


def _is_in_one_line(predicate: BeginsWord) -> bool:
    """Where it stands anywhere, it stands in one of the lines."""
    return "\n" not in predicate.text


def may_show(predicate: Predicate, text: str) -> bool:
    """A quick look at all lines at once: False where none of them fits."""
    match predicate:
        case BeginsWord():
            return predicate.holds(text)
        case Matches():
            lines = by_lines(predicate)
            return lines is None or lines.holds(text)
        case OneOf(choices):
            return any(may_show(in_output(choice), text) for choice in choices)
        case _:
            return True


@lru_cache(64)
def by_lines(predicate: Matches) -> Matches | None:
    """The pattern for many lines at once: it fits where it fits one of them, and perhaps elsewhere."""
    regex = predicate.regex
    if _NOT_BY_LINES.search(regex.pattern):
        return None
    try:
        return Matches(Regex(f"(?m){regex.pattern}", exact=regex.exact))
    except PatternError:
        return None
