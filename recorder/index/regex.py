"""Patterns, run by RE2: time linear in the text, so no pattern hangs and no recorded text can make one hang.

RE2 knows neither look-around nor references back; what it refuses is refused with the place in the pattern.
"""

import re
import warnings
from functools import lru_cache

import re2

from recorder.safe_text import safe

_MAX_MEMORY = 2 * 1024 * 1024
"""Bytes for program and states: what does not fit is refused or runs without a cache, still linear."""
_MAX_PROGRAM = 1000
"""Steps of a program; each character of a text costs at most this many."""
_TOO_LARGE = "the pattern is too large, use smaller repeats"
_NEVER_CAPITALS = re.compile(r"\\[pP]\{[^}]*\}|\\[pP].|\\.|\(\?P?<[^>]*>|\[:[^:]*:\]", re.DOTALL)

_REASONS = (
    ("missing ), unterminated subpattern", "unclosed group"),
    ("unterminated character set", "unclosed set"),
    ("unbalanced parenthesis", 'unexpected ")"'),
    ("nothing to repeat", "nothing to repeat"),
    ("multiple repeat", "repeated twice"),
    ("min repeat greater than max repeat", "the smaller number comes first"),
)
_UNSUPPORTED = (
    (r"\(\?<?[=!]", "looking ahead or behind is not supported"),
    (r"\\[1-9]|\(\?P=", "referring back to a group is not supported"),
    (r"\(\?>|[*+?}]\+", "possessive repeats are not supported"),
    (r"\{\d*,?\d{4,}", "repeats over 1000 are not supported"),
)


class PatternError(ValueError):
    """A pattern that cannot be read; the message is a lower-case fact with the place in the pattern."""


class Regex:
    """A pattern to be found anywhere in a text, `.` not matching a line feed unless it says `(?s)`."""

    def __init__(self, pattern: str, *, exact: bool) -> None:
        """`exact` minds case. Raises `PatternError`."""
        self.pattern = pattern
        self.exact = exact
        self._compiled = _compile(pattern, exact)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Regex) and (self.pattern, self.exact) == (other.pattern, other.exact)

    def __hash__(self) -> int:
        return hash((self.pattern, self.exact))

    def __repr__(self) -> str:
        return f"Regex({self.pattern!r}, exact={self.exact})"

    def found_in(self, text: str | bytes) -> bool:
        """Whether it matches somewhere; bytes are UTF-8."""
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        return self._compiled.search(data) is not None

    def spans(self, text: str) -> list[tuple[int, int]]:
        """The characters of every match that is not empty, start included and end not."""
        found = (match.span() for match in self._compiled.finditer(text))
        return [(start, end) for start, end in found if end > start]


def minds_case(pattern: str) -> bool:
    """Smart case: a capital letter that stands for itself makes a pattern exact."""
    plain = _NEVER_CAPITALS.sub("", pattern)
    return plain != plain.lower()


@lru_cache(maxsize=64)
def _compile(pattern: str, exact: bool) -> "re2._Regexp":
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = exact
    options.max_mem = _MAX_MEMORY
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        raise PatternError(_reason(pattern, error)) from error
    if compiled.programsize > _MAX_PROGRAM:
        raise PatternError(_TOO_LARGE)
    return compiled


def _reason(pattern: str, error: Exception) -> str:
    """Why RE2 refused it, in the words of the field, with the place (from 1) where that is known."""
    for shape, reason in _UNSUPPORTED:
        if found := re.search(shape, pattern):
            return f"{reason} at {found.start() + 1}"
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as problem:
        return _python_reason(problem)
    detail = error.args[0] if error.args else b""
    text = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
    if text.startswith(("invalid repetition size", "pattern too large")):
        return _TOO_LARGE
    return safe(text, 120) or "it cannot be read"


def _python_reason(problem: Exception) -> str:
    if not isinstance(problem, re.error):
        return "the pattern is nested too deeply"
    words = next((text for start, text in _REASONS if problem.msg.startswith(start)), problem.msg)
    return f"{safe(words, 120)} at {(problem.pos or 0) + 1}"
