"""Signs and words for what is known about a recording. A state is never told by colour alone."""

from typing import NamedTuple

from recorder.store.state import State
from recorder.store.verdict import Verdict

_ROLES = {State.VERIFIED: "ok", State.BAD: "bad", State.MISSING: "bad", State.UNREADABLE: "bad"}
_ASCII = str.maketrans(
    {
        "✓": "+",
        "✗": "X",
        "…": ".",
        "–": "-",
        "∅": "0",
        "●": "*",
        "▶": ">",
        "‖": "=",
        "×": "x",
        "→": ">",
        "←": "<",
        "·": ".",
        "│": "|",
        "─": "-",
        "›": ">",
        "‹": "<",
        "▼": "v",
        "▲": "^",
        "¼": "4",
        "┃": "|",
        "↑": "^",
        "↓": "v",
        "╳": "X",
        "◆": "m",
    }
)


class Word(NamedTuple):
    """A sign, a word and the role that colours them."""

    sign: str
    word: str
    role: str

    def __str__(self) -> str:
        return f"{self.sign} {self.word}"


CHECKING = Word("…", "checking", "dim")


def word_of(verdict: Verdict | None, progress: int = 0, key_note: str = "") -> Word:
    """What row 1 says; `progress` in percent while nothing is known yet, `key_note` where it is verified."""
    if verdict is None:
        return CHECKING._replace(word=f"checking {progress}%") if progress else CHECKING
    noted = f"{verdict.word} ({key_note})" if key_note and verdict.state is State.VERIFIED else verdict.word
    return Word(verdict.sign, noted, role_of(verdict.state))


def role_of(state: State) -> str:
    """`ok`, `bad`, or `warn` for everything between."""
    return _ROLES.get(state, "warn")


def in_ascii(text: str) -> str:
    """Our own signs in ASCII; foreign characters become `?`."""
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")
