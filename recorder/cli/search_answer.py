"""What a search found, of how much: the document for programs, the last line for people."""

import itertools
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

from recorder.cli import output
from recorder.cli.search_rows import SCHEMA
from recorder.errors import ExitCode
from recorder.index.query_tree import asks_output, tests
from recorder.index.search import Match, Search, SearchStoppedError
from recorder.safe_text import safe


@dataclass(slots=True)
class Answer:
    """What was found so far, and of how much."""

    search: Search
    limit: int | None
    lacks: str = ""
    """What the index does not hold, and was not searched."""
    matches: int = 0
    sessions: int = 0
    stopped: SearchStoppedError | None = None
    is_cut: bool = False
    """There are more than the limit."""
    _last: str = field(default="")

    def found(self) -> Generator[Match]:
        """The matches up to the limit. The rest is counted where that is quick.

        To be closed before the connection to the index is.
        """
        try:
            for match in self.search.matches():
                if self.limit is not None and self.matches >= self.limit:
                    self.is_cut = True
                    if not self.search.is_narrow:
                        return
                else:
                    yield match
                self._note(match)
        except SearchStoppedError as stopped:
            self.stopped = stopped

    def _note(self, match: Match) -> None:
        self.matches += 1
        self.sessions += match.session != self._last
        self._last = match.session

    def give_back(self) -> None:
        """The last one, of another session, was only taken to see whether there are more."""
        self.is_cut = True
        self.matches -= 1
        self.sessions -= 1

    @property
    def searched(self) -> int:
        """Sessions that were looked at, if only in part."""
        return max(self.search.searched, self.sessions)

    @property
    def code(self) -> ExitCode:
        if self.matches:
            return ExitCode.OK
        return ExitCode.SOME if self.stopped else ExitCode.NO


def write_document(answer: Answer, items: Iterator[dict[str, Any]], total: Callable[[], int]) -> None:
    """The items as they are found, then how many there are and of how much."""
    written = itertools.count()
    output.write_json_items(
        {"schema": SCHEMA, "query": answer.search.query.text},
        (item for item, _ in zip(items, written, strict=False)),
        lambda: _ending(answer, total(), next(written)),
    )


def _ending(answer: Answer, total: int, returned: int) -> dict[str, Any]:
    """`total` is null where not everything was looked at: for a limit, the time, or what is not indexed."""
    search = answer.search
    is_all = search.searched == search.total and not (answer.stopped or answer.lacks)
    cut = "limit" if answer.is_cut else answer.lacks or None
    return {
        "total": total if is_all and (search.is_narrow or not answer.is_cut) else None,
        "returned": returned,
        "searched": answer.searched,
        "sessions": search.total,
        "complete": is_all and not answer.is_cut,
        "reason": answer.stopped.message if answer.stopped else cut,
    }


def footer(answer: Answer) -> str:
    """Honest counts: what was found, in how many sessions, of how many that were looked at."""
    search = answer.search
    if not answer.matches:
        where = counted(answer.searched, "session", "sessions")
        rest = f" of {search.total:,}" if answer.searched < search.total else ""
        return (
            f"no match for {safe(search.query.text, 200)} in {where}{rest}{_times(search)}{_of_what(search)}"
        )
    matches = counted(answer.matches, "match", "matches")
    found = f"{matches} in {counted(answer.sessions, 'session', 'sessions')} of {answer.searched:,} searched"
    rest = f" ({search.total:,} in all)" if answer.searched < search.total else ""
    return f"{found}{rest}{_times(search)}.{_more(answer)}"


def _times(search: Search) -> str:
    """How the times of the query were understood."""
    return f" ({safe('; '.join(search.query.echo), 300)})" if search.query.echo else ""


def _of_what(search: Search) -> str:
    looks_at_output = any(map(asks_output, tests(search.query.root)))
    return ": commands and output were searched" if looks_at_output else ""


def _more(answer: Answer) -> str:
    if not answer.is_cut:
        return ""
    if answer.limit is None:
        return f" There are more: -n {max(answer.sessions * 4, 100)}."
    shown = "The first is shown" if answer.limit == 1 else f"The first {answer.limit:,} are shown"
    return f" {shown}; more: -n {max(answer.limit * 4, 100)}."


def counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
