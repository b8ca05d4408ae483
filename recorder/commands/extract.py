"""From the events of a recording to the commands that were run in it."""

from collections import deque
from collections.abc import Iterable, Iterator

from recorder.cast.events import EXIT, KEY, OUTPUT, RESIZE, Event
from recorder.cast.header import Header
from recorder.cast.reader import merge_bytes
from recorder.commands.command import Command, Flag
from recorder.commands.keys import Key, drop_done, is_aborted, is_end_of_input, take_key
from recorder.commands.levels import Levels, Phase
from recorder.commands.line_edit import MAX_TEXT, LineEdit, Typed, read_typed
from recorder.commands.marks import ASKS, EDITOR_ON, KEYBOARD_OFF, MOVES, PROMPT_BEFORE, RUNS, Cutter, goes_up
from recorder.commands.picture import Picture
from recorder.commands.prompt import LONGEST, Prompt, looks_like_prompt, without_typed
from recorder.commands.reports import Authority, ForeignMarks, ForgedMark, directory_of, exit_status
from recorder.terminal import AltScreen

VERSION = 5
"""Of what is extracted: the same recording gives the same commands under the same number."""

SETTLED_S = 0.025
"""After this long without output a prompt is complete."""
_LATE_S = 2.0
"""What was typed ahead this long ago may still come up at a prompt."""
_LONG_READ = 16 * 1024
_MAX_KEYS = 256


class Extractor:
    """Feed it events in order; it hands out commands as they end. Memory does not grow with the recording."""

    def __init__(self, columns: int, rows: int, *, has_keys: bool, marks: str | None = None) -> None:
        """`marks` is the digest of the secret in the recorded shell's own marks, if it was given one."""
        self._picture = Picture(columns, rows)
        self._authority = Authority(marks)
        self._cutter = Cutter(marks=self._authority.exists)
        self._levels = Levels()
        self._has_keys = has_keys
        self._now = self._written_s = 0.0
        self._offset = 0
        self._line_s, self._line_at = 0.0, 0
        self._tail = b""
        self._right = ""
        self._cooked = False
        self._keys: deque[Key] = deque(maxlen=_MAX_KEYS)
        self._ahead = 0
        self._edit = LineEdit(False, 0.0, 0)
        self._done: list[Command] = []
        self._ended = False
        self._told: str | None = None
        self._reported_cwd: str | None = None
        self.foreign = ForeignMarks()
        """Marks of others than the recorded shell's own hooks."""

    # ── events ────────────────────────────────────────────────────────────────

    def add(self, event: Event, data: bytes) -> list[Command]:
        """One event; `data` are the exact bytes of an `o`. Answers what has ended by it."""
        time, code, _ = event
        if code == OUTPUT:
            self._output(time, data)
        elif code == KEY:
            self._key(event)
        elif code == RESIZE:
            self._resize(event)
        elif code == EXIT:
            self._now = max(self._now, time)
            self._ended = True
        return self._take()

    def finish(self) -> list[Command]:
        """The commands that the end of the recording ends."""
        self._pause(silence=True)
        self._levels.note_forged(self.foreign.finish())
        self._done += self._levels.finish(self._now if self._ended else None, self._offset)
        return self._take()

    def _take(self) -> list[Command]:
        done, self._done = self._done, []
        return done

    def _output(self, time: float, data: bytes) -> None:
        if time - self._written_s >= SETTLED_S:
            self._pause(silence=True)
        self._now = self._written_s = time
        data = self._cutter.add(data)
        if data:
            self._edit.break_off(drawn=data.startswith(b"\r"))
        before = self._interruptible(data)
        start = 0
        while start < len(data):
            text, cut = self._cutter.next_piece(data, start, self._wants_ends(data))
            start += len(text) + len(cut)
            text = self._close(text) if text and self._edit.closing else text
            if text:
                self._write(text)
            if cut.endswith(b"\n") and self._goes_up(data, start):
                self._write(cut)
            elif cut:
                self._cut(cut)
        if before is not None:
            self._note_interruption(before)
        self._note_events()

    def _goes_up(self, data: bytes, start: int) -> bool:
        """An editor without marks comes back from this end of line: it only wrote below the line."""
        return not self._edit.bracketed and bool(self._keys) and goes_up(data, start)

    def _resize(self, event: Event) -> None:
        if event.time - self._written_s >= SETTLED_S:
            self._pause(silence=True)  # a narrow terminal may not hold the prompt
        columns, _, rows = event.data.partition("x")
        if columns.isdecimal() and rows.isdecimal() and len(event.data) < 12:
            self._picture.resize(int(columns), int(rows))
            self._edit.resized = True

    def _key(self, event: Event) -> None:
        name, _, modes = event.data.partition(" ")
        self._has_keys = True
        if name.startswith("paste"):
            self._edit.pasted = self._edit.pasted or name == "paste-begin"
            return
        if modes == "noecho canonical":
            self._edit.secret = name == "enter" or self._edit.secret
            return
        self._edit.secret = False
        self._pause(silence=event.time - self._written_s >= SETTLED_S)
        self._now = max(self._now, event.time)
        self._keys.append(Key(event.time, name, modes.endswith("canonical")))

    def _note_events(self) -> None:
        for event in self._picture.take_events():
            if not isinstance(event, AltScreen):
                self._levels.cwd = directory_of(event.url)
            elif event.entered:
                self._levels.full_screen()
            elif self._edit.alternate:
                self._edit = LineEdit(False, self._now, self._offset)

    # ── output ────────────────────────────────────────────────────────────────

    def _wants_ends(self, data: bytes) -> bool:
        """Whether the next end of line can mean something."""
        edit = self._edit
        if self._keys or edit.secret:
            return True
        if edit.bracketed:  # full-screen programs switch it on, too, and write many lines
            return edit.closing or not self._has_keys
        running = self._levels.running
        if running is not None and running.references is not None:
            return True
        if len(data) > _LONG_READ or (self._has_keys and not self._ahead):
            return False
        return edit.prompt is not None or any(
            known.mark.encode("utf-8", "replace") in data for known in self._levels.known()
        )

    def _write(self, data: bytes, *, shown: bool = True) -> None:
        if shown:
            self._picture.feed(data)
        ends = data.count(b"\n")
        if ends:
            self._new_line(self._offset + data.rfind(b"\n") + 1)
            self._edit.ends += ends
        self._offset += len(data)
        self._tail = (self._tail + data)[-32:] if len(data) < 32 else data[-32:]

    def _new_line(self, offset: int) -> None:
        self._line_s, self._line_at = self._now, offset
        if not self._edit.bracketed:
            self._edit.prompt = None
            self._edit.arrived = self._edit.more = False

    def _cut(self, cut: bytes) -> None:
        if cut.endswith(b"\n"):
            self._end_of_line(cut)
        elif cut.startswith(b"\x1b]"):
            self._mark(cut)
        elif cut == EDITOR_ON:
            self._write(cut)
            self._editor_on()
        else:
            self._editor_off(cut)

    def _editor_on(self) -> None:
        """A line editor starts: its prompt is coming, or stands there already."""
        before, _ = self._picture.cursor_line()
        paused = self._edit.paused
        if paused and not (self._edit.redrawn and (self._is_untouched() or looks_like_prompt(before))):
            self._edit.paused = False
            return
        shown = bool(before.strip()) and bool(PROMPT_BEFORE.search(self._tail[: -len(EDITOR_ON)]))
        drawn = shown or (self._picture.alternate and before.strip())
        place = (self._line_s, self._line_at) if drawn else (self._now, self._offset - len(EDITOR_ON))
        left = "" if shown or self._picture.alternate else before
        left = left or self._picture.filled_above()
        quiet, alternate = self._edit.ends == 0, self._picture.alternate
        self._edit = LineEdit(True, *place, quiet=quiet, left=left, alternate=alternate)
        self._edit.right = self._right
        self._edit.exact = shown and not paused
        if shown:
            self._settled(silence=False)

    def _editor_off(self, cut: bytes) -> None:
        """The line editor ends: the line was accepted or given up."""
        edit, picture = self._edit, self._picture
        if not edit.bracketed or edit.closing:
            self._write(cut)
        elif picture.column == 0 and not picture.line_at(picture.row).text:
            typed = self._read(picture.row - 1) if self._is_above() else None
            self._write(cut)
            self._accept(typed)
        elif self._is_given_up():
            self._write(cut)
            self._give_up()
        else:
            edit.closing, edit.closing_row = True, picture.row
            self._write(cut)

    def _is_above(self) -> bool:
        """The line stands above the cursor's row; an empty one without a prompt does not."""
        if self._edit.empty and self._edit.ends == 0:
            return False
        return self._picture.row > 0 or not self._picture.alternate

    def _close(self, data: bytes) -> bytes:
        """zsh leaves the line by moving down where a row is free below; answers what is not of the move."""
        if KEYBOARD_OFF.match(data):
            self._edit.closing, self._edit.paused = False, True
            return data
        moves = MOVES.match(data)
        end = moves.end() if moves else 0
        if end:
            self._write(data[:end])
        picture = self._picture
        if end < len(data) and picture.column == 0 and picture.row > self._edit.closing_row:
            self._accept(self._read(picture.row - 1))
        return data[end:]

    def _is_untouched(self) -> bool:
        """Nothing stands behind the prompt."""
        before, behind = self._picture.cursor_line()
        prompt = self._edit.prompt
        return prompt is not None and before == prompt.text and behind.strip() == self._edit.right

    def _is_given_up(self) -> bool:
        """Ctrl-C, or Ctrl-D on an empty line: the cursor is still where it was typed."""
        if self._keys:
            return self._keys[0].name != "enter"
        before, _ = self._picture.cursor_line()
        return before.endswith("^C")

    def _give_up(self) -> None:
        if self._keys and self._keys.popleft().name == "ctrl-d":
            self._levels.leave()
        if self._edit.more:
            self._levels.forget()
        self._edit = LineEdit(False, self._now, self._offset)

    def _end_of_line(self, cut: bytes) -> None:
        edit = self._edit
        if edit.ends == 0 and not edit.bracketed:
            self._levels.first_line(self._picture.line_at(self._picture.row).text)
        if edit.bracketed and not edit.closing and self._keys and self._keys[0].name == "ctrl-c":
            self._start_over()
        if edit.bracketed and not edit.closing and (self._keys or not self._has_keys):
            edit.behind = self._picture.suggestion()
            for key in self._keys:
                key.made_line = True
        typed = None
        if not edit.secret and (edit.closing or self._may_accept()):
            typed = self._read(self._picture.row)
        edit.secret = False
        if typed is None and not edit.bracketed:
            self._note_echo()
        self._write(cut)
        if edit.closing or typed is not None:
            self._accept(typed)

    def _note_echo(self) -> None:
        """A line typed while something runs: for it, or ahead for the shell."""
        for key in self._keys:
            if key.canonical and key.echoed is None:
                key.echoed = self._picture.line_at(self._picture.row).text
                return

    def _start_over(self) -> None:
        """fish gives a line up without leaving its editor."""
        self._keys.popleft()
        old = self._edit
        self._edit = LineEdit(True, old.begun_s, old.begun_at, right=self._right)

    def _may_accept(self) -> bool:
        """Whether this end of line can be that of a line just typed, by what was pressed."""
        if self._edit.bracketed:
            return self._picture.alternate and bool(self._keys) and self._edit.prompt is not None
        return bool(self._keys) or self._ahead > 0 or not self._has_keys

    # ── reports of the recorded shell ─────────────────────────────────────────

    def _mark(self, mark: bytes) -> None:
        self._edit.redrawn = self._edit.redrawn or mark.startswith(ASKS)
        if mark.startswith(RUNS) and self._edit.paused and self._picture.column == 0:
            self._accept(self._read(self._picture.row - 1))  # the editor was off already
        report = self._authority.read(mark)
        if report is None:
            self._note_foreign(mark)
        elif report.kind == "E":
            self._told = report.value.rstrip()[:MAX_TEXT] or None
        elif report.kind == "P":
            self._reported_cwd = report.value[:MAX_TEXT]
        elif report.kind == "D":
            self._levels.note_forged(self.foreign.end(self._offset))
            self._done += self._levels.report_end(exit_status(report), self._now, self._offset)
        elif report.kind == "A":
            self._done += self._levels.report_end(None, self._now, self._offset)
        self._write(mark, shown=report is None or not self._picture.pass_over())
        if report is not None and report.kind == "C":
            self._started()

    def _started(self) -> None:
        """The shell runs a line; fish says so before its editor is off."""
        edit, picture = self._edit, self._picture
        if edit.bracketed and self._levels.phase is Phase.PROMPT and picture.column == 0:
            self._accept(self._read(picture.row - 1))
        told, self._told = self._told, None
        self.foreign.start(self._offset)
        self._done += self._levels.report_start(told, self._reported_cwd, self._now, self._offset)

    def _note_foreign(self, mark: bytes) -> None:
        """A mark of another shell's integration, or one that a program forges."""
        if self._levels.phase is Phase.PROMPT:
            self.foreign.at_prompt(mark)
        elif self._levels.marks_are_strange():
            self._levels.note_forged(self.foreign.note(mark, self._now, self._offset))

    # ── prompts ───────────────────────────────────────────────────────────────

    def _pause(self, *, silence: bool) -> None:
        """Output stands still, or a key was pressed."""
        rest = self._cutter.rest()
        if rest:
            self._write(rest)
        self._settled(silence=silence)
        self._edit.break_off(drawn=False)
        if silence and self._keys and self._edit.bracketed:
            drop_done(self._keys, self._written_s, untouched=self._is_untouched())

    def _settled(self, *, silence: bool) -> None:
        """If a prompt was being written, it is complete."""
        edit = self._edit
        first, edit.looked = not edit.looked, True
        if edit.prompt is not None and not first:
            return
        at_start = self._picture.column == 0
        if edit.bracketed and silence and first and at_start and edit.ends == 0:
            edit.empty = not self._picture.cursor_line()[1]
        if edit.prompt is not None or at_start or edit.closing:
            return
        before, behind = self._picture.cursor_line()
        text = self._behind_output(before)
        prompt = Prompt(without_typed(text, self._levels.known(), exact=edit.exact), edit.bracketed)
        edit.answers = edit.answers or (first and self._levels.asks_itself(prompt))
        unfit = not prompt.text.strip() or len(text) > LONGEST or edit.answers
        if unfit or not self._is_plausible(prompt, first):
            return
        edit.prompt = prompt
        apart = len(text.rstrip()) <= len(prompt.text) or behind.startswith("  ")
        edit.right = self._right = behind.strip() if apart else ""
        if not edit.bracketed:
            edit.begun_s, edit.begun_at = self._line_s, self._line_at
            edit.quiet = edit.ends == 0
        if edit.bracketed or prompt in self._levels.known():
            self._arrive(prompt)
            if silence:
                late = [key for key in self._keys if self._now - key.time < _LATE_S]
                self._ahead = sum(key.name == "enter" for key in late)
                self._keys.clear()

    def _behind_output(self, before: str) -> str:
        """The prompt without what a program left on its line."""
        edit = self._edit
        edit.left = edit.left or self._picture.filled_above()
        text = before.removeprefix(edit.left)
        if not text.strip():
            text, edit.left = before, ""
        for known in self._levels.known():
            if not edit.bracketed and len(text) > len(known.text) > 1 and text.endswith(known.text):
                edit.left = before[: -len(known.text)]
                return known.text
        return text

    def _is_plausible(self, prompt: Prompt, first: bool) -> bool:
        """A shell or interpreter may wait here for a command, and not a program for an answer."""
        known = any(prompt.same_family(other) for other in self._levels.known())
        if self._picture.alternate:
            shell = self._levels.in_multiplexer or (prompt.bracketed and first)
            return known or (shell and looks_like_prompt(prompt.text))
        if not prompt.bracketed and self._levels.reads_rows:
            return False
        if self._edit.empty and not known and not looks_like_prompt(prompt.text):
            return False
        if prompt.bracketed or known or self._levels.asks_more(prompt, quiet=self._edit.ends == 0):
            return True
        return looks_like_prompt(prompt.text) or self._levels.sets_prompt

    def _arrive(self, prompt: Prompt) -> None:
        edit = self._edit
        edit.arrived = True
        edit.more = self._levels.asks_more(prompt, quiet=edit.quiet)
        if not edit.more:
            alternate = self._picture.alternate
            self._done += self._levels.arrive(prompt, edit.begun_s, edit.begun_at, alternate=alternate)

    # ── lines ─────────────────────────────────────────────────────────────────

    def _read(self, last_row: int) -> Typed | None:
        edit, alternate = self._edit, self._picture.alternate
        if edit.bracketed and (edit.alternate != alternate or edit.answers):
            return None
        if alternate and edit.looked and edit.prompt is None:
            return None
        typed = read_typed(self._picture, self._edit, self._levels.known(), last_row)
        if typed is None or edit.prompt is not None or edit.bracketed:
            return typed
        return typed if typed.text else None

    def _accept(self, typed: Typed | None) -> None:
        """A line has left the editor."""
        edit = self._edit
        if typed is not None and is_end_of_input(typed.text, self._keys, has_keys=self._has_keys):
            typed = typed._replace(text="")
        key = take_key(self._keys, typed.text if typed else "")
        if key is None:
            self._ahead = max(0, self._ahead - 1)
        if typed is not None and key is not None and not edit.bracketed:
            typed = self._typed_ahead(typed, key)
        if typed is not None and not is_aborted(typed.text, key):
            self._run(typed, edit, key)
        elif edit.more or (typed and self._levels.asks_more(typed.prompt, quiet=edit.quiet)):
            self._levels.forget()
        if key is not None and key.name == "ctrl-d" and not (typed and typed.text):
            self._levels.leave()
        self._edit = LineEdit(False, self._now, self._offset)

    def _typed_ahead(self, typed: Typed, key: Key) -> Typed:
        """Without a line editor what was typed ahead is not shown again: output follows the prompt."""
        if key.echoed is None:
            self._cooked = key.canonical
            return typed
        return typed._replace(text=key.echoed, guessed=True) if self._cooked else typed

    def _run(self, typed: Typed, edit: LineEdit, key: Key | None) -> None:
        unkeyed = key is None and self._has_keys and not self._ahead
        if unkeyed and not any(typed.prompt.same_family(known) for known in self._levels.known()):
            return
        if not edit.arrived:
            self._arrive(typed.prompt)
        if edit.more:
            self._levels.go_on(typed.text, self._offset)
        elif typed.text:
            start = self._now if key is None else max(key.time, edit.begun_s)
            flags = {Flag.ON_ALTERNATE} if self._picture.alternate else set()
            flags |= {Flag.NO_KEY} if unkeyed else set()
            self._done += self._levels.begin(typed, start, self._offset, flags)

    # ── other output on the line ──────────────────────────────────────────────

    def _interruptible(self, data: bytes) -> str | None:
        """What has been typed so far, if `data` can be another program's output."""
        edit = self._edit
        if not edit.bracketed or edit.prompt is None or edit.pasted or self._keys or b"\n" not in data:
            return None
        before, _ = self._picture.cursor_line()
        if edit.carried_ends >= 0 and not before.startswith(edit.prompt.text):
            return edit.carried + before
        return before[len(edit.prompt.text) :] if before.startswith(edit.prompt.text) else None

    def _note_interruption(self, before: str) -> None:
        """A line feed without Enter that leaves an empty line: the rest is typed there."""
        edit, drawn = self._edit, self._tail.endswith(b"\r")
        if edit.bracketed and edit.prompt is not None and self._picture.column == 0 and not drawn:
            edit.broken = before[-MAX_TEXT:]


def extract(
    header: Header, events: Iterable[Event], forged: list[ForgedMark] | None = None
) -> Iterator[Command]:
    """The commands of a recording, each when it ends; marks among programs' output go to `forged`."""
    marks = header.session.marks if header.session is not None else None
    has_keys = header.session is not None
    extractor = Extractor(header.width, header.height, has_keys=has_keys, marks=marks)
    extractor.foreign.forged = forged if forged is not None else []
    for event, data in merge_bytes(events):
        yield from extractor.add(event, data)
    yield from extractor.finish()
