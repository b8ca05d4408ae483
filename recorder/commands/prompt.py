"""Prompts: what they look like, which belong together, which ask for the rest of a command."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

MARKS = "$#%>❯»➜λ›⟩▶→❱⮞±⚡ᐅ"
_LOOKS_LIKE = re.compile(rf"(?:(?<!\d)[{MARKS}][^\s?:]{{0,2}}|^\([\w-]+\))\s*\Z")
_FIRST_MARK = re.compile(rf"^.{{0,200}}?[{MARKS}](?: |\Z)")
_QUESTION = re.compile(r"(?:\?|:|\]|\))\s*\Z")
_ZSH = (
    "(?:[db]?quote|cmdsubst|for|while|until|if|then|else|elif|case|select|function|heredocd?|pipe|cmdand|cmdor"
    "|array|subsh|cursh|repeat|math|mathsubst|braceparam|foreach|errbrace|bslash|cond)"
)
"""The constructs that zsh names in a secondary prompt."""
_MORE = re.compile(
    rf"^\s*(?:(?:{_ZSH}\s?+)*+>|\.{{2,}}|\.\.\.:|\|)\s*\Z"  # bash, zsh, python, sqlite, node
    r"|^[\w./@:\[\]-]*[-'\"(*$!^][#>]\s*\Z"  # psql, mysql
    r"|^\s*(?:->|'>|\">|`>|/\*>|\.{2,3}>)\s*\Z"
)
_PSQL_STATE = re.compile(r"(?P<begin>.*\w/?)(?P<state>[-=^!@*'\"$(])(?P<end>[*!?]?[#>] ?)")
_WORDS = re.compile(r"[^\W_]+(?:[\w./~+@:-]*\w)?|[~/][\w./+-]*")
_WORD = re.compile(r"[\w./~+@:-]*")
_PLACE = re.compile(r"(?:^|[\s:\[(])((?:~|/)[^\s\])$#%>]*)")
_WHO = re.compile(r"([\w.-]+@[\w.-]+)")


_REMEMBERED = 256
"""Prompts of which is kept what was found in them: most stand there again and again."""
LONGEST = 400
"""Characters of a line up to which it can be a prompt."""


class Prompt(NamedTuple):
    """The last line of a prompt, up to the cursor. `bracketed`: its shell switched bracketed paste on."""

    text: str
    bracketed: bool

    @property
    def mark(self) -> str:
        """The sign it ends with."""
        return self.text.rstrip()[-1:]

    @property
    def who(self) -> str | None:
        """`user@host`, if it says so."""
        return _who_of(self.text)

    @property
    def place(self) -> str | None:
        """The directory in it, as written there."""
        return _place_of(self.text)

    def same_family(self, other: "Prompt") -> bool:
        """`other` may be this prompt in another directory, at another time, or after another command."""
        if self.text == other.text:
            return True
        if self.bracketed != other.bracketed or self.mark != other.mark or self.who != other.who:
            return False
        return skeleton(self.text) == skeleton(other.text) or self.who is not None

    def goes_on(self, main: "Prompt") -> bool:
        """psql's secondary prompt, in whatever form: its main one with another sign for `=`."""
        own, others = _PSQL_STATE.fullmatch(self.text), _PSQL_STATE.fullmatch(main.text)
        if not own or not others or own["state"] not in "-*'\"$(" or others["state"] not in "=^!@":
            return False
        return own["end"] == others["end"] and skeleton(own["begin"]) == skeleton(others["begin"])

    def begins(self, line: str) -> int | None:
        """How much of `line` is this prompt, exactly or with other words in it; None if it is not."""
        if line.startswith(self.text):
            return len(self.text)
        bare = self.text.rstrip()
        if bare and line == bare:
            return len(line)
        return _same_shape(self.text, line)


@lru_cache(_REMEMBERED)
def _who_of(prompt: str) -> str | None:
    found = _WHO.search(prompt)
    return found[1] if found else None


@lru_cache(_REMEMBERED)
def _place_of(prompt: str) -> str | None:
    found = _PLACE.search(prompt)
    return found[1].rstrip(":") if found else None


def looks_like_prompt(text: str) -> bool:
    """By its last characters: a sign that prompts end with, and no question."""
    return bool(_LOOKS_LIKE.search(text[-80:]))


def is_question(text: str) -> bool:
    """`Password: `, `Continue? `, `[Y/n] `: a program asks."""
    return bool(_QUESTION.search(text[-80:])) and not looks_like_prompt(text)


def asks_for_more(text: str) -> bool:
    """A secondary prompt: `> `, `dquote> `, `... `, `   ...> `, `postgres-# `."""
    return len(text) < 80 and bool(_MORE.search(text))


def guess_end(line: str) -> int | None:
    """Where the prompt in `line` ends, by the first sign of one."""
    found = _FIRST_MARK.match(line)
    return found.end() if found else None


def without_typed(text: str, known: Iterable[Prompt], *, exact: bool) -> str:
    """The prompt of a line in which typing may have begun; `exact` where it is known that it had not."""
    complete, prompts = text.endswith(" ") or looks_like_prompt(text), list(known)
    if complete and exact:
        return text
    for prompt in prompts:
        if text.startswith(prompt.text):
            return prompt.text
    if complete:
        return text
    ends = [prompt.begins(text) for prompt in prompts]
    end = next((end for end in [*ends, guess_end(text)] if end), None)
    return text[:end]


@lru_cache(_REMEMBERED)
def skeleton(text: str) -> str:
    """What stays the same while words and numbers change."""
    return re.sub(r"\s+", " ", _WORDS.sub("w", text))


def _same_shape(prompt: str, line: str) -> int | None:
    """Where `prompt` ends in `line` if every word of it may be another; signs must stand where they stood.

    One pass: recorded text must not be able to make this slow.
    """
    first, *parts = _WORDS.split(prompt)
    if not parts or not any(part.strip() for part in (first, *parts)) or not line.startswith(first):
        return None
    place = len(first)
    for part in parts:
        word = _WORD.match(line, place)
        place = line.find(part, place, (word.end() if word else place) + len(part))
        if place < 0:
            return None
        place += len(part)
    return place
