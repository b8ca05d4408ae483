"""Which shell or interpreter a prompt belongs to, and which commands are running in the ones outside it."""

from dataclasses import dataclass, field
from enum import Enum, auto

from recorder.commands import syntax
from recorder.commands.agreement import agree, same
from recorder.commands.command import Command, Flag, Span
from recorder.commands.line_edit import MAX_TEXT, Typed
from recorder.commands.prompt import Prompt, asks_for_more, is_question

MAX_LEVELS = 64
_LONGEST_CHECKED = 8 * 1024
"""Characters of a command that are looked at at every prompt."""
_MULTIPLEXERS = frozenset({"tmux", "screen", "zellij", "byobu", "dtach", "abduco"})


@dataclass(slots=True)
class Running:
    """A command whose end has not been seen."""

    text: str
    start_s: float
    output_at: int
    prompt: Prompt
    cwd: str | None
    flags: set[Flag] = field(default_factory=set)
    references: list[str] | None = None
    seen: str | None = None
    """What the screen showed, if the shell reported another text."""
    evidence: str = "screen"
    exit_status: int | None = None


class Phase(Enum):
    """What the recorded shell reported last."""

    UNKNOWN = auto()
    PROMPT = auto()
    RUNNING = auto()


@dataclass(slots=True)
class Level:
    """A shell or interpreter: its latest prompt and what it runs."""

    prompt: Prompt | None = None
    running: Running | None = None
    alternate: bool = False
    """It lives on the alternate screen."""


class Levels:
    """From the recorded shell inwards."""

    def __init__(self) -> None:
        self._stack = [Level()]
        self._leaving = False
        self._together: list[Running] = []
        """Accepted in one go at the recorded shell's prompt; it reports them one by one."""
        self._asked = False
        """The recorded shell has asked for a command since the last one was accepted."""
        self._tells_ends = True
        self.phase = Phase.UNKNOWN
        self.cwd: str | None = None
        """The directory that the innermost shell reported last."""

    def known(self) -> list[Prompt]:
        """The prompts of all levels, the innermost first; not those without any text."""
        return [level.prompt for level in reversed(self._stack) if level.prompt and level.prompt.text]

    @property
    def running(self) -> Running | None:
        """What the innermost shell runs."""
        return self._stack[-1].running

    @property
    def in_multiplexer(self) -> bool:
        """Another terminal may be drawn on the alternate screen."""
        return any(
            level.running is not None and syntax.program(level.running.text) in _MULTIPLEXERS
            for level in self._stack
        )

    @property
    def reads_rows(self) -> bool:
        """The innermost program reads data, and no commands, until it is told their end."""
        return self.running is not None and syntax.reads_rows(self.running.text)

    @property
    def sets_prompt(self) -> bool:
        """The innermost shell was told another prompt just now."""
        return self.running is not None and syntax.sets_prompt(self.running.text)

    def leave(self) -> None:
        """The innermost shell was told to end."""
        self._leaving = True

    # ── prompts ───────────────────────────────────────────────────────────────

    def asks_more(self, prompt: Prompt, *, quiet: bool) -> bool:
        """`prompt` asks for the rest of the running command."""
        main, running = self._stack[-1].prompt, self.running
        if self.phase is Phase.RUNNING and len(self._stack) == 1:
            return False
        if main is None or running is None or prompt.bracketed != main.bracketed:
            return False
        if prompt.text == main.text:
            return asks_for_more(main.text) and syntax.incomplete(running.text)
        if quiet and (prompt.goes_on(main) or self._is_open(prompt, main, running)):
            return True
        if not quiet or not asks_for_more(prompt.text) or "PS1=" in running.text:
            return False
        return not syntax.starts_shell(running.text)

    def asks_itself(self, prompt: Prompt) -> bool:
        """`prompt` is a question that what runs asks, with the line editor of the shell or interpreter."""
        if self.running is None or not prompt.bracketed or not syntax.reads_line(self.running.text):
            return False
        return is_question(prompt.text) and not any(prompt.same_family(known) for known in self.known())

    def _is_open(self, prompt: Prompt, main: Prompt, running: Running) -> bool:
        """A shell wants the rest of its line, by a prompt of whatever looks."""
        if not prompt.bracketed or prompt.same_family(main) or len(running.text) > _LONGEST_CHECKED:
            return False
        return syntax.incomplete(running.text)

    def arrive(self, prompt: Prompt, time: float, offset: int, *, alternate: bool) -> list[Command]:
        """A prompt is shown: what ran before it has ended, unless it started the shell that shows it."""
        depth = self._within_reports(self._depth_of(prompt, alternate))
        self._leaving = False
        ended: list[Command] = []
        if self.phase is Phase.PROMPT:
            ended = self._unreported([*self._together, *self._left()], time, offset)
            self._together, self._stack[0].running = [], None
        if depth == len(self._stack) and depth < MAX_LEVELS:
            self._stack.append(Level(alternate=alternate))
        else:
            ended += self._close(max(0, min(depth, len(self._stack) - 1)), time, offset)
            if len(self._stack) == 1:
                self._stack[0].alternate = alternate  # a recording may begin inside tmux
        self._stack[-1].prompt = prompt
        if self.phase is Phase.RUNNING and depth == 0:  # a shell that does not tell when it asks
            self.phase, self._asked = Phase.PROMPT, False
        return ended

    def _close(self, depth: int, time: float | None, offset: int) -> list[Command]:
        """Ends what runs on level `depth` and further in."""
        ended = []
        for number in range(len(self._stack) - 1, depth - 1, -1):
            running = self._stack[number].running
            if running is not None:
                ended.append(self._command(number, running, time, offset))
            self._stack[number].running = None
        del self._stack[depth + 1 :]
        return ended[::-1]

    def _command(self, depth: int, running: Running, time: float | None, offset: int) -> Command:
        outer = self._stack[depth - 1].running if depth else None
        return Command(
            text=running.text.rstrip(),
            start_s=running.start_s,
            end_s=None if time is None else max(time, running.start_s),
            output=Span(running.output_at, max(offset, running.output_at)),
            exit_status=running.exit_status,
            cwd=running.cwd,
            level=depth,
            inside=outer.text if outer else None,
            prompt=running.prompt.text,
            evidence=running.evidence,
            flags=tuple(sorted(running.flags)),
            seen=running.seen,
        )

    def _within_reports(self, depth: int) -> int:
        """`depth`, or another one if the recorded shell says whether it waits for a command itself."""
        if self.phase is Phase.PROMPT:
            return 0
        outer = self._stack[0].running
        if self.phase is Phase.RUNNING and depth == 0 and self._tells_ends:
            if outer is None or syntax.program(outer.text) != "exec":
                return 1
            self.phase = Phase.UNKNOWN  # another shell took its place, and reports nothing
        return depth

    def _depth_of(self, prompt: Prompt, alternate: bool) -> int:
        """The level that shows the prompt; one more than there are for a new one."""
        top, here = self._stack[-1], len(self._stack) - 1
        if here == 0 and top.prompt is None and top.running is None:
            return 0
        if alternate != top.alternate:
            return here + 1 if alternate else self._primary_depth(prompt)
        leaving = self._leaving or (top.running is not None and syntax.leaves_shell(top.running.text))
        outer = self._outer(prompt) if leaving and here else None
        return self._depth_from(top, prompt) if outer is None else outer

    def _depth_from(self, top: Level, prompt: Prompt) -> int:
        """For a prompt on the screen that the innermost shell is on."""
        here, running = len(self._stack) - 1, top.running
        if top.prompt is None:
            return here
        if running is not None and syntax.starts_shell(running.text):
            return here + 1
        if prompt.text == top.prompt.text:
            return here
        return self._depth_of_other(prompt, top.prompt, running)

    def _depth_of_other(self, prompt: Prompt, main: Prompt, running: Running | None) -> int:
        """For a prompt that differs from the innermost shell's last one."""
        here = len(self._stack) - 1
        exact = [n for n in range(here) if (own := self._stack[n].prompt) and own.text == prompt.text]
        if exact:
            return exact[-1]
        family = prompt.same_family(main)
        if running is not None and syntax.may_start_shell(running.text) and not family:
            return here + 1
        if family:
            return here
        if (outer := self._outer(prompt)) is not None:
            return outer
        if running is None or syntax.changes_prompt(running.text):
            return here
        return here if (prompt.mark, prompt.bracketed) == (main.mark, main.bracketed) else here + 1

    def _outer(self, prompt: Prompt) -> int | None:
        """The innermost level outside this one that the prompt can be of."""
        for number in range(len(self._stack) - 2, -1, -1):
            own = self._stack[number].prompt
            if own is not None and prompt.same_family(own):
                return number
        return None

    def _primary_depth(self, prompt: Prompt) -> int:
        """Back on the primary screen: the shells of the alternate one are gone."""
        depths = [number for number, level in enumerate(self._stack) if not level.alternate]
        for number in reversed(depths):
            own = self._stack[number].prompt
            if own is not None and prompt.same_family(own):
                return number
        return depths[-1] if depths else 0

    # ── commands ──────────────────────────────────────────────────────────────

    def begin(self, typed: Typed, time: float, offset: int, flags: set[Flag]) -> list[Command]:
        """A command was accepted at the prompt that arrived last; its output begins at `offset`.

        Answers what was accepted with it and ran before it.
        """
        flags |= {Flag.TOGETHER} if typed.before else set()
        before = [self._running(text, typed, time, offset, flags) for text in typed.before]
        running = self._running(typed.text, typed, time, offset, flags)
        depth = len(self._stack) - 1
        if depth == 0 and self.phase is Phase.RUNNING:
            self._seen_late(running)
            return []
        unreported = []
        if depth == 0 and self.phase is Phase.PROMPT:
            unreported = self._unreported([*self._together, *self._left()], time, offset)
            self._together, before, self._asked = before, [], False
        self._stack[-1].running = running
        return unreported + [self._command(depth, running, time, offset) for running in before]

    # ── reports of the recorded shell ─────────────────────────────────────────

    def report_end(self, status: int | None, time: float, offset: int) -> list[Command]:
        """The recorded shell is about to show its prompt: whatever it ran has ended."""
        ended: list[Command] = []
        if self.phase is Phase.RUNNING:
            if (running := self._stack[0].running) is not None:
                running.exit_status = status
            ended = self._close(0, time, offset)
            self._stack[0].running = self._together.pop() if self._together else None
        self.phase, self._tells_ends, self._asked = Phase.PROMPT, True, True
        return ended

    def report_start(self, told: str | None, cwd: str | None, time: float, offset: int) -> list[Command]:
        """The recorded shell runs a command; `told` is its text, if it says so."""
        ended = self._without_end(told, time, offset) if self.phase is Phase.RUNNING else []
        waiting = [*self._together, *self._left()]
        self.phase, self._together, self._stack[0].running = Phase.RUNNING, [], None
        if len(waiting) > 1 and told is not None:
            told, waiting = _parted(told, waiting)
        if not waiting and told is None:
            return ended
        if not waiting:
            prompt = self._stack[0].prompt or Prompt("", bracketed=False)
            self._stack[0].running = Running(told or "", time, offset, prompt, cwd, evidence="shell")
            return ended
        place = next((n for n, one in enumerate(waiting) if told is not None and same(told, one.text)), 0)
        self._together = waiting[place + 1 :]
        self._stack[0].running = _confirmed(waiting[place], told, cwd, time, offset)
        return ended + self._unreported(waiting[:place], time, offset)

    def _left(self) -> list[Running]:
        """What was accepted at the recorded shell's prompt, and is not reported yet."""
        running = self._stack[0].running
        return [running] if running is not None and running.evidence == "screen" else []

    def _without_end(self, told: str | None, time: float, offset: int) -> list[Command]:
        """The shell did not tell that the last command ended: its prompt was taken for another shell's."""
        self._tells_ends = False
        inner = self._stack[-1].running if len(self._stack) > 1 else None
        if inner is None or told is None or not same(told, inner.text):
            return self._close(0, time, offset)
        self._stack[-1].running = None
        ended = self._close(0, inner.start_s, inner.output_at)
        self._stack[0].running = inner
        return ended

    def _unreported(self, waiting: list[Running], time: float | None, offset: int) -> list[Command]:
        """What the recorded shell did not run: without Enter it was not even accepted.

        Where it has not asked for another command since, it was run in a way that is not reported.
        """
        kept = [one for one in waiting if Flag.NO_KEY not in one.flags or not self._asked]
        for one in kept:
            one.flags |= {Flag.UNREPORTED} if self._asked else set()
        return [self._command(0, one, time, offset) for one in kept]

    def _seen_late(self, seen: Running) -> None:
        """The line of a command that is running already."""
        running = self._stack[0].running
        if running is not None and running.evidence == "shell" and same(running.text, seen.text):
            running.evidence, running.prompt, running.start_s = "both", seen.prompt, seen.start_s

    def marks_are_strange(self) -> bool:
        """What runs is a program of which no shell's marks are expected."""
        running = self._stack[0].running
        if self.phase is not Phase.RUNNING or running is None or len(self._stack) > 1:
            return False
        return not any(syntax.may_start_shell(part) for part in syntax.simple_commands(running.text))

    def note_forged(self, certain: bool) -> None:
        """It is certain, or it is not, that the output of what the recorded shell runs holds marks."""
        if certain and (running := self._stack[0].running) is not None:
            running.flags.add(Flag.FORGED_MARKS)

    def _running(self, text: str, typed: Typed, time: float, offset: int, flags: set[Flag]) -> Running:
        flags = set(flags)
        if typed.guessed:
            flags.add(Flag.GUESSED)
        if typed.cut:
            flags.add(Flag.CUT)
        cwd = typed.prompt.place or self.cwd
        return Running(text, time, offset, typed.prompt, cwd, flags, syntax.fixed_parts(text))

    def go_on(self, text: str, offset: int) -> None:
        """Another line of the running command."""
        running = self.running
        if running is None:
            return
        running.output_at = offset
        running.references = None
        if len(running.text) + len(text) < MAX_TEXT:
            running.text += f"\n{text}"
        else:
            running.flags.add(Flag.CUT)

    def forget(self) -> None:
        """The command was given up before it was complete: it never ran."""
        self._stack[-1].running = None

    def first_line(self, line: str) -> None:
        """The first line of output: what history references stood for, or that there was nothing."""
        running = self.running
        if running is None or running.references is None:
            return
        parts, running.references = running.references, None
        if line.endswith(("event not found", "substitution failed", "bad word specifier")):
            self.forget()
        elif line != running.text and syntax.expands(parts, line):
            running.text = line
            running.flags.add(Flag.EXPANDED)

    def full_screen(self) -> None:
        """The innermost program took the alternate screen."""
        for level in reversed(self._stack):
            if level.running is not None:
                level.running.flags.add(Flag.FULL_SCREEN)
                return

    def finish(self, time: float | None, offset: int) -> list[Command]:
        """Everything that still runs; `time` is None where the recording only stops."""
        left = self._unreported(self._together, time, offset)
        return left + self._close(0, time, offset)


def _parted(told: str, waiting: list[Running]) -> tuple[str | None, list[Running]]:
    """Where all that was accepted in one go is told as one: by bash's history, or because it is one."""
    texts = [one.text.rstrip() for one in waiting]
    if told == "\n".join(texts):
        return None, waiting
    if "".join(told.split()) != "".join("".join(texts).split()):
        return told, waiting
    waiting[-1].text = told
    return told, waiting[-1:]


def _confirmed(seen: Running, told: str | None, cwd: str | None, time: float, offset: int) -> Running:
    """What was seen, with what the shell reports of it; its output begins at `offset`."""
    if Flag.TOGETHER in seen.flags:
        seen.start_s = time
    seen.flags.discard(Flag.TOGETHER)
    if told is not None:
        agreed = agree(told, seen.text)
        seen.text, seen.seen = agreed.text, agreed.seen
        seen.flags = (seen.flags | agreed.flags) - {Flag.GUESSED, Flag.CUT}
    seen.evidence, seen.output_at, seen.cwd, seen.references = "both", offset, cwd or seen.cwd, None
    return seen
