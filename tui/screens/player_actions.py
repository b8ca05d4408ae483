"""What the keys of the player do."""

from time import monotonic

from tui.clock import speed_label
from tui.facts import short_id
from tui.player import Player
from tui.screens.base import RoomyScreen
from tui.source import Source, Subject
from tui.times import length_label, moment
from tui.widgets.grid import Grid
from tui.widgets.prompt import Prompt
from tui.widgets.timeline import TimelineStrip

GO_TO_EXAMPLES = "12:34 · 12m34s · 14:15:02 · 45% · +30s · cmd 11 · g = start · G = end"


class PlayerActions(RoomyScreen):
    """Keys to player; drawing is left to the subclass."""

    source: Source
    subject: Subject
    player: Player | None = None
    asking = "moment"
    """What the prompt is for: a moment, or a search."""
    full = False
    strip_wanted = True

    def close_prompt(self) -> None:
        """Hide the prompt; the keys go to the picture again."""
        self.query_one(Prompt).close()
        self.query_one(Grid).focus(scroll_visible=False)

    def draw_soon(self) -> None:
        """Bring the picture to the position once the keys that wait are done."""
        raise NotImplementedError

    def lay_out_again(self) -> None:
        """Lay the rows out again."""
        self.lay_out(*self.size)

    def action_play(self) -> None:
        """Play or pause."""
        if self.player is not None:
            self.player.toggle(monotonic())
            self.draw_soon()

    def action_seek(self, seconds: float) -> None:
        """Go some seconds forward or back."""
        if self.player is not None:
            self.go_to(self.player.position + seconds)

    def action_share(self, share: float) -> None:
        """Go to a part of the length."""
        if self.player is not None:
            self.go_to(self.player.recording.duration * share)

    def action_by_share(self, share: float) -> None:
        """Go a part of the length forward or back."""
        if self.player is not None:
            self.go_to(self.player.position + self.player.recording.duration * share)

    def action_end(self) -> None:
        """The last moment."""
        self.action_share(1.0)

    def go_to(self, position: float) -> None:
        """Put the clock there; the picture follows with the next draw, so held keys do not queue up."""
        if self.player is not None:
            self.player.clock.seek(position)
            self.draw_soon()

    def action_step(self, direction: int) -> None:
        """One visible change."""
        if self.player is None:
            return
        self.player.refresh()
        if not self.player.step(direction, self.query_one(Grid).rows):
            self.say("this is the last change" if direction > 0 else "this is the start")
        self.draw_soon()

    def action_faster(self) -> None:
        """Double speed."""
        if self.player is not None:
            self.player.clock.faster()
            self._say_speed(self.player)

    def action_slower(self) -> None:
        """Half speed."""
        if self.player is not None:
            self.player.clock.slower()
            self._say_speed(self.player)

    def action_normal_speed(self) -> None:
        """Speed 1."""
        if self.player is not None:
            self.player.clock.normal_speed()
            self._say_speed(self.player)

    def action_idle(self) -> None:
        """Skip idle time, or play it in full."""
        if self.player is not None:
            self.player.clock.toggle_skipping()
            limit = length_label(self.player.clock.idle_limit)
            self.say(f"idle over {limit} is skipped" if self.player.clock.skipping else "idle plays in full")

    def action_mark(self, direction: int) -> None:
        """The next or previous marker of the recording."""
        if self.player is None:
            return
        here = self.player.position
        marks = [mark for mark in self.player.recording.marks if (mark.time - here) * direction > 0.05]
        if not marks:
            self.say("no more marks" if self.player.recording.marks else "no marks in this recording")
            return
        found = marks[0] if direction > 0 else marks[-1]
        self.go_to(found.time)
        self.say(found.label or "mark")

    def action_goto(self) -> None:
        """Ask for a time; a second `g` that comes before the field has the keys is the start."""
        prompt = self.query_one(Prompt)
        if prompt.display and self.asking == "search":
            prompt.field.insert_text_at_cursor("g")
        elif prompt.display:
            self.close_prompt()
            self.action_share(0.0)
        elif self.player is not None:
            self.asking = "moment"
            prompt.ask("go to", GO_TO_EXAMPLES)

    def action_full(self) -> None:
        """Only the picture and the status row, or all again."""
        self.full = not self.full
        self.lay_out_again()

    def action_timeline(self) -> None:
        """Show or hide the timeline."""
        self.strip_wanted = not self.strip_wanted
        self.lay_out_again()

    def action_zoom(self, steps: int) -> None:
        """Narrow or widen the timeline."""
        self.query_one(TimelineStrip).zoom_by(steps)

    def action_pan(self, dx: int, dy: int) -> None:
        """Move the view of a picture larger than its pane."""
        self.query_one(Grid).pan(dx, dy)

    def action_follow(self) -> None:
        """Follow the cursor again."""
        self.query_one(Grid).follow()

    def action_copy_link(self) -> None:
        """Send a link to this moment to the terminal's clipboard."""
        if self.player is None:
            return
        link = f"{short_id(self.subject.name)}@{moment(self.player.position)}"
        self.app.copy_to_clipboard(link)
        self.say(f"copied link {link}")

    def _say_speed(self, player: Player) -> None:
        self.say(f"speed {speed_label(player.clock.speed)}")
        self.draw_soon()
