"""Details and verification: the facts of a session, and every check with its result."""

from datetime import tzinfo
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.worker import get_current_worker

from recorder.store.verdict import Verdict
from tui.cells import Part, Row, side_by_side
from tui.facts import session_rows, verdict_rows
from tui.messages import Checked, CheckProgress
from tui.screens.base import RoomyScreen
from tui.screens.player_rows import HELP, head_parts
from tui.source import Source, Subject
from tui.widgets.drawn import Bar, Lines
from tui.words import word_of


class DetailsScreen(RoomyScreen):
    """Everything known about one session."""

    TOPIC = "details"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("V", "verify", "verify again", id="details.verify"),
        Binding("Y", "copy_report", "copy the report", id="details.copy"),
        Binding("down,j", "scroll(1)", "move through the rows"),
        Binding("up,k", "scroll(-1)", "move through the rows"),
        Binding("q,escape,d", "back", "back", id="details.back"),
    ]

    def __init__(
        self, source: Source, subject: Subject, zone: tzinfo, verdict: Verdict | None = None
    ) -> None:
        super().__init__()
        self.source, self.subject, self.zone, self.verdict = source, subject, zone, verdict
        self._percent = 0

    def body(self) -> ComposeResult:
        """Head, rows, hints."""
        yield Bar("head", id="head")
        yield Lines(id="facts")
        yield Bar("hint", id="hints")

    def instead(self) -> list[str]:
        """The command that prints the same."""
        return [f"sealcast show {self.subject.short}", f"sealcast verify {self.subject.short}"]

    def on_mount(self) -> None:
        """Check, unless the verdict was brought along."""
        hints = [Part(" V verify again "), Part(" Y copy report "), Part(" q back ")]
        self.query_one("#hints", Bar).show(hints, HELP)
        if self.verdict is None:
            self.check()

    def lay_out(self, width: int, height: int) -> None:  # noqa: ARG002 - one interface for all screens
        """Facts beside the checks where there is room, else above them."""
        word = word_of(self.verdict, self._percent, self.source.key_note)
        left, right = head_parts(self.subject, word, self.zone, width >= 100, None)
        self.query_one("#head", Bar).show(left, right, "head_bad" if word.role == "bad" else "head")
        facts, checks = self._facts(), verdict_rows(self.verdict, self._percent)
        self.query_one("#facts", Lines).show(side_by_side(facts, checks, width))

    def _facts(self) -> list[Row]:
        if self.subject.session is not None:
            return session_rows(self.subject.session, self.zone)
        return [(Part(" File      ", "dim"), Part(str(self.subject.target.path)))]

    @work(thread=True, exclusive=True, group="check", exit_on_error=False)
    def check(self) -> None:
        """Verify from the bytes on disk."""
        worker = get_current_worker()
        verdict = self.source.check(
            self.subject, lambda percent: self._tell(worker.is_cancelled, percent), alone=True, anew=True
        )
        if not worker.is_cancelled:
            self.post_message(Checked(self.subject.name, verdict))

    def _tell(self, cancelled: bool, percent: int) -> None:
        if not cancelled:
            self.post_message(CheckProgress(percent))

    @on(CheckProgress)
    def show_progress(self, message: CheckProgress) -> None:
        """The check goes on."""
        self._percent = message.percent
        self.lay_out(*self.size)

    @on(Checked)
    def judge(self, message: Checked) -> None:
        """The verdict is known."""
        self.verdict = message.verdict
        self.lay_out(*self.size)

    def action_verify(self) -> None:
        """Check again."""
        self.verdict, self._percent = None, 0
        self.lay_out(*self.size)
        self.check()

    def action_copy_report(self) -> None:
        """Send the report to the terminal's clipboard."""
        rows = [*self._facts(), (), *verdict_rows(self.verdict)]
        self.app.copy_to_clipboard("\n".join("".join(part.text for part in row) for row in rows) + "\n")

    def action_scroll(self, by: int) -> None:
        """Move through rows that do not fit."""
        self.query_one("#facts", Lines).scroll_rows(by)

    def action_back(self) -> None:
        """Where it was opened."""
        self.workers.cancel_node(self)
        self.dismiss()
