"""From the events of one recording to what the index keeps of it. No files, no database."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from recorder.cast.events import KEY, OUTPUT, RESIZE, Event
from recorder.cast.header import Header
from recorder.commands import VERSION as EXTRACTION
from recorder.commands import Command, Extractor
from recorder.commands.levels import Running
from recorder.commands.prompt import Prompt
from recorder.commands.transcript import Written
from recorder.index.asides import Aside
from recorder.index.blocks import Block, BlockBuilder
from recorder.index.bulk import BulkPicture
from recorder.index.pages import Page

EXTRACTOR = 1000 * EXTRACTION + 2
"""Of what the index keeps of a recording: rows made under another number are made anew."""

_TELLING = frozenset((OUTPUT, KEY, RESIZE))
"""Events by which something may begin or be written."""
IDLE_S = 5.0
"""A longer pause between two events counts as this much activity."""


_LONGEST_TYPED = 100
"""Lines of one command as it was typed."""
_MOST_HELD = 256 * 1024
"""Bytes that are held back because they may be of a line editor; full-screen programs look like one."""
_LONGEST_PROMPT = 16 * 1024


class CommandRow(NamedTuple):
    """A command as it is kept; see docs/index.md."""

    ordinal: int
    start: float
    duration: float | None
    text: str
    exit_status: int | None
    cwd: str | None
    level: int
    as_user: str | None
    evidence: str
    flags: str


class AsideRow(NamedTuple):
    """What was shown while no command ran; see docs/index.md."""

    ordinal: int
    start: float


@dataclass(slots=True)
class Extracted:
    """What has been found since the last look, and sums over the whole recording so far."""

    commands: list[CommandRow] = field(default_factory=list)
    """What has ended, or goes on where the recording stops."""
    running: list[CommandRow] = field(default_factory=list)
    """What runs at the moment, where that was asked for: it takes the place of what ran at the last one."""
    blocks: list[Block] = field(default_factory=list)
    shown: list[Block] = field(default_factory=list)
    """What the last screen of it shows and may still change, told together with what runs."""
    last_s: float = 0.0
    active_s: float = 0.0
    asides: list[AsideRow] = field(default_factory=list)
    """What has been begun of them."""


@dataclass(slots=True)
class _Begun:
    """A command that has been accepted, with its place in the order of them."""

    running: Running
    ordinal: int
    level: int
    shown_s: float | None = None
    """When it first showed something."""


@dataclass(slots=True)
class _Open:
    """The output of a command that is being read."""

    page: Page
    begun: _Begun
    output_at: int


class RecordingReader(Extractor):
    """Feed it the events of a recording, in order; take what has been found.

    Follows what is running, to read its output as it comes: up to the beginning of the line that may turn
    out to be the next prompt.
    """

    def __init__(self, header: Header, *, with_output: bool) -> None:
        session = header.session
        marks = session.marks if session is not None else None
        super().__init__(header.width, header.height, has_keys=session is not None, marks=marks)
        self._picture = BulkPicture(header.width, header.height)
        self._size = header.width, header.height
        self._bare = session is not None and session.terminal == (0, 0)
        self._with_output = with_output
        self._blocks = BlockBuilder()
        self._rows: list[CommandRow] = []
        self._begun: list[_Begun] = []
        self._next = 0
        self._raw, self._raw_at = b"", 0
        self._open: _Open | None = None
        self._heads: set[str] = set()
        self._aside: Aside | None = Aside(self._page, self._heads, at_once=True)
        """What is shown while no command runs, unless one does."""
        self._asides: list[AsideRow] = []
        self._aside_ordinal: int | None = None
        self._is_greeting = True
        """No prompt has been seen."""
        self._last_s = self._active_s = 0.0

    def read(self, event: Event, data: bytes) -> None:
        """One event; `data` are the exact bytes of an `o`."""
        time, code, _ = event
        if time > self._last_s:
            self._active_s += min(time - self._last_s, IDLE_S)
            self._last_s = time
        if code == OUTPUT and self._with_output:
            self._raw += data
        elif code == RESIZE:
            self._resize_page(event)
        ended = self.add(event, data)
        if ended or code in _TELLING:
            self._follow(ended)

    def end(self) -> None:
        """There are no more events."""
        self._follow(self.finish(), at_end=True)
        self._feed(self._raw_at + len(self._raw))
        self._close_page()
        self._abandon(self._begun)
        self._blocks.flush()
        self._aside = None  # it knows this reader: both would wait for a collection of cycles

    def take(self) -> Extracted:
        """What has been found since the last call."""
        rows, self._rows = self._rows, []
        asides, self._asides = self._asides, []
        return Extracted(rows, [], self._blocks.take(), [], self._last_s, self._active_s, asides)

    def snapshot(self) -> Extracted:
        """The same with what runs now, for a recording that goes on; what is open of a block is ended."""
        shown = self._shown()
        self._blocks.flush()
        taken = self.take()
        taken.running += [_running_row(begun) for begun in self._alive()]
        taken.shown += shown
        return taken

    def _shown(self) -> list[Block]:
        builder = BlockBuilder()
        if self._open is not None:
            for time, text in self._open.page.pending():
                builder.add(self._open.begun.ordinal, time, text)
        elif self._aside is not None:
            for time, text in self._aside.pending(self._prompts()):
                builder.add(self._ordinal_of_aside(time), time, text)
        builder.flush()
        return builder.take()

    # ── commands ──────────────────────────────────────────────────────────────

    def _follow(self, ended: list[Command], *, at_end: bool = False) -> None:
        if len(ended) > 1:
            ended = sorted(ended, key=lambda command: (command.start_s, command.level))
        for command in ended:
            self._end_command(command)
        if at_end:
            return
        running = self._levels.running
        if running is not None:
            self._note_running(running)
        elif self._open is not None or (self._is_greeting and self._has_prompt()):
            self._feed(min(self._line_at, self._edit.begun_at))
            self._close_page()
        if self._with_output:
            is_certain = self._open is None and not self._is_greeting
            self._feed(self._offset if is_certain else self._certain_to())

    def _certain_to(self) -> int:
        """Output before this offset is none of a prompt, nor of a line that is being typed."""
        if len(self._raw) > _MOST_HELD:
            return max(self._line_at, self._raw_at + len(self._raw) - _LONGEST_PROMPT)
        return min(self._line_at, self._edit.begun_at) if self._edit.bracketed else self._line_at

    def _has_prompt(self) -> bool:
        return bool(self._levels.known())

    def _prompts(self) -> list[str]:
        return [prompt.text for prompt in self._levels.known()]

    def _note_running(self, running: Running) -> None:
        begun = self._begun[-1] if self._begun else None
        if begun is None or begun.running is not running:
            self._end_aside(running.output_at, running.prompt.text, (running.text, running.seen or ""))
            level = max(0, len(self._levels.known()) - 1)
            inner = [one for one in self._begun if one.level >= level]
            begun = _Begun(running, self._next, level)
            self._next += 1
            self._open_page(begun, running.output_at)
            self._abandon(inner)
            self._begun.append(begun)
        elif self._open is None or self._open.begun is not begun or self._open.output_at != running.output_at:
            self._open_page(begun, running.output_at)

    def _end_command(self, command: Command) -> None:
        begun = next((begun for begun in reversed(self._begun) if _is_of(command, begun.running)), None)
        if begun is None:
            self._end_aside(command.output.start, command.prompt, (command.text, command.seen or ""))
            self._aside = None if self._open else Aside(self._page, self._heads)
            ordinal = self._next
            self._next += 1
        else:
            ordinal = begun.ordinal
            self._begun.remove(begun)
        self._rows.append(_row(command, ordinal))
        if self._with_output:
            self._end_output(command, ordinal, begun)

    def _end_output(self, command: Command, ordinal: int, begun: _Begun | None) -> None:
        """What was read of it so far, or all of it if it began and ended at once."""
        start, end = command.output
        if begun is None and self._raw_at <= start < end:
            prompt = Prompt(command.prompt, False)
            begun = _Begun(Running("", 0.0, start, prompt, None), ordinal, command.level)
            self._open_page(begun, start)
        if self._open is not None and begun is not None and self._open.begun is begun:
            self._feed(end)
            self._close_page()

    def _alive(self) -> list[_Begun]:
        """Begun, and neither ended nor given up."""
        depth = len(self._levels.known())
        running = self._levels.running
        return [begun for begun in self._begun if begun.level < depth - 1 or begun.running is running]

    def _abandon(self, begun: list[_Begun]) -> None:
        """They never became commands: what they showed was shown while none ran."""
        for one in begun:
            if one.shown_s is not None:
                self._asides.append(AsideRow(one.ordinal, one.shown_s))
        self._begun = [one for one in self._begun if one not in begun]

    # ── output ────────────────────────────────────────────────────────────────

    def _page(self) -> Page:
        return Page(*self._size, bare_line_feeds=self._bare)

    def _open_page(self, begun: _Begun, output_at: int) -> None:
        if not self._with_output:
            return
        if self._open is not None and self._open.begun is not begun:
            self._feed(output_at)
            self._close_page(before=begun.running.prompt)
        self._open = self._aside = None
        self._feed(output_at)
        self._open = _Open(self._page(), begun, output_at)

    def _feed(self, offset: int) -> None:
        """The raw output up to `offset` goes to what is open."""
        count = offset - self._raw_at
        if count <= 0 or not self._raw:
            return
        data, self._raw = self._raw[:count], self._raw[count:]
        self._raw_at += len(data)
        if self._open is not None:
            self._open.page.output(self._last_s, data)
            self._keep_lines(self._open.begun, self._open.page.take())
        elif self._aside is not None and self._aside.output(self._last_s, data):
            self._keep_aside(self._aside.take(self._prompts()))

    def _close_page(self, before: Prompt | None = None) -> None:
        """Nothing more comes on it. The last line with the prompt `before`, and what follows, is not its."""
        if self._open is not None:
            lines = self._open.page.finish(self._last_s)
            self._keep_lines(self._open.begun, _until(lines, before) if before is not None else lines)
            self._open = None
        self._close_aside(())
        self._is_greeting = False
        self._aside = Aside(self._page, self._heads)

    def _end_aside(self, offset: int, prompt: str, typed: tuple[str, ...]) -> None:
        """A command was accepted at that prompt."""
        if self._aside is not None:
            self._feed(offset)
            self._close_aside((prompt,), typed)

    def _close_aside(self, prompts: tuple[str, ...], typed: tuple[str, ...] = ()) -> None:
        if self._aside is not None and not self._aside.is_nothing(accepted=bool(typed)):
            known = [*prompts, *self._prompts()]
            self._keep_aside(self._aside.finish(self._last_s, known, typed))
        self._aside = self._aside_ordinal = None

    def _keep_lines(self, begun: _Begun, lines: Iterable[Written]) -> None:
        for time, text in lines:
            begun.shown_s = time if begun.shown_s is None else begun.shown_s
            self._blocks.add(begun.ordinal, time, text)

    def _keep_aside(self, lines: Iterable[Written]) -> None:
        for time, text in lines:
            self._blocks.add(self._ordinal_of_aside(time), time, text)

    def _ordinal_of_aside(self, time: float) -> int:
        """It has a row as soon as it has a line."""
        if self._aside_ordinal is None:
            self._aside_ordinal, self._next = self._next, self._next + 1
            self._asides.append(AsideRow(self._aside_ordinal, time))
        return self._aside_ordinal

    def _resize_page(self, event: Event) -> None:
        columns, _, rows = event.data.partition("x")
        if columns.isdecimal() and rows.isdecimal() and len(event.data) < 12:
            self._size = int(columns), int(rows)
            page = self._open.page if self._open is not None else self._aside
            if page is not None:
                page.resize(event.time, *self._size)


def _is_of(command: Command, running: Running) -> bool:
    return (command.start_s, command.output.start) == (running.start_s, running.output_at) and (
        command.text == running.text.rstrip()
    )


def _until(written: list[Written], prompt: Prompt) -> list[Written]:
    """The lines before the last one that begins with `prompt`."""
    lines = [Written(time, line) for time, text in written for line in text.split("\n")]
    start = prompt.text.rstrip()
    for place in range(len(lines) - 1, max(-1, len(lines) - _LONGEST_TYPED), -1):
        if start and lines[place].text.startswith(start):
            return lines[:place]
    return lines


def _row(command: Command, ordinal: int) -> CommandRow:
    duration = None if command.end_s is None else command.end_s - command.start_s
    user = _user_of(command.prompt)
    flags = " ".join(command.flags)
    return CommandRow(
        ordinal,
        command.start_s,
        duration,
        command.text,
        command.exit_status,
        command.cwd,
        command.level,
        user,
        command.evidence,
        flags,
    )


def _running_row(begun: _Begun) -> CommandRow:
    running = begun.running
    flags = " ".join(sorted(running.flags))
    return CommandRow(
        begun.ordinal,
        running.start_s,
        None,
        running.text.rstrip(),
        None,
        running.cwd,
        begun.level,
        _user_of(running.prompt.text),
        running.evidence,
        flags,
    )


@lru_cache(256)
def _user_of(text: str) -> str | None:
    """Who the prompt says is at work: its name, or root by its sign."""
    prompt = Prompt(text, False)
    if prompt.who is not None:
        return prompt.who.partition("@")[0]
    return "root" if prompt.mark == "#" else None
