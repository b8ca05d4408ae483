"""A recording as a Markdown document for a postmortem.

Nothing that was recorded can become markup: it stands in code blocks whose fence is longer than any run of
backticks in them, and in code spans delimited likewise.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from recorder.commands import Flag
from recorder.export.outputs import LONGEST_LINE, Told
from recorder.export.survey import Operation
from recorder.safe_text import safe

FOLDED_FROM = 12
"""Lines of output from which it is folded."""
_TICKS = re.compile(r"`+")
_EVIDENCE = {"shell": "reported by the shell, not seen", "both": "seen, and reported by the shell"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A command with the words for its times."""

    told: Told
    clock: str
    """When, on the wall clock or as an offset."""
    length: str


@dataclass(slots=True)
class Shown:
    """Lines of text, as far as they are kept."""

    lines: list[str] = field(default_factory=list)
    left_out: int = 0


def heading(title: str, facts: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The document's first lines. `facts` are pairs of our own name and a recorded or own value."""
    yield f"# Session {code(title)}"
    yield ""
    for name, value in facts:
        if value:
            yield f"- {name}: {code(value)}"


def command_section(entries: Iterable[Entry]) -> Iterator[str]:
    """Every command; a sentence where there is none."""
    yield from ("", "## Commands")
    number = 0
    for number, entry in enumerate(entries, 1):
        yield ""
        yield from _entry(number, entry)
    if not number:
        yield from ("", "No commands in this recording.")


def operation_section(operations: Iterable[tuple[str, Operation | str]]) -> Iterator[str]:
    """What a transfer did to files, with our own words for the time; problems in following it as text."""
    yield from ("", "## Operations on files", "")
    for clock, operation in operations:
        yield f"- {clock} {operation_text(operation)}"


def operation_text(operation: Operation | str) -> str:
    """One of them in one line."""
    if isinstance(operation, str):
        return code(operation)
    target = f" to {code(operation.target)}" if operation.target else ""
    size = "" if operation.size is None else f", {operation.size:,} bytes"
    return f"{code(operation.action)} {code(operation.path)}{target}{size}: {code(operation.outcome)}"


def text_section(name: str, shown: Shown) -> Iterator[str]:
    """`name` is our own; nothing where there are no lines."""
    if shown.lines or shown.left_out:
        yield from ("", f"## {name}")
        yield from _folded(name, shown.lines, shown.left_out)


def code(text: str) -> str:
    """A code span that holds `text`, whatever it is."""
    shown = safe(text, LONGEST_LINE)
    fence = "`" * (_longest_ticks([shown]) + 1)
    if not shown.strip():
        return "(empty)"
    blank = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{blank}{shown}{blank}{fence}"


def block(lines: Iterable[str]) -> Iterator[str]:
    """A code block that holds `lines`, whatever they are."""
    shown = [safe(line, LONGEST_LINE) for line in lines]
    fence = "`" * max(3, _longest_ticks(shown) + 1)
    yield f"{fence}text"
    yield from shown
    yield fence


def _longest_ticks(lines: Iterable[str]) -> int:
    return max((len(run) for line in lines for run in _TICKS.findall(line)), default=0)


def _entry(number: int, entry: Entry) -> Iterator[str]:
    command = entry.told.command
    status = "unknown" if command.exit_status is None else str(command.exit_status)
    yield f"### {number}. {entry.clock}"
    yield ""
    yield from block(command.text.split("\n"))
    yield ""
    facts = [f"exit status {status}", f"took {entry.length}"]
    facts += [f"in {code(command.cwd)}"] if command.cwd else []
    facts += [f"inside {code(command.inside)}"] if command.inside else []
    facts += [_EVIDENCE[command.evidence]] if command.evidence in _EVIDENCE else []
    facts += [f"*{flag}*" for flag in command.flags]
    yield ", ".join(facts)
    if command.seen is not None:
        yield ""
        yield "The screen showed another text:"
        yield ""
        yield from block(command.seen.split("\n"))
    yield from _output(entry.told)


def _output(told: Told) -> Iterator[str]:
    if told.children:
        yield ""
        yield f"{told.children} commands were typed into it; they follow."
        return
    if Flag.FULL_SCREEN in told.command.flags:
        yield ""
        yield "A full-screen program: replay the session to see it."
        return
    if told.lines or told.left_out:
        yield from _folded("Output", told.lines, told.left_out)


def _folded(name: str, lines: list[str], left_out: int) -> Iterator[str]:
    total = len(lines) + left_out
    folded = total > FOLDED_FROM
    yield ""
    if folded:
        yield f"<details><summary>{name}, {total:,} lines</summary>"
        yield ""
    if lines:
        yield from block(lines)
    if left_out:
        yield ""
        yield f"{left_out:,} more lines are left out."
    if folded:
        yield ""
        yield "</details>"
