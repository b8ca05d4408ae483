"""What the player's head, status and hint rows say. Pure."""

from dataclasses import dataclass
from datetime import timedelta, tzinfo
from typing import TYPE_CHECKING

from tui.cells import Part, Row
from tui.clock import speed_label
from tui.recording import Size
from tui.screens.player_keys import HINTS
from tui.source import Subject
from tui.times import offset_label, wall_label
from tui.words import Word

if TYPE_CHECKING:
    from tui.player import Player

HELP = (Part("? help "),)
_CARD = (
    (("Space", "play / pause"), ("← →", "5 seconds"), (", .", "one change"), ("{ }", "speed")),
    (("↑ ↓", "commands"), ("e", "failed ones"), ("[ ]", "marks"), ("/", "search")),
    (("g", "go to a time"), ("d", "every check"), ("?", "all keys"), ("q", "back")),
)


@dataclass(frozen=True, slots=True)
class View:
    """How the picture stands in its pane."""

    size: Size
    offset: tuple[int, int]
    cut: bool


def head_parts(
    subject: Subject, word: Word, zone: tzinfo, wide: bool, view: View | None
) -> tuple[list[Part], list[Part]]:
    """The verification word, who, when, and the short id; the picture's size where it is cut."""
    left = [Part(f" {word}", word.role if word.role != "bad" else "head_bad"), Part(f"  {subject.label}")]
    if when := subject.when(zone, wide):
        left.append(Part(f"  {when}"))
    right = [Part(f" {subject.short} ")]
    if view is not None and view.cut:
        x, y = view.offset
        right.insert(0, Part(f" {view.size} at {x},{y} "))
    return left, right


def status_parts(  # noqa: PLR0913 - the row tells six different things
    player: "Player", subject: Subject, zone: tzinfo, *, said: str, search: str, bad: bool
) -> list[Part]:
    """State, position, search, wall time, pace; or in the middle what was just done."""
    clock = player.clock
    sign = "▶" if clock.playing else "‖"
    position = offset_label(clock.position, tenths=not clock.playing)
    parts = [Part(f" {sign} {position} / {offset_label(player.recording.duration)}")]
    if said:
        parts.append(Part(f"  {said}", "strong"))
    if search:
        parts.append(Part(f"  {search}", "strong"))
    if bad:
        parts.append(Part("  UNVERIFIED", "strong"))
    if subject.start is not None:
        wall = wall_label(subject.start + timedelta(seconds=clock.position), zone)
        parts.append(Part(f"  {wall}"))
    parts.append(Part(f"  {speed_label(clock.speed)}"))
    parts.append(Part(f"  skip idle>{clock.idle_limit:g}s" if clock.skipping else "  idle in full"))
    if player.recording.skipped:
        parts.append(Part(f"  {player.recording.skipped} unreadable events skipped"))
    return parts


def card_rows() -> list[Row]:
    """What a newcomer should know, for as long as no key was pressed."""
    rows = [[part for keys, text in line for part in _named(keys, text)] for line in _CARD]
    return [(), *rows, ()]


def _named(keys: str, text: str) -> tuple[Part, Part]:
    return Part(f"   {keys}", "key"), Part(f" {text}")


def hint_parts() -> list[Part]:
    """The keys that work, most useful first."""
    return [Part(f" {keys} {text} ") for keys, text in HINTS]
