"""The Library: all sessions, a filter line that narrows them as it is typed, and a preview."""

from datetime import tzinfo
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.timer import Timer
from textual.widgets import Input
from textual.worker import get_current_worker

from recorder.errors import SealcastError
from recorder.index.listing import Counts
from recorder.index.query import Query, parse
from recorder.safe_text import safe
from recorder.store.catalog import Session
from recorder.store.state import State
from recorder.store.verdict import Verdict
from tui.cells import Part
from tui.demo import DemoMaker
from tui.facts import short_id
from tui.filtering import fitting, read_filter
from tui.messages import Checked, Filtered, FilterFailed, FirstListed, Listed, Unreadable
from tui.options import PlayOptions
from tui.screens import library_rows as rows
from tui.screens.base import TALL
from tui.screens.library_demo import LibraryDemo
from tui.screens.library_keys import LIBRARY_KEYS
from tui.screens.player_rows import HELP
from tui.source import Source, Subject
from tui.widgets.drawn import Bar, Lines
from tui.widgets.prompt import Prompt
from tui.widgets.session_list import SessionList

FILTER_DELAY = 0.15
"""Seconds after the last key until the list narrows."""
REST = 0.08
"""Seconds that the cursor rests before the preview is drawn and checks begin."""
CHECK_LIMIT = 8 * 1024 * 1024
"""Recordings up to this size are checked as soon as their row is seen; larger ones when they are opened."""
WIDE = 160
FIRST = 200
"""Sessions that are shown before the others are read: more than any terminal has rows."""


class LibraryScreen(LibraryDemo):
    """The list of sessions."""

    TOPIC = "library"
    AUTO_FOCUS = "SessionList"
    BINDINGS: ClassVar[list[BindingType]] = LIBRARY_KEYS
    DEFAULT_CSS = """
    LibraryScreen #main { layout: vertical; height: 1fr; }
    LibraryScreen #preview { height: 14; border-top: solid $secondary; }
    LibraryScreen.wide #main { layout: horizontal; }
    LibraryScreen.wide #preview { height: 1fr; width: 40%; border-top: none; border-left: solid $secondary; }
    LibraryScreen.wide SessionList { width: 60%; }
    """

    def __init__(
        self,
        source: Source,
        options: PlayOptions,
        zone: tzinfo,
        query: str = "",
        demo: DemoMaker | None = None,
    ) -> None:
        super().__init__()
        self.home = self.source = source
        """The store that was asked for, and the one that is shown: the demo's while the other is empty."""
        self.options, self.zone, self.make_demo = options, zone, demo
        self.everything: list[Session] = []
        self.counts: Counts | None = None
        """Over the whole store, as long as only the newest sessions are here."""
        self.states: dict[str, State] = {}
        self.verdicts: dict[str, Verdict] = {}
        self._query_text = query
        self._query: Query = parse("")
        self._generation = 0
        self._view = rows.VIEWS[0]
        self._sort, self._reverse = rows.SORTS[0], False
        self._said = ""
        self._listed = False
        self._preview_wanted = True
        self._filter_timer: Timer | None = None
        self._rest_timer: Timer | None = None

    def body(self) -> ComposeResult:
        """Counts, filter, views, headings, list, preview, hints."""
        yield Bar("head", id="head")
        yield Prompt()
        yield Bar("text", id="views")
        yield Bar("column", id="columns")
        with Container(id="main"):
            yield SessionList(self._row)
            yield Lines(id="preview")
        yield Lines(id="empty")
        yield Bar("hint", id="hints")

    def on_mount(self) -> None:
        """Ask the store."""
        self.query_one("#empty").display = False
        prompt = self.query_one(Prompt)
        prompt.fill("/", f"filter: {rows.FILTER_EXAMPLE}", self._query_text)
        self.set_focus(self.query_one(SessionList), scroll_visible=False)
        self._show_hints()
        self.rescan()

    def lay_out(self, width: int, height: int) -> None:
        """The preview stands below the list when tall, on the right when wide."""
        self.set_class(width >= WIDE, "wide")
        self.query_one("#preview").display = self._preview_wanted and height >= TALL and bool(self.everything)
        self._show_bars()
        self._rest()

    # listing

    def action_rescan(self) -> None:
        """Read the store again."""
        self.rescan()

    @work(thread=True, exclusive=True, group="list", exit_on_error=False)
    def rescan(self) -> None:
        """Read the list of sessions in the background."""
        try:
            if not self._listed and (first := self.home.first_sessions(FIRST)):
                self.post_message(FirstListed(*first, self.home))
            source, sessions = self.home, self.home.sessions()
            if not sessions and self.demo is not None:
                source, sessions = self.demo, self.demo.sessions()
        except SealcastError as error:
            self.post_message(Unreadable(error))
            return
        if not get_current_worker().is_cancelled:
            self.post_message(Listed(sessions, source))

    @on(FirstListed)
    def take_first(self, message: FirstListed) -> None:
        """The newest sessions can be looked at; what is asked of all waits for the others."""
        if self._listed or not message.sessions:
            return
        self.counts = message.counts
        self._hold(message.sessions, message.source)
        if not self._query_text.strip() and self._is_newest_first():
            self.query_one(SessionList).show(message.sessions)
        self._show_bars()

    def _is_newest_first(self) -> bool:
        return self._view is rows.VIEWS[0] and self._sort is rows.SORTS[0] and not self._reverse

    @on(Listed)
    def take_list(self, message: Listed) -> None:
        """The sessions are known."""
        self._listed, self.counts = True, None
        self._hold(message.sessions, message.source)
        self._show_hints()
        self.apply_filter()

    def _hold(self, sessions: list[Session], source: Source) -> None:
        self.source, self.everything = source, sessions
        self.states = {s.id: s.state_hint for s in self.everything if s.state_hint is not None} | {
            key: verdict.state for key, verdict in self.verdicts.items()
        }
        self._show_empty(None)

    @on(Unreadable)
    def apologise(self, message: Unreadable) -> None:
        """Say why there is no list."""
        self._listed = True
        error = message.error
        self._show_empty([error.message, *([error.hint] if error.hint else [])])

    # filtering

    @on(Input.Changed)
    def filter_soon(self, event: Input.Changed) -> None:
        """Wait for the typing to pause."""
        self._query_text = event.value
        if self._filter_timer is not None:
            self._filter_timer.stop()
        self._filter_timer = self.set_timer(FILTER_DELAY, self.apply_filter)

    @on(Input.Submitted)
    def to_list(self) -> None:
        """From the filter to the list."""
        self.apply_filter()
        self.query_one(SessionList).focus(scroll_visible=False)

    def apply_filter(self) -> None:
        """Narrow the list; a query that cannot be read leaves it as it is and says why."""
        if self.counts is not None:
            return
        try:
            self._query = read_filter(self._query_text, self.zone, self.source)
            self._said = "; ".join(self._query.echo)
        except SealcastError as error:
            self._said = error.message
            self._show_bars()
            return
        self._generation += 1
        self._select(self._generation, self._query)

    @work(thread=True, exclusive=True, group="filter", exit_on_error=False, description="filter")
    def _select(self, generation: int, query: Query) -> None:
        states, view, sort = dict(self.states), self._view, self._sort
        shown = [s for s in self.everything if view.holds(s, states.get(s.id))]
        worker = get_current_worker()
        try:
            found = fitting(query, shown, states, self.source, lambda: worker.is_cancelled)
        except SealcastError as error:
            self.post_message(FilterFailed(error))
            return
        found.sort(key=sort.key, reverse=sort.newest_first != self._reverse)
        self.post_message(Filtered(found, generation))

    @on(FilterFailed)
    def say_why(self, message: FilterFailed) -> None:
        """The index cannot be asked; the list stays as it is."""
        self.say(message.error.message)

    @on(Filtered)
    def show_filtered(self, message: Filtered) -> None:
        """Draw what matches, unless something newer is on its way."""
        if message.generation == self._generation:
            self.query_one(SessionList).show(message.sessions)
            self._show_bars()

    # checking what is in sight

    @on(SessionList.Moved)
    def _rest(self) -> None:
        if self._rest_timer is not None:
            self._rest_timer.stop()
        self._rest_timer = self.set_timer(REST, self._rested)

    def _rested(self) -> None:
        self._show_bars()
        self._show_preview()
        listing = self.query_one(SessionList)
        seen = [listing.sessions[at] for at in listing.shown]
        if current := listing.current:
            seen.insert(0, current)
        wanted = [session for session in seen if self._worth_checking(session)]
        if wanted:
            self._check_all(wanted)

    def _worth_checking(self, session: Session) -> bool:
        small = (session.size_bytes or 0) <= CHECK_LIMIT
        return small and not session.live and session.id not in self.verdicts

    @work(thread=True, exclusive=True, group="check", exit_on_error=False, description="check")
    def _check_all(self, sessions: list[Session], *, anew: bool = False) -> None:
        worker = get_current_worker()
        for session in sessions:
            if worker.is_cancelled:
                return
            verdict = self.source.check(Subject.of_session(session), alone=anew, anew=anew)
            self.post_message(Checked(session.id, verdict))

    @on(Checked)
    def take_verdict(self, message: Checked) -> None:
        """One more row has its sign."""
        self.verdicts[message.key] = message.verdict
        self.states[message.key] = message.verdict.state
        listing = self.query_one(SessionList)
        listing.refresh()
        self._show_bars()
        if listing.current is not None and listing.current.id == message.key:
            self._show_preview()

    def action_verify(self) -> None:
        """Check the session under the cursor, whatever its size."""
        if session := self.query_one(SessionList).current:
            self.verdicts.pop(session.id, None)
            self.states.pop(session.id, None)
            self.query_one(SessionList).refresh()
            self._check_all([session], anew=True)

    # drawing

    def _show_hints(self) -> None:
        empty = self._listed and not self.everything and self.make_demo is not None
        hints = rows.EMPTY_HINTS if empty else rows.HINTS
        self.query_one("#hints", Bar).show([Part(f" {keys} {text} ") for keys, text in hints], HELP)

    def _row(self, session: Session, width: int) -> list[Part]:
        return rows.session_row(session, self.states.get(session.id), self.zone, width)

    def _show_bars(self) -> None:
        listing = self.query_one(SessionList)
        counts = self.counts or rows.counts_of(self.everything, self.states)
        note = "the demo; nothing of yours is recorded yet" if self.source is self.demo else ""
        known = self._listed or self.counts is not None
        self.query_one("#head", Bar).show(rows.count_parts(counts if known else None, note))
        left = [Part(" "), *rows.view_parts(self._view)]
        if self._said:
            left = [Part(f" {safe(self._said, 300)}", "warn")]
        right = rows.range_part(listing.shown, len(listing.sessions), counts.sessions)
        self.query_one("#views", Bar).show(left, [right] if self._listed else [Part("reading … ")])
        width = listing.size.width or self.size.width
        self.query_one("#columns", Bar).show(rows.heading(width - 1, self._sort, self._reverse))

    def _show_preview(self) -> None:
        session, preview = self.query_one(SessionList).current, self.query_one("#preview", Lines)
        if session is None:
            preview.show([])
            return
        verdict, state = self.verdicts.get(session.id), self.states.get(session.id)
        width = preview.size.width or self.size.width
        preview.show(rows.preview_rows(session, verdict, state, self.zone, width))

    def _show_empty(self, reason: list[str] | None) -> None:
        empty = self.query_one("#empty", Lines)
        empty.display = bool(reason) or not self.everything
        self.query_one("#main").display = not empty.display
        if reason:
            empty.show([[], *([Part(f"   {safe(line, 400)}")] for line in reason)])
        elif not self.everything:
            empty.show(rows.empty_rows(self.home.looked_in(), self.make_demo is not None))
        self.lay_out_again()

    def lay_out_again(self) -> None:
        """Lay the rows out again."""
        self.lay_out(*self.size)

    def say(self, text: str) -> None:
        """Until the next message, in row 3."""
        self._said = text
        self._show_bars()

    # keys

    @on(SessionList.Chosen)
    def action_open(self) -> None:
        """Play the session under the cursor."""
        if session := self.query_one(SessionList).current:
            self.play(self.source, Subject.of_session(session), self.options)

    def action_details(self) -> None:
        """Facts and checks of the session under the cursor."""
        from tui.screens.details import DetailsScreen  # noqa: PLC0415  the list does not wait for it

        if session := self.query_one(SessionList).current:
            verdict = self.verdicts.get(session.id)
            self.app.push_screen(DetailsScreen(self.source, Subject.of_session(session), self.zone, verdict))

    def action_move(self, by: int) -> None:
        """Move the cursor by rows."""
        self.query_one(SessionList).move(by)

    def action_page(self, by: int) -> None:
        """Move the cursor by screens."""
        listing = self.query_one(SessionList)
        listing.move(by * max(1, listing.size.height - 1))

    def action_filter(self) -> None:
        """Into the filter line."""
        self.query_one(Prompt).take_keys()

    def action_search(self) -> None:
        """Look for commands in all sessions, with the query of the filter."""
        if self.counts is not None:
            self.say("the list of sessions is still being read")
            return
        from tui.screens.search import SearchScreen  # noqa: PLC0415  the list does not wait for it

        self.app.push_screen(SearchScreen(self.source, self.everything, self.zone, self._query_text))

    def action_clear(self) -> None:
        """First out of the filter line, then clear it."""
        prompt = self.query_one(Prompt)
        if not prompt.field.has_focus:
            prompt.field.value = ""
        self.query_one(SessionList).focus(scroll_visible=False)

    def action_view(self, key: str) -> None:
        """Show one of the saved views."""
        self._view = next(view for view in rows.VIEWS if view.key == key)
        self.apply_filter()

    def action_sort(self) -> None:
        """Sort by the next column."""
        at = rows.SORTS.index(self._sort)
        self._sort, self._reverse = rows.SORTS[(at + 1) % len(rows.SORTS)], False
        self.apply_filter()

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._reverse = not self._reverse
        self.apply_filter()

    def action_preview(self) -> None:
        """Show or hide the preview."""
        self._preview_wanted = not self._preview_wanted
        self.lay_out_again()

    def action_copy_link(self) -> None:
        """Send the session's id to the terminal's clipboard."""
        if session := self.query_one(SessionList).current:
            self.app.copy_to_clipboard(short_id(session.id))
            self.say(f"copied {short_id(session.id)}")

    def action_quit(self) -> None:
        """The Library is where the program ends."""
        self.app.exit()
