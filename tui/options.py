"""How a replay begins, as asked on the command line."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlayOptions:
    """`at` in seconds of recording time; `idle` is the limit for skipping, None plays idle time in full."""

    at: float | None = None
    paused: bool = False
    speed: float = 1.0
    idle: float | None = 2.0
    find: str = ""
    """A text to look for: `n` and `N` go to it without being asked for one."""
    card: bool = False
    """Begin with a card that names the keys to know."""
