"""What is shown while no command runs: a greeting, messages, what background jobs write, without prompts.

A prompt and the line typed at it are none of it: the line is the text of a command. Nor is what stands above
prompts again and again.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from recorder.commands.transcript import Written
from recorder.index.pages import Page

_MOST_HELD = 64 * 1024
_ACCEPTED = re.compile(rb"\n(?:\x1b\][^\x07\x1b]*+\x07|\x1b\[[0-9;?]*+[A-Za-z]|\x1b[=>]|\r)*+\Z")
"""How the output ends that an accepted line makes: nothing is shown after its line feed."""
_LONGEST_TYPED = 100
"""Lines of one command as it was typed."""
_MOST_HEADS = 64


class Aside:
    """Feed it the output from the end of one command to the begin of the next.

    Most of the time that is a prompt and a line typed at it: one line feed, of which no page is made.
    """

    def __init__(self, new_page: Callable[[], Page], heads: set[str], *, at_once: bool = False) -> None:
        """`heads`, the lines found above prompts so far, grows; `at_once`: it begins before any prompt."""
        self._new_page = new_page
        self._heads = heads
        self._page = new_page() if at_once else None
        self._below = at_once
        """A prompt has been passed, or there is none: what comes is not above one."""
        self._held: list[tuple[float, bytes]] = []
        self._size = self._ends = 0

    def output(self, time: float, data: bytes) -> bool:
        """What was shown at `time`. Whether that may have made lines to be taken."""
        if self._page is not None:
            self._page.output(time, data)
            return True
        self._held.append((time, data))
        self._size += len(data)
        self._ends += data.count(b"\n")
        if self._ends > 1 or self._size > _MOST_HELD:
            self._page = self._made_page()
        return self._page is not None

    def _made_page(self) -> Page:
        page = self._new_page()
        for time, data in self._held:
            page.output(time, data)
        self._held.clear()
        return page

    def resize(self, time: float, columns: int, rows: int) -> None:
        if self._page is not None:
            self._page.resize(time, columns, rows)

    def take(self, prompts: Iterable[str]) -> list[Written]:
        """Lines that cannot change any more, without these prompts."""
        return self._kept(self._page.take(), list(prompts)) if self._page is not None else []

    def pending(self, prompts: Iterable[str]) -> list[Written]:
        """Lines that may still change."""
        known = list(prompts)
        lines = _single(self._page.pending()) if self._page is not None else []
        return [line for line in (_without(line, known) for line in lines) if line.text]

    def finish(self, time: float, prompts: Iterable[str], typed: Sequence[str] = ()) -> list[Written]:
        """All that is left. `typed` are texts of the command that was accepted, where it ends with one."""
        page = self._page or self._made_page()
        lines, known = _single(page.finish(time)), [prompt for prompt in prompts if prompt]
        return self._kept(_untyped(lines, known, typed) if typed else lines, known)

    def is_nothing(self, *, accepted: bool) -> bool:
        """It is a prompt, and perhaps a line typed at it that was accepted then."""
        if self._page is not None:
            return False
        return not self._ends or (accepted and self._ends_accepted())

    def _ends_accepted(self) -> bool:
        return _ACCEPTED.search(b"".join(data for _, data in self._held)) is not None

    def _kept(self, lines: Iterable[Written], prompts: Sequence[str]) -> list[Written]:
        kept = []
        for line in _single(lines):
            rest = _without(line, prompts)
            self._below = self._below or rest is not line
            if rest.text and not self._is_known_head(rest.text):
                kept.append(rest)
        return kept

    def _is_known_head(self, text: str) -> bool:
        if self._below:
            return text == "^C"
        known = text in self._heads
        if len(self._heads) < _MOST_HEADS:
            self._heads.add(text)
        return known


def _single(written: Iterable[Written]) -> list[Written]:
    return [Written(time, line) for time, text in written for line in text.split("\n")]


def _without(line: Written, prompts: Iterable[str]) -> Written:
    """The line without the prompt that it begins with, and without blanks around the rest."""
    for prompt in prompts:
        start = prompt.rstrip()
        if start and line.text.startswith(start):
            return Written(line.time, line.text[len(start) :].strip())
    return line


def _untyped(lines: list[Written], prompts: Sequence[str], typed: Sequence[str]) -> list[Written]:
    """The lines before the one at which the command was typed, if that is what the last ones show."""
    while lines and not lines[-1].text:
        lines.pop()
    texts = {_bare(text) for text in typed if text}
    shown = ""
    for place in range(len(lines) - 1, max(-1, len(lines) - _LONGEST_TYPED), -1):
        rest = _without(lines[place], prompts)
        shown = _bare(rest.text) + shown
        if shown in texts and (rest is not lines[place] or not prompts):
            return lines[:place]
    last = _bare(lines[-1].text) if lines else ""
    return lines[:-1] if last and any(text.endswith(last) for text in texts) else lines


def _bare(text: str) -> str:
    """Without blanks: where lines were wrapped or joined, they differ."""
    return "".join(text.split())
