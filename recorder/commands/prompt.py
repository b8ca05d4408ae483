"""Prompts: what they look like, which belong together, which ask for the rest of a command."""

import re
from dataclasses import dataclass

MARKS = "$#%>❯»➜λ›⟩▶→❱⮞±⚡ᐅ"
_LOOKS_LIKE = re.compile(rf"(?:[{MARKS}]\S{{0,2}}|^\([\w-]+\))\s*\Z")
_FIRST_MARK = re.compile(rf"^.{{0,200}}?[{MARKS}](?: |\Z)")
_QUESTION = re.compile(r"(?:\?|:|\]|\))\s*\Z")
_MORE = re.compile(
    r"(?:^|\s)(?:(?:[\w-]+\s?)*>|\.{2,}|\.\.\.:|\|)\s*\Z"  # bash, zsh, python, sqlite, node
    r"|^[\w./@:-]*[-'\"(*$!^][#>]\s*\Z"  # psql, mysql
    r"|^\s*(?:->|'>|\">|`>|/\*>|\.{2,3}>)\s*\Z"
)
_WORDS = re.compile(r"[^\W_]+(?:[\w./~+@:-]*\w)?|[~/][\w./+-]*")
_PLACE = re.compile(r"(?:^|[\s:\[(])((?:~|/)[^\s\])$#%>]*)")
_WHO = re.compile(r"([\w.-]+@[\w.-]+)")


@dataclass(frozen=True, slots=True)
class Prompt:
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
        found = _WHO.search(self.text)
        return found[1] if found else None

    @property
    def place(self) -> str | None:
        """The directory in it, as written there."""
        found = _PLACE.search(self.text)
        return found[1].rstrip(":") if found else None

    def same_family(self, other: "Prompt") -> bool:
        """`other` may be this prompt in another directory, at another time, or after another command."""
        if self.text == other.text:
            return True
        if self.bracketed != other.bracketed or self.mark != other.mark or self.who != other.who:
            return False
        return _skeleton(self.text) == _skeleton(other.text) or self.who is not None

    def begins(self, line: str) -> int | None:
        """How much of `line` is this prompt, exactly or with other words in it; None if it is not."""
        if line.startswith(self.text):
            return len(self.text)
        bare = self.text.rstrip()
        if bare and line == bare:
            return len(line)
        found = _shape(self.text).match(line)
        return found.end() if found else None


def looks_like_prompt(text: str) -> bool:
    """By its last characters: a sign that prompts end with, and no question."""
    return bool(_LOOKS_LIKE.search(text)) and len(text) < 400


def is_question(text: str) -> bool:
    """`Password: `, `Continue? `, `[Y/n] `: a program asks."""
    return bool(_QUESTION.search(text)) and not looks_like_prompt(text)


def asks_for_more(text: str) -> bool:
    """A secondary prompt: `> `, `dquote> `, `... `, `   ...> `, `postgres-# `."""
    return bool(_MORE.search(text)) and len(text) < 80


def guess_end(line: str) -> int | None:
    """Where the prompt in `line` ends, by the first sign of one."""
    found = _FIRST_MARK.match(line)
    return found.end() if found else None


def _skeleton(text: str) -> str:
    return re.sub(r"\s+", " ", _WORDS.sub("w", text))


def _shape(text: str) -> re.Pattern[str]:
    """The prompt with every word of it free; a sign or bracket must stand where it stood."""
    parts = _WORDS.split(text)
    if not any(part.strip() for part in parts):
        return _NEVER
    return re.compile(r"[\w./~+@:-]*?".join(re.escape(part) for part in parts))


_NEVER = re.compile(r"(?!)")
