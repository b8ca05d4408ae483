"""Text in output: it begins where a word begins, so that an index of words finds it.

A word is what the tokenizer `unicode61` of FTS5 makes of a text: letters, digits and marks. `out:fatal` finds
"FATAL:" and "fatality", but not "nonfatal"; a pattern finds that, in a slower way.
"""

import re
from collections.abc import Iterator

from recorder.index.predicates import BeginsWord, Contains, OneOf, Predicate, is_of_word
from recorder.index.regex_literals import Words, fts_query, literal_runs

_LEAST_PREFIX = 2
_OLD = 0x600
"""Characters below have been in every version of Unicode that a tokenizer may know."""
_TOKENS = re.compile(r"[^\W_]+|.", re.DOTALL)


def in_output(predicate: Predicate) -> Predicate:
    """What a predicate on text asks of output."""
    match predicate:
        case Contains(text, exact):
            return BeginsWord(text, exact)
        case OneOf(choices):
            return OneOf(tuple(map(in_output, choices)))
        case _:
            return predicate


def output_words(text: str) -> tuple[str, ...]:
    """The words that output has which shows the text; one that may go on ends in `*`."""
    return _words(text, starts=True)


def whole_words(pattern: str) -> Words:
    """The words that output has in which a pattern is found: those that begin and end within it."""
    words = tuple(word for run in literal_runs(pattern) for word in _words(run, starts=False))
    kept = tuple(word for word in words if not word.endswith("*"))
    return (kept,) if kept else ()


def words_query(words: Words) -> str:
    """The words in the language of FTS5."""
    return fts_query(words, _phrase)


def lone_beginnings(words: Words) -> Iterator[str]:
    """Beginnings of words, each of which is enough by itself."""
    for branch in words:
        word = branch[0]
        if len(branch) == 1 and isinstance(word, str) and word.endswith("*"):
            yield word[:-1]


def _phrase(word: str) -> str:
    return f'"{word[:-1]}" *' if word.endswith("*") else f'"{word}"'


def _words(text: str, *, starts: bool) -> tuple[str, ...]:
    """`starts`: the text begins where a word does."""
    parts = _TOKENS.findall(text)
    found: list[str] = []
    for place, part in enumerate(parts):
        if not is_of_word(part[0]) or not all(map(_is_certain, part)):
            continue
        begins = place > 0 or starts
        ends = place + 1 < len(parts)
        neighbours = "".join(parts[max(0, place - 1) : place] + parts[place + 1 : place + 2])
        if not begins or not all(map(_ends_word, neighbours)):
            continue
        if ends:
            found.append(part.lower())
        elif len(part) >= _LEAST_PREFIX:
            found.append(f"{part.lower()}*")
    return tuple(dict.fromkeys(found))


def _is_certain(character: str) -> bool:
    """Every tokenizer takes it for a letter or digit, and folds it alike."""
    lower = character.lower()
    return ord(character) < _OLD and character.isalnum() and len(lower) == 1 and lower == character.casefold()


def _ends_word(character: str) -> bool:
    return ord(character) < _OLD and not is_of_word(character)
