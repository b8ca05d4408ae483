"""A command as it is reported, and what may be said about it besides."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Flag(StrEnum):
    """What a reader of a command should know."""

    FULL_SCREEN = "full-screen"
    """A program took the alternate screen while it ran: its output is a picture, not lines."""
    ON_ALTERNATE = "alternate-screen"
    """It was typed on the alternate screen, where a plain reading of the session would not show it."""
    EXPANDED = "expanded"
    """History references were typed; `text` is what the shell said they stood for."""
    GUESSED = "guessed"
    """No prompt was known; where it ends was told from its looks alone."""
    NO_KEY = "no-key"
    """Accepted without Enter, which the recording would tell: by another key, or not typed at all."""
    TOGETHER = "together"
    """Accepted in one go with others; what they wrote is counted to the last."""
    CUT = "cut"
    """The text was longer than what is kept of it."""
    DIFFERS = "differs"
    """The shell reported another text than the screen showed; `seen` is what was shown."""
    UNREPORTED = "unreported"
    """A shell that reports what it runs said nothing of it: not valid, given up, or not its own."""
    FORGED_MARKS = "forged-marks"
    """Its output held marks such as only a shell writes. They count for nothing."""


class Span(NamedTuple):
    """A part of the recorded output: offsets into the exact bytes of all `o` events, end excluded."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Command:
    """One command. Foreign text throughout: pass it through `safe` before showing it."""

    text: str
    """As it was run: lines joined by "\\n", without blanks at the end."""
    start_s: float
    """When it was accepted, in seconds of recording time."""
    end_s: float | None
    """When the next prompt came; None if the recording stops before."""
    output: Span
    exit_status: int | None
    """As the shell reported it; None where it did not: the screen does not tell it."""
    cwd: str | None
    """The directory as the prompt or the shell named it, `~` and abbreviations included."""
    level: int
    """0 in the recorded shell, 1 in a shell or interpreter that was started from it, and so on."""
    inside: str | None
    """The command that started the shell or interpreter it was typed into; None on level 0."""
    prompt: str
    """The line before the cursor when typing began."""
    evidence: str
    """`screen`: seen; `shell`: reported by the shell itself; `both`."""
    flags: tuple[Flag, ...]
    seen: str | None = None
    """What the screen showed, where the shell reported another text."""
