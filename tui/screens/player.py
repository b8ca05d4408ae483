"""The player: the recorded screen, the timeline, and what is known about both."""

from datetime import tzinfo
from time import monotonic, sleep
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Input
from textual.worker import get_current_worker

from recorder.errors import SealcastError
from recorder.safe_text import safe
from recorder.store.verdict import Verdict
from tui.cells import Part, width
from tui.clock import skipped_label
from tui.facts import banner
from tui.loading import fill, recording_for
from tui.messages import Checked, CheckProgress, Loaded, Opened, Unreadable
from tui.options import PlayOptions
from tui.paint import palette_of
from tui.player import Player
from tui.recording import Size
from tui.screens.base import TALL
from tui.screens.command_rows import typed_command
from tui.screens.details import DetailsScreen
from tui.screens.player_commands import MID, PlayerCommands
from tui.screens.player_keys import PLAYER_KEYS
from tui.screens.player_rows import HELP, View, card_rows, head_parts, hint_parts, status_parts
from tui.source import Source, Subject
from tui.times import length_label, offset_label, parse_moment
from tui.widgets.command_list import CommandSidebar
from tui.widgets.drawn import Bar, Lines
from tui.widgets.grid import Grid
from tui.widgets.prompt import Prompt
from tui.widgets.timeline import TimelineStrip
from tui.words import word_of

FRAME_RATE = 30
YIELD = 0.001
"""Seconds between two slices of keyframes, so that the picture gets its turn."""
SAID_FOR = 2.0
"""Seconds that a just-finished action stands in the status row."""


class PlayerScreen(PlayerCommands):
    """Replays one recording."""

    TOPIC = "player"
    AUTO_FOCUS = "Grid"
    DEFAULT_CSS = """
    PlayerScreen #card { height: 5; }
    PlayerScreen #middle { height: 1fr; }
    PlayerScreen Grid, PlayerScreen #sorry { width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = PLAYER_KEYS

    def __init__(self, source: Source, subject: Subject, options: PlayOptions, zone: tzinfo) -> None:
        super().__init__()
        self.source, self.subject, self.options, self.zone = source, subject, options, zone
        self.verdict: Verdict | None = None
        self._percent = 0
        self._said, self._said_until = "", 0.0
        self._draw_is_due = False
        self._start_at = options.at

    def body(self) -> ComposeResult:
        """Head, banner, picture and commands, timeline, status, hints; last the prompt, when it is open."""
        yield Bar("head", id="head")
        yield Bar("banner", id="banner")
        yield Lines(id="card")
        with Horizontal(id="middle"):
            yield Grid()
            yield Lines(id="sorry")
            yield CommandSidebar()
        yield TimelineStrip()
        yield Bar("status", id="status")
        yield Bar("hint", id="hints")
        yield Prompt()

    def instead(self) -> list[str]:
        """The commands that print the session."""
        return [f"sealcast cat {self.subject.short}", f"sealcast show {self.subject.short}"]

    def on_mount(self) -> None:
        """Show what is known; start to read and to check."""
        self.query_one("#sorry").display = False
        self.query_one(Prompt).display = False
        self.query_one("#card", Lines).show(card_rows())
        self.query_one("#card").display = self.options.card
        self.query_one("#hints", Bar).show(hint_parts(), HELP)
        self.set_interval(1 / FRAME_RATE, self._tick)
        self.lay_out_again()
        self._show_status()
        self.read()
        self.check()

    def lay_out(self, width: int, height: int) -> None:
        """Tall screens have a ruler and hints; full screen leaves the picture and the status."""
        tall = height >= TALL
        strip = self.query_one(TimelineStrip)
        strip.styles.height = 3 if tall else 2
        strip.display = self.strip_wanted and not self.full
        self.query_one("#hints").display = tall and not self.full
        self.query_one("#head").display = not self.full
        self.lay_out_sidebar(width, height)
        self._show_head()
        self.draw_soon()

    # reading and checking, in threads that only post messages

    @work(thread=True, exclusive=True, group="read", exit_on_error=False)
    def read(self) -> None:
        """Read the events, build the keyframes, find the commands; usable all the while."""
        try:
            self._read_all()
        except SealcastError as error:
            self.post_message(Unreadable(error))
        except OSError as error:
            reason = SealcastError(f"cannot read {safe(self.subject.name)}: {error.strerror}")
            self.post_message(Unreadable(reason))

    def _read_all(self) -> None:
        worker = get_current_worker()
        with self.source.events(self.subject) as (header, events):
            player = Player(recording_for(header), self.options.speed, self.options.idle)
            self.post_message(Opened(header, player))
            for count in fill(player.recording, events, lambda: worker.is_cancelled):
                self.post_message(Loaded(count))
        while not worker.is_cancelled and player.model.build():
            self.post_message(Loaded(len(player.recording.times)))
            sleep(YIELD)
        self.read_commands(lambda: worker.is_cancelled)

    @work(thread=True, exclusive=True, group="check", exit_on_error=False)
    def check(self) -> None:
        """Verify from the bytes on disk."""
        worker = get_current_worker()

        def progress(percent: int) -> None:
            if not worker.is_cancelled:
                self.post_message(CheckProgress(percent))

        verdict = self.source.check(self.subject, progress, alone=True)
        if not worker.is_cancelled:
            self.post_message(Checked(self.subject.name, verdict))

    @on(Opened)
    def begin(self, message: Opened) -> None:
        """There is a recording now."""
        self.player = message.player
        self.query_one(Grid).paint_with(palette_of(message.header.theme))
        self.query_one(TimelineStrip).follow(message.player.recording, message.player.clock.idle_limit)
        self.subject = self.subject.described_by(message.header)
        self.lay_out_again()
        self.load_search(self.options.find)
        if not (self.options.paused or self._start_at is not None):
            message.player.clock.play(monotonic())

    @on(Loaded)
    def take_in(self) -> None:
        """More is known: go where the replay should begin as soon as that is read."""
        if self.player is None:
            return
        recording = self.player.recording
        if self._start_at is not None and (recording.complete or recording.duration >= self._start_at):
            self.go_to(self._start_at)
            self._start_at = None
        self.query_one(TimelineStrip).rebuild()
        if recording.complete and not recording.times:
            self._show_nothing()
        self.draw_soon()

    @on(Unreadable)
    def apologise(self, message: Unreadable) -> None:
        """Say why there is no picture."""
        error = message.error
        self._show_sorry([error.message, *([error.hint] if error.hint else [])])

    @on(CheckProgress)
    def show_progress(self, message: CheckProgress) -> None:
        """The check goes on."""
        self._percent = message.percent
        self._show_head()

    @on(Checked)
    def judge(self, message: Checked) -> None:
        """The verdict is known."""
        self.verdict = message.verdict
        self.query_one(TimelineStrip).mark_bad(message.verdict.bad_from_s)
        self._show_head()
        self._show_status()

    # drawing

    def on_key(self) -> None:
        """The card goes away with the first key, whatever it is."""
        self.query_one("#card").display = False

    def say(self, text: str) -> None:
        """Put a just-finished action into the status row for two seconds."""
        self._said, self._said_until = text, monotonic() + SAID_FOR
        self._show_status()

    def draw_soon(self) -> None:
        """Draw once, after the messages that wait already."""
        if not self._draw_is_due:
            self._draw_is_due = True
            self.call_later(self._draw)

    def _draw(self) -> None:
        self._draw_is_due = False
        if self.player is None:
            return
        if self.player.refresh():
            model = self.player.model
            grid = self.query_one(Grid)
            grid.show(model.screen, model.take_dirty(), self.current_place())
            grid.highlight(self.highlights(self.player))
        self.query_one(TimelineStrip).move(self.player.position)
        self.show_current_command()
        self._show_status()

    def _tick(self) -> None:
        if self._said and monotonic() > self._said_until:
            self._said = ""
            self._show_status()
        if self.player is None or not self.player.clock.playing:
            return
        skipped = self.player.tick(monotonic())
        if skipped:
            self.say(skipped_label(skipped))
        self._draw()

    def _show_head(self) -> None:
        word = word_of(self.verdict, self._percent, self.source.key_note)
        bad = word.role == "bad"
        view = self._view()
        left, right = head_parts(self.subject, word, self.zone, self.size.width >= MID, view)
        self.query_one("#head", Bar).show(left, right, "head_bad" if bad else "head")
        text = banner(self.verdict)
        self.query_one("#banner").display = text is not None and not self.full
        self.query_one("#banner", Bar).show([Part(f" {text}")], [Part("  d details ")])

    def _view(self) -> View | None:
        if self.player is None:
            return None
        grid = self.query_one(Grid)
        return View(Size(*self.player.model.screen.size), (grid.origin.x, grid.origin.y), grid.cut)

    def _show_status(self) -> None:
        bar = self.query_one("#status", Bar)
        if self.player is None:
            bar.show([Part(" no picture" if self.query_one("#sorry").display else " … opening")], HELP)
            return
        said = self._said
        if self.player.waiting:
            said = f"indexing to {offset_label(self.player.position)}"
        bad_from = self.verdict.bad_from_s if self.verdict is not None else None
        bad = bad_from is not None and self.player.position >= bad_from
        parts = status_parts(
            self.player, self.subject, self.zone, said=said, search=self.search_label(), bad=bad
        )
        used = sum(width(part.text) for part in (*parts, *HELP))
        bar.show([*parts, *self.command_parts(used)], HELP)

    def _show_nothing(self) -> None:
        length = self.player.recording.duration if self.player is not None else 0.0
        self._show_sorry(
            [f"No terminal output in {length_label(length)}.", "d shows what is known about the session"]
        )

    def _show_sorry(self, lines: list[str]) -> None:
        self.query_one(Grid).display = False
        sorry = self.query_one("#sorry", Lines)
        sorry.display = True
        sorry.show([[], *([Part(f" {safe(line)}")] for line in lines)])
        self.lay_out_sidebar(*self.size)
        self._show_status()

    @on(Grid.Panned)
    def show_place(self) -> None:
        """The head names the part of a large picture that is in sight."""
        self._show_head()

    # prompt and other screens

    @on(TimelineStrip.Picked)
    def go_where_pointed(self, message: TimelineStrip.Picked) -> None:
        """Somebody clicked the timeline."""
        self.go_to(message.time)

    @on(Input.Changed)
    def shortcut(self, event: Input.Changed) -> None:
        """`g g` is the start, `g G` the end."""
        if self.asking == "moment" and event.value in ("g", "G"):
            self.close_prompt()
            self.action_share(0.0 if event.value == "g" else 1.0)

    @on(Input.Submitted)
    def go(self, event: Input.Submitted) -> None:
        """Go to the typed time, or say why not; or look for the typed text."""
        self.close_prompt()
        if self.asking == "search":
            self.begin_search(event.value)
            return
        if self.player is None or not event.value.strip():
            return
        duration, start = self.player.recording.duration, self.subject.start
        try:
            command = typed_command(event.value, self.commands)
            if command is not None:
                self.go_to_command(self.commands.items.index(command))
                return
            self.go_to(
                parse_moment(
                    event.value, position=self.player.position, duration=duration, start=start, zone=self.zone
                )
            )
        except SealcastError as error:
            self.say(error.message)

    def action_clear(self) -> None:
        """Close the prompt, or end the search, and clear what was just said."""
        if self.query_one(Prompt).display:
            self.close_prompt()
        else:
            self.end_search()
        self._said = ""
        self._show_status()

    def action_details(self) -> None:
        """What is known about the session, and every check."""
        self.app.push_screen(DetailsScreen(self.source, self.subject, self.zone, self.verdict))

    def action_verify(self) -> None:
        """Check again from the bytes on disk."""
        self.verdict, self._percent = None, 0
        self._show_head()
        self.check()

    def action_back(self) -> None:
        """One step back; the last screen ends the program."""
        self.workers.cancel_node(self)
        if len(self.app.screen_stack) > 2:
            self.dismiss()
        else:
            self.app.exit()
