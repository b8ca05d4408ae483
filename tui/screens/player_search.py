"""`/`, `n` and `N` of the player: a text of this session, from match to match."""

from time import sleep

from textual import on, work
from textual.geometry import Offset
from textual.worker import get_current_worker

from tui.cells import fit, width
from tui.messages import Searched
from tui.player import Player
from tui.screens.player_actions import PlayerActions
from tui.search import Search, found_in
from tui.widgets.grid import Highlight
from tui.widgets.prompt import Prompt
from tui.widgets.timeline import TimelineStrip

_PAUSE = 0.002
"""Seconds between two slices, so that the picture gets its turn."""
_WAIT = 0.05
"""Seconds until the next look at a recording that is still being read."""


_SHOWN = 20
"""Cells of the text that the status row shows."""


class PlayerSearch(PlayerActions):
    """Keeps one search and the number of the match that was gone to."""

    search: Search | None = None
    _last_text = ""
    _current: int | None = None
    _from: float | None = None
    """The first match at or after this moment is gone to as soon as it is known."""

    def action_search(self) -> None:
        """Ask for a text; the last one is selected."""
        prompt = self.query_one(Prompt)
        if prompt.display:
            prompt.field.insert_text_at_cursor("/")
        elif self.player is not None:
            self.asking = "search"
            prompt.ask("/", "text in this session · a capital makes case matter", self._last_text)
            prompt.field.select_all()

    def begin_search(self, text: str) -> None:
        """Look for a text from the position on."""
        self.end_search()
        if self.player is None or not text.strip():
            return
        self._last_text = text
        self.player.clock.pause()
        self.search, self._from = Search(self.player.recording, text), self.player.position
        self._scan(self.search)
        self.draw_soon()

    def load_search(self, text: str) -> None:
        """Look for a text, and stay here: `n` goes on from the position."""
        if self.player is not None and text.strip():
            self._last_text = text
            self.search = Search(self.player.recording, text)
            self._scan(self.search)

    def end_search(self) -> bool:
        """Forget matches and highlights; False where there were none."""
        was_there = self.search is not None
        self.workers.cancel_group(self, "search")
        self.search = self._current = self._from = None
        self.query_one(TimelineStrip).tick(())
        self.draw_soon()
        return was_there

    @work(thread=True, exclusive=True, group="search", exit_on_error=False, description="search")
    def _scan(self, search: Search) -> None:
        worker = get_current_worker()
        while not (worker.is_cancelled or search.complete):
            more = search.scan()
            self.post_message(Searched(search))
            sleep(_PAUSE if more else _WAIT)

    @on(Searched)
    def take_matches(self, message: Searched) -> None:
        """More is known; an older search has nothing to say any more."""
        search = self.search
        if search is None or message.search is not search:
            return
        if self._from is not None:
            found = search.after(self._from, included=True)
            if found is not None:
                self._go_to_hit(found)
            elif search.complete:
                self._begin_again(search)
        self.query_one(TimelineStrip).tick([hit.time for hit in search.hits])
        self.draw_soon()

    def action_find(self, direction: int) -> None:
        """The next or previous match of the position, round the end where there is none."""
        search, player = self.search, self.player
        if search is None or player is None:
            self.say("no search: / begins one")
        elif not search.hits:
            self.say(f"still looking for {search.text}" if not search.complete else _nothing(search))
        elif (found := self._neighbour(search, player, direction)) is not None:
            self._go_to_hit(found)
        elif not search.complete:
            self.say("still looking for more")
        elif direction > 0:
            self._begin_again(search)
        else:
            self._go_to_hit(len(search.hits) - 1)
            self.say("search went past the start, now at the end")

    def search_label(self) -> str:
        """`/psql 2/5`, with a `+` while more may come."""
        if self.search is None:
            return ""
        number = 0 if self._current is None else self._current + 1
        count = len(self.search.hits)
        text = fit(self.search.text, min(width(self.search.text), _SHOWN))
        return f"/{text} {number}/{count}" + ("" if self.search.complete else "+")

    def highlights(self, player: Player) -> list[Highlight]:
        """The cells of every match in the picture."""
        if self.search is None:
            return []
        found, here = found_in(player.model.screen, self.search.pattern), self.current_place()
        return [
            Highlight(row, *span, here == Offset(item.spans[0][1][0], item.row))
            for item in found
            for row, span in item.spans
        ]

    def current_place(self) -> Offset | None:
        """The first cell of the match that was gone to, as long as the player stands there."""
        if self.search is None or self._current is None or not self._at_current():
            return None
        hit = self.search.hits[self._current]
        return Offset(hit.cell, hit.row)

    def _at_current(self) -> bool:
        """The player stands where the last match was gone to."""
        if self.search is None or self._current is None or self.player is None:
            return False
        return self.search.hits[self._current].time == self.player.position

    def _neighbour(self, search: Search, player: Player, direction: int) -> int | None:
        if self._current is not None and self._at_current():
            found = self._current + direction
            return found if 0 <= found < len(search.hits) else None
        return search.after(player.position) if direction > 0 else search.before(player.position)

    def _begin_again(self, search: Search) -> None:
        self._from = None
        if not search.hits:
            self.say(_nothing(search))
            return
        self._go_to_hit(0)
        self.say("search went past the end, now at the start")

    def _go_to_hit(self, number: int) -> None:
        if self.search is None or self.player is None:
            return
        self._current, self._from = number, None
        self.player.clock.pause()
        self.go_to(self.search.hits[number].time)


def _nothing(search: Search) -> str:
    return f"no match for {search.text} in this session"
