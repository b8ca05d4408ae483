"""A line while it is being typed, and how the finished one is read off the screen."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from recorder.commands import syntax
from recorder.commands.picture import LogicalLine, Picture
from recorder.commands.prompt import Prompt, guess_end, skeleton

MAX_TEXT = 64 * 1024
_MORE = re.compile(r" *\.{3}:?(?: |\Z)")
"""What python's editors write before further lines of one input."""
_GAP = re.compile(r" {2,}(?=\S)")
_GROWN = 40
"""A right prompt has at most so many characters more than it had, with the blanks before it."""
_MAX_LINES = 400
_MAX_GROUP = 40


@dataclass(slots=True)
class LineEdit:
    """What is known of the place where the user may be typing."""

    bracketed: bool
    """Its program switched bracketed paste on: a line editor, which switches it off when it is done."""
    begun_s: float
    begun_at: int
    """Offset into the output."""
    exact: bool = False
    """The prompt stood complete when it began."""
    left: str = ""
    """What an earlier program left on the line before the prompt."""
    prompt: Prompt | None = None
    right: str = ""
    """What stood behind the cursor before typing began: a right prompt."""
    behind: str = ""
    """What stood behind the cursor at the last end of line: a suggestion that was not taken."""
    ends: int = 0
    """Ends of lines written since."""
    quiet: bool = False
    """Nothing was written between the last accepted line and this prompt."""
    pasted: bool = False
    closing: bool = False
    """The editor is off, and leaves the line with the next line feed."""
    closing_row: int = 0
    """The cursor's row when it went off."""
    paused: bool = False
    """The editor is off, and comes back to this line: it only asked a program for something."""
    redrawn: bool = False
    """The prompt was drawn again in the pause."""
    alternate: bool = False
    """It stands on the alternate screen."""
    looked: bool = False
    """It stood still before: what is on its line now need not be a prompt alone."""
    empty: bool = False
    """It stood still before it had written a prompt: there may be none."""
    secret: bool = False
    answers: bool = False
    """What is typed is the answer to a program's question."""
    arrived: bool = False
    more: bool = False
    """It goes on with the command before it."""
    broken: str | None = None
    """Typed before a line feed that came without Enter: of other output, or of rows that the editor draws."""
    carried: str = ""
    """Typed before other output broke into the line."""
    carried_ends: int = field(default=-1)

    resized: bool = False
    """The size changed while it was typed: the prompt may stand there twice."""

    def break_off(self, *, drawn: bool) -> None:
        """What the line feed was of shows: bash, which has `drawn` a row, begins the next one with CR."""
        if self.broken is not None and not drawn:
            self.carried, self.carried_ends = self.broken, self.ends
        self.broken = None

    @property
    def reach(self) -> int:
        """How many lines up it can have begun. Behind the end of a line, the editor has ended one more."""
        if not self.bracketed:
            return 1
        return max(1, min(self.ends + self.closing, _MAX_LINES))


class Typed(NamedTuple):
    """An accepted line, or several that one editor held."""

    text: str
    prompt: Prompt
    guessed: bool
    cut: bool
    before: tuple[str, ...] = ()
    """Commands of their own that were accepted with it, and ran before it."""


def read_typed(picture: Picture, edit: LineEdit, known: Iterable[Prompt], last_row: int) -> Typed | None:
    """What stands behind the prompt, from there to `last_row`; None where no prompt is."""
    if edit.carried_ends >= 0:
        typed = _after_noise(picture, edit, last_row)
        if typed is not None:
            return typed
    lines = list(picture.upwards(last_row, edit.reach))
    prompts = [edit.prompt] if edit.prompt else []
    prompts += [prompt for prompt in known if prompt not in prompts]
    for place, prompt, end in _places(lines, prompts, edit):
        return _typed(picture, edit, prompt, _Region(place, end, last_row), guessed=False)
    if edit.empty and edit.prompt is None and lines and not _names_its_host(lines[0].text):
        return _typed(
            picture, edit, Prompt("", bracketed=True), _Region(lines[0], 0, last_row), guessed=False
        )
    if edit.bracketed or (edit.prompt is None and not prompts):
        return _guess(picture, edit, lines, last_row)
    return None


def _names_its_host(line: str) -> bool:
    end = guess_end(line)
    return end is not None and Prompt(line[:end], bracketed=True).who is not None


class _Region(NamedTuple):
    line: LogicalLine
    prompt_end: int
    last_row: int


def _places(
    lines: list[LogicalLine], prompts: list[Prompt], edit: LineEdit
) -> Iterator[tuple[LogicalLine, Prompt, int]]:
    """Where a prompt stands: the surest first, the lowest first."""
    left = edit.left
    for prompt in prompts:
        for line in lines:
            text = line.text.removeprefix(left)
            if edit.resized and prompt.text in text:
                yield line, prompt, line.text.rfind(prompt.text) + len(prompt.text)
            if text.startswith(prompt.text) or text == prompt.text.rstrip():
                yield line, prompt, len(line.text) - len(text) + len(prompt.text)
    for prompt in prompts:
        for line in lines:
            end = prompt.begins(line.text.removeprefix(left))
            if end is not None:
                text = line.text.removeprefix(left)
                yield line, Prompt(text[:end], prompt.bracketed), len(line.text) - len(text) + end


def _typed(picture: Picture, edit: LineEdit, prompt: Prompt, region: _Region, *, guessed: bool) -> Typed:
    first = region.line.text[region.prompt_end :]
    line, columns = region.line, picture.screen.size[0]
    at_edge = line.first == line.last and len(line.text) >= columns - 1
    first = _without_right(first, edit.right, at_edge=at_edge)
    first, *shown = _whole(picture, first, region, max(1, len(prompt.text)))
    rest = _without_indent(shown, len(prompt.text), first)
    if edit.behind:
        *others, last = [first, *rest]
        first, *rest = [*others, last.removesuffix(edit.behind).rstrip()]
    if rest and all(_MORE.match(line) for line in rest):
        text = "\n".join([first, *(_MORE.sub("", line) for line in rest)]).rstrip()
        return Typed(text[:MAX_TEXT], prompt, guessed, len(text) > MAX_TEXT)
    if rest in (shown, []) and edit.bracketed and not edit.closing:
        return _split([first, *rest], prompt, guessed)
    text = "\n".join([first, *rest]).rstrip()
    return Typed(text[:MAX_TEXT], prompt, guessed, len(text) > MAX_TEXT)


def _whole(picture: Picture, first: str, region: _Region, indent: int) -> list[str]:
    """The lines from `first` on. fish goes to the next row by itself where a line reaches the edge.

    Its further lines stand `indent` columns to the right.
    """
    result, row = [first], region.line.last + 1
    while row <= region.last_row:
        line = picture.line_at(row)
        edge = picture.edge(row - 1)
        if line.text[:indent].strip() and edge:
            result[-1] += line.text if edge.strip() else f" {line.text}"
        else:
            result.append(line.text)
        row = line.last + 1
    return result


def _split(lines: list[str], prompt: Prompt, guessed: bool) -> Typed:
    """bash runs the lines of a paste one by one; fish and zsh take them as one command, as psql does."""
    if syntax.is_statement("\n".join(lines)):
        lines = ["\n".join(lines)]
    commands: list[str] = []
    group: list[str] = []
    for line in lines[:-1]:
        group.append(line)
        if not syntax.incomplete("\n".join(group[-_MAX_GROUP:])):
            commands.append("\n".join(group).rstrip()[:MAX_TEXT])
            group = []
    commands.append("\n".join([*group, lines[-1]]).rstrip()[:MAX_TEXT])
    filled = [command for command in commands if command.strip()] or [""]
    return Typed(filled[-1], prompt, guessed, len(filled[-1]) == MAX_TEXT, tuple(filled[:-1]))


def _without_right(text: str, right: str, *, at_edge: bool) -> str:
    """A right prompt stays on the line when it is accepted; at the edge it may have other words by then."""
    if right and text.endswith(right) and text[: -len(right)][-1:] in ("", " "):
        return text[: -len(right)].rstrip()
    if right and at_edge:
        for gap in _GAP.finditer(text, max(0, len(text) - len(right) - _GROWN)):
            if skeleton(text[gap.end() :]) == skeleton(right):
                return text[: gap.start()].rstrip()
    return text


def _without_indent(lines: list[str], width: int, first: str) -> list[str]:
    """fish puts further lines under the first one, and indents blocks on the screen only."""
    filled = [line for line in lines if line]
    if width < 2 or not filled or any(line[:width].strip() for line in filled):
        return lines
    depth, before = _opened(first), first
    result = []
    for line in lines:
        text = line[width:]
        closes = text.split()[:1] in (["end"], ["else"], ["case"])
        blanks = 4 * max(0, depth - closes + before.endswith("\\"))
        result.append(text[blanks:] if not text[:blanks].strip() else text.lstrip())
        depth += _opened(text)
        before = text
    return result


def _opened(line: str) -> int:
    words = line.replace(";", " ; ").split()
    starts = [
        word for place, word in enumerate(words) if place == 0 or words[place - 1] in (";", "and", "or")
    ]
    opening = sum(word in ("begin", "if", "for", "while", "function", "switch") for word in starts)
    return opening - starts.count("end")


def _after_noise(picture: Picture, edit: LineEdit, last_row: int) -> Typed | None:
    """The line was broken by other output, and not drawn again: its two parts."""
    if edit.prompt is None:
        return None
    lines = list(picture.upwards(last_row, max(1, edit.ends - edit.carried_ends)))
    if any(line.text.startswith(edit.prompt.text) for line in lines):
        return None
    text = edit.carried + "\n".join(line.text for line in reversed(lines))
    return Typed(text.rstrip()[:MAX_TEXT], edit.prompt, False, len(text) > MAX_TEXT)


def _guess(picture: Picture, edit: LineEdit, lines: list[LogicalLine], last_row: int) -> Typed | None:
    for line in lines:
        end = guess_end(line.text)
        if end is not None and line.text[end:].strip():
            prompt = Prompt(line.text[:end], edit.bracketed)
            return _typed(picture, edit, prompt, _Region(line, end, last_row), guessed=True)
    return None
