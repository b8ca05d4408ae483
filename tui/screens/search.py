"""Search: the commands that fit a query, in every session; each is a moment to play."""

import time
from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input
from textual.worker import get_current_worker

from recorder.cli.search_rows import place
from recorder.errors import SealcastError
from recorder.index.database import NAME, damage_told, open_index
from recorder.index.predicates import Contains
from recorder.index.query import Query, Scope, parse
from recorder.index.query_tree import sought_in
from recorder.index.search import Search, SearchStoppedError
from recorder.safe_text import safe
from recorder.store.catalog import Session
from recorder.store.state import State
from tui.cells import Part
from tui.facts import short_id
from tui.messages import Checked, Found, SearchFailed
from tui.options import PlayOptions
from tui.screens import search_rows as rows
from tui.screens.base import RoomyScreen
from tui.screens.library import CHECK_LIMIT
from tui.screens.player import PlayerScreen
from tui.screens.player_rows import HELP
from tui.screens.search_rows import Group, Hit, Row
from tui.source import Source, Subject
from tui.widgets.drawn import Bar
from tui.widgets.match_list import MatchList
from tui.widgets.prompt import Prompt

_LINES = 2
"""Lines of output that are shown with a match."""
_MOST = 5_000
"""Matches after which the search stops: nobody reads on."""
_TELL_EVERY = 0.1
"""Seconds between two looks at what was found so far."""
_EXAMPLE = 'cmd:kubectl exit:!=0 after:-7d · "permission denied" · cmd:sudo THEN cmd:/curl.*sh/'

_MOVE, _ACT = Binding.Group("Move"), Binding.Group("Act")
SEARCH_KEYS: list[BindingType] = [
    Binding("enter", "open", "play from the match", id="search.open", group=_ACT),
    Binding("tab", "edit", "edit the query", id="search.edit", group=_ACT, priority=True),
    Binding("slash", "edit", "edit the query", id="search.edit_too", group=_ACT),
    Binding("o", "fold", "fold or unfold the session", id="search.fold", group=_ACT),
    Binding("y", "copy_link", "copy the link", id="search.copy_link", group=_ACT),
    Binding("q", "back", "back", id="search.back", group=_ACT),
    Binding("n,down,j", "step(1)", "next match", id="search.next", group=_MOVE),
    Binding("N,up,k", "step(-1)", "match before", id="search.previous", group=_MOVE),
    Binding("right_square_bracket", "session(1)", "next session", id="search.next_session", group=_MOVE),
    Binding("left_square_bracket", "session(-1)", "session before", id="search.last_session", group=_MOVE),
    Binding("pagedown", "step(10)", "ten matches on", id="search.page_down", group=_MOVE),
    Binding("pageup", "step(-10)", "ten matches back", id="search.page_up", group=_MOVE),
    Binding("home", "step(-1000000000)", "first match", id="search.first", group=_MOVE),
    Binding("end,G", "step(1000000000)", "last match", id="search.last", group=_MOVE),
    Binding("escape", "stop", show=False),
]


class SearchScreen(RoomyScreen):
    """The newest session first; results stream in while the search goes on."""

    TOPIC = "search"
    BINDINGS: ClassVar[list[BindingType]] = SEARCH_KEYS

    def __init__(self, source: Source, sessions: Sequence[Session], zone: tzinfo, query: str = "") -> None:
        super().__init__()
        self.source, self.zone = source, zone
        self._sessions = {session.id: session for session in sessions}
        self._states = {one.id: one.state_hint for one in sessions if one.state_hint is not None}
        self._text = query
        self._found = Found([], 0, 0, 0)
        self._sought = ""
        self._stopped = False
        self._said = ""

    def body(self) -> ComposeResult:
        """Title, query, counts, matches, hints."""
        yield Bar("head", id="head")
        yield Prompt()
        yield Bar("text", id="counts")
        yield MatchList(self._parts)
        yield Bar("hint", id="hints")

    def instead(self) -> list[str]:
        """Commands that do the job without a screen."""
        return ["sealcast search QUERY"]

    def on_mount(self) -> None:
        """Search at once where a query was brought along, else ask for one."""
        self._show_head()
        self.query_one("#hints", Bar).show([Part(f" {keys} {text} ") for keys, text in rows.KEYS], HELP)
        prompt = self.query_one(Prompt)
        prompt.fill(">", _EXAMPLE, self._text)
        if self._text.strip():
            self.set_focus(self.query_one(MatchList), scroll_visible=False)
            self.begin(self._text)
        else:
            prompt.take_keys()

    def lay_out(self, width: int, height: int) -> None:  # noqa: ARG002  the base class's signature
        """The counts are cut to the width."""
        self._show_counts()

    def _parts(self, row: Row, width: int) -> list[Part]:
        states: dict[str, State] = self._states
        return rows.parts_of(row, states, self.zone, width)

    # searching

    @on(Input.Submitted)
    def search_for(self, event: Input.Submitted) -> None:
        """Enter in the query line."""
        self.begin(event.value)

    def begin(self, text: str) -> None:
        """Look for something else; a query that cannot be read leaves what was found."""
        try:
            query = parse(text, zone=self.zone, scope=Scope.MOMENTS)
        except SealcastError as error:
            self.say(error.message)
            return
        self._text, self._sought = text, _text_sought(query)
        self._said, self._stopped = "", False
        self._show_head("; ".join(query.echo))
        self.query_one(MatchList).focus(scroll_visible=False)
        self._look(query)

    @work(thread=True, exclusive=True, group="search", exit_on_error=False, description="search")
    def _look(self, query: Query) -> None:
        worker = get_current_worker()
        try:
            with damage_told():
                self._stream(query, lambda: worker.is_cancelled)
        except SearchStoppedError:
            return
        except SealcastError as error:
            self.post_message(SearchFailed(error))

    def _stream(self, query: Query, stopped: Callable[[], bool]) -> None:
        connection = open_index(self.source.store.root / NAME)
        try:
            search = Search(connection, query, self._state, stopped)
            groups: list[Group] = []
            count, told = 0, 0.0
            for match in search.matches():
                if stopped():
                    return  # another search may have begun: nothing of this one may be shown after it
                if not groups or groups[-1].session != match.session:
                    groups.append(Group())
                lines = search.matching_lines(match)[:_LINES]
                groups[-1].hits.append(Hit(match, search.moment_s(match), lines))
                count += 1
                if count >= _MOST:
                    break
                if time.monotonic() - told > _TELL_EVERY:
                    told = time.monotonic()
                    self.post_message(Found(list(groups), count, search.searched, search.total))
            self.post_message(Found(groups, count, search.searched, search.total, done=True))
        finally:
            connection.close()

    def _state(self, session_id: str) -> str:
        session = self._sessions.get(session_id)
        return self.source.check(Subject.of_session(session)).state if session else State.MISSING

    @on(Found)
    def take(self, message: Found) -> None:
        """More was found."""
        message.done |= self._stopped  # it was on its way when Esc was pressed
        self._found = message
        self.query_one(MatchList).show(message.groups)
        self._show_counts()

    @on(SearchFailed)
    def apologise(self, message: SearchFailed) -> None:
        """Say why nothing is found."""
        error = message.error
        self.say(f"{error.message}: {error.hint}" if error.hint else error.message)

    # checking what is in sight

    @on(MatchList.Moved)
    def check_seen(self) -> None:
        """What is shown of a session has its sign beside it."""
        seen = [self._sessions[one] for one in self.query_one(MatchList).seen if one in self._sessions]
        small = [session for session in seen if (session.size_bytes or 0) <= CHECK_LIMIT]
        if wanted := [one for one in small if not one.live and one.id not in self._states]:
            self._check(wanted)

    @work(thread=True, exclusive=True, group="check", exit_on_error=False, description="check")
    def _check(self, sessions: Sequence[Session]) -> None:
        worker = get_current_worker()
        for session in sessions:
            if worker.is_cancelled:
                return
            self.post_message(Checked(session.id, self.source.check(Subject.of_session(session))))

    @on(Checked)
    def take_verdict(self, message: Checked) -> None:
        """One more session has its sign."""
        self._states[message.key] = message.verdict.state
        self.query_one(MatchList).refresh()

    # drawing

    def say(self, text: str) -> None:
        """Until the next message, in place of the counts."""
        self._said = text
        self._show_counts()

    def _show_head(self, times: str = "") -> None:
        """With how the times of the query were understood."""
        self.query_one("#head", Bar).show(
            [Part(" search", "strong"), Part("  all sessions")], [Part(f"{safe(times, 200)} ", "dim")]
        )

    def _show_counts(self) -> None:
        found = self._found
        left = _found_words(found)
        missing = max(0, len(self._sessions) - found.total)
        more = f" · {missing:,} not indexed" if missing else ""
        end = "" if found.done else " · Esc stops"
        searched = max(found.searched, len(found.groups))
        right = f"searched {searched:,} of {found.total:,}{more}{end} "
        parts = [Part(f" {safe(self._said, 300)}", "warn")] if self._said else [Part(left)]
        self.query_one("#counts", Bar).show(parts, [Part(right)] if found.total else [])

    # keys

    def action_step(self, by: int) -> None:
        """To another match."""
        self.query_one(MatchList).step(by)

    def action_session(self, by: int) -> None:
        """To another session."""
        self.query_one(MatchList).step_session(by)

    def action_fold(self) -> None:
        """Fold or unfold the session under the cursor."""
        self.query_one(MatchList).fold()

    def action_edit(self) -> None:
        """Into the query line."""
        self.query_one(Prompt).take_keys()

    def action_stop(self) -> None:
        """Stop searching; what was found stays. Out of the query line first."""
        if self.query_one(Prompt).field.has_focus:
            self.query_one(MatchList).focus(scroll_visible=False)
            return
        self.workers.cancel_group(self, "search")
        self._stopped = self._found.done = True
        self._show_counts()

    @on(MatchList.Chosen)
    def action_open(self) -> None:
        """Play from the match under the cursor, paused there."""
        hit = self.query_one(MatchList).current
        session = self._sessions.get(hit.match.session) if hit is not None else None
        if hit is None or session is None:
            return
        options = PlayOptions(at=hit.moment_s, paused=True, find=self._sought)
        self.app.push_screen(PlayerScreen(self.source, Subject.of_session(session), options, self.zone))

    def action_copy_link(self) -> None:
        """Send the link of the match to the terminal's clipboard."""
        if hit := self.query_one(MatchList).current:
            link = f"{short_id(hit.match.session)}@{place(hit.moment_s)}"
            self.app.copy_to_clipboard(link)
            self.say(f"copied {link}")

    def action_back(self) -> None:
        """Where it was opened."""
        self.workers.cancel_node(self)
        self.dismiss()


def _text_sought(query: Query) -> str:
    """What the player can look for in pictures: the first plain text of the query."""
    facts = ({"text", "output"}, {"output"}, {"text"})
    predicates = (one for keys in facts for one in sought_in(query.root, keys))
    return next((one.text for one in predicates if isinstance(one, Contains)), "")


def _found_words(found: Found) -> str:
    if not found.total:
        return " searches commands and what they showed"
    if not found.matches and found.done:
        searched = _counted(found.searched, "session", "sessions")
        return f" no match in {searched}; commands and output were searched"
    sessions = _counted(len(found.groups), "session", "sessions")
    first = "the first " if found.matches >= _MOST else ""
    return f" {first}{_counted(found.matches, 'match', 'matches')} in {sessions}"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
