"""What the shell reports and what the screen showed, held against each other."""

import re
from typing import NamedTuple

from recorder.commands import syntax
from recorder.commands.command import Flag

_JOINTS = re.compile(r"[\s;]+")


class Agreement(NamedTuple):
    """The text to report, the other one where they differ, and how the first came about."""

    text: str
    seen: str | None
    flags: frozenset[Flag]


def agree(told: str, seen: str) -> Agreement:
    """`told` by the shell, which knows what it ran; `seen` on the screen."""
    if same(told, seen):
        joined = "\n" in seen and "\n" not in told  # bash's history joins lines, and drops some blanks
        return Agreement(seen if joined else told, None, frozenset())
    parts = syntax.fixed_parts(seen)
    if parts is not None and syntax.expands(parts, told):
        return Agreement(told, None, frozenset({Flag.EXPANDED}))
    return Agreement(told, seen, frozenset({Flag.DIFFERS}))


def same(told: str, seen: str) -> bool:
    """Both can be one line: a screen does not tell blanks apart, and a history may join lines by `;`."""
    plain_told, plain_seen = told.replace("\\\n", ""), seen.replace("\\\n", "")
    if plain_told.split() == plain_seen.split():
        return True
    lines_joined = "\n" in seen and "\n" not in told
    return lines_joined and _JOINTS.sub("", plain_told) == _JOINTS.sub("", plain_seen)
