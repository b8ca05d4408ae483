"""Keys that wait for their effect."""

import re
from collections import deque
from dataclasses import dataclass

_END_OF_INPUT = re.compile(r"\^D\s*[A-Z]?[a-z]*\Z")
_GOOD_BYE = re.compile(r"exit|logout")
_STALE_S = 0.3
"""A Ctrl-C that had no effect for this long was ignored."""


@dataclass(slots=True)
class Key:
    """A `K` event that waits for its effect."""

    time: float
    name: str
    canonical: bool
    echoed: str | None = None
    """The line that the terminal itself echoed for it, while no prompt stood there."""
    made_line: bool = False
    """Its editor went to another line, and did not end."""


def take_key(keys: deque[Key], text: str) -> Key | None:
    """The key that ended a line with this text; those that had no effect before it are dropped."""
    while keys:
        key = keys.popleft()
        if key.name == "ctrl-d" and text:
            continue
        if key.name == "ctrl-c" and keys and keys[0].time - key.time > _STALE_S:
            continue
        return key
    return None


def drop_done(keys: deque[Key], written_s: float, *, untouched: bool) -> None:
    """The editor waits for a key, and wrote last at `written_s`: what it made of earlier ones is known.

    Another line of the same command; or nothing stands behind the prompt, which is `untouched`: fish 4 takes
    a line back where it stands.
    """
    while keys and keys[0].time <= written_s:
        if not keys[0].made_line and not (untouched and keys[0].name == "ctrl-c"):
            return
        keys.popleft()


def is_end_of_input(text: str, keys: deque[Key], *, has_keys: bool) -> bool:
    """Ctrl-D, though text stands there: libedit echoes it, and programs say good-bye on the same line."""
    pressed = keys[0].name == "ctrl-d" if keys else not has_keys
    if pressed and len(keys) == 1 and _GOOD_BYE.fullmatch(text):
        return True
    return pressed and bool(_END_OF_INPUT.match(text))


def is_aborted(text: str, key: Key | None) -> bool:
    """A line was given up: by its key, or by what the terminal shows where keys are not recorded."""
    return key.name == "ctrl-c" if key else text.endswith("^C")
