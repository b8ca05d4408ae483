"""The commands of the session in the player: the sidebar, moving from one to the next, where one stands."""

from collections.abc import Callable, Iterable, Iterator
from datetime import tzinfo
from time import monotonic, sleep

from textual import on

from recorder.cast.events import Event
from recorder.commands import Command
from recorder.errors import SealcastError
from recorder.safe_text import safe
from tui.cells import Part, width
from tui.commands import Commands
from tui.messages import CommandsFound
from tui.screens.base import TALL
from tui.screens.command_rows import (
    NONE_FOUND,
    READING,
    clock_label,
    command_row,
    detail_parts,
    mark_row,
    number_part,
)
from tui.screens.player_search import PlayerSearch
from tui.widgets.command_list import CommandSidebar
from tui.widgets.grid import Grid
from tui.widgets.prompt import Prompt
from tui.widgets.timeline import TimelineStrip

MID, WIDE = 100, 160
"""Columns from which there is room for a sidebar, and for a wide one."""
_SIDEBAR = {MID: 46, WIDE: 64}
_SLICE, _PAUSE = 0.01, 0.002
"""Seconds of reading, and of leaving the picture its turn."""
_TELL_EVERY = 0.25


class PlayerCommands(PlayerSearch):
    """Knows the commands found so far, and which one the playhead is in."""

    zone: tzinfo
    commands = Commands()
    sidebar_wanted = True
    _chosen: int | None = None
    """The command that was gone to: of several accepted in one moment the playhead stands on this one."""

    def read_commands(self, stop: Callable[[], bool]) -> None:
        """Extract them from the recording; in a worker, once the picture can be had."""
        found: list[Command] = []
        try:
            self._collect(found, stop)
        except (SealcastError, OSError) as error:  # it could be read a moment ago: the picture stays
            self.post_message(CommandsFound(Commands(found)))
            self.app.call_from_thread(self.say, f"cannot read the commands: {safe(str(error), 80)}")
            return
        if not stop():
            self.post_message(CommandsFound(Commands(found, complete=True)))

    def _collect(self, found: list[Command], stop: Callable[[], bool]) -> None:
        due = monotonic() + _TELL_EVERY
        for command in self.source.commands(self.subject, lambda events: _unhurried(events, stop)):
            found.append(command)
            if monotonic() >= due:
                self.post_message(CommandsFound(Commands(found)))
                due = monotonic() + _TELL_EVERY

    @on(CommandsFound)
    def take_commands(self, message: CommandsFound) -> None:
        """More commands are known."""
        self.commands, self._chosen = message.commands, None
        strip = self.query_one(TimelineStrip)
        strip.show_commands(self.commands.times(of_failed=False), self.commands.times(of_failed=True))
        self._fill_sidebar()
        self.draw_soon()

    def show_current_command(self, *, snap: bool = False) -> None:
        """Let the sidebar follow the playhead."""
        self.query_one(CommandSidebar).mark(
            self.current_command() if self.commands.items else None, snap=snap
        )

    def current_command(self) -> int | None:
        """The number of the command at the playhead, from 0; None before the first."""
        if self.player is None:
            return None
        items, position = self.commands.items, self.player.position
        if self._chosen is not None and items[self._chosen].start_s == position:
            return self._chosen
        return self.commands.at(position)

    def command_parts(self, used: int) -> list[Part]:
        """What the status row says of it, behind `used` cells: the number, and where there is room, more."""
        here = self.current_command()
        parts = number_part(self.commands, here)
        if parts and here is not None and self.size.width >= MID:
            room = self.size.width - used - width(parts[0].text) - 1
            parts += detail_parts(self.commands.items[here], room)
        return parts

    def lay_out_sidebar(self, columns: int, rows: int) -> None:
        """Beside the picture where there is room for both."""
        sidebar = self.query_one(CommandSidebar)
        sidebar.styles.width = _SIDEBAR[WIDE if columns >= WIDE else MID]
        roomy = columns >= MID and rows >= TALL
        pictured = self.query_one(Grid).display
        sidebar.display = self.sidebar_wanted and roomy and pictured and not self.full
        self._fill_sidebar()

    def action_sidebar(self) -> None:
        """Show or hide the sidebar."""
        columns, rows = self.size
        if columns < MID or rows < TALL:
            self.say(f"the sidebar needs {MID}×{TALL}")
            return
        self.sidebar_wanted = not self.sidebar_wanted
        self.lay_out_again()

    def action_command(self, direction: int) -> None:
        """The next or previous command."""
        self._move(direction, only_failed=False)

    def action_failed(self, direction: int) -> None:
        """The next or previous command that failed."""
        self._move(direction, only_failed=True)

    @on(CommandSidebar.Picked)
    def go_to_row(self, message: CommandSidebar.Picked) -> None:
        """Somebody clicked a command, or a mark where there are none."""
        if self.player is None:
            return
        if self.commands.items:
            self.go_to_command(message.index)
        else:
            self.go_to(self.player.recording.marks[message.index].time)
        if message.play:
            self.player.clock.play(monotonic())

    def go_to_command(self, index: int) -> None:
        """The moment at which it was accepted: all of its line is there, and its output is to come."""
        if self.player is not None:
            self.go_to(self.commands.items[index].start_s)
            self._chosen = index
            self.show_current_command(snap=True)

    def _move(self, direction: int, *, only_failed: bool) -> None:
        if self.player is None or self.query_one(Prompt).display:
            return
        found = self.commands.neighbour(self.current_command(), direction, only_failed=only_failed)
        if found is None:
            self.say(self._why_not(direction, only_failed=only_failed))
        else:
            self.go_to_command(found)

    def _why_not(self, direction: int, *, only_failed: bool) -> str:
        if not self.commands.complete:
            return "still reading the commands"
        if not self.commands.items:
            return "no commands in this recording"
        if only_failed and not self.commands.times(of_failed=True):
            return "no command is known to have failed"
        what = "failed command" if only_failed else "command"
        return f"no later {what}" if direction > 0 else f"no earlier {what}"

    def _fill_sidebar(self) -> None:
        sidebar, items = self.query_one(CommandSidebar), self.commands.items
        if items:
            sidebar.show(len(items), self._command_row)
        elif not self.commands.complete:
            sidebar.show(0, self._command_row, READING)
        else:
            marks = self.player.recording.marks if self.player is not None else []
            sidebar.show(len(marks), self._mark_row, NONE_FOUND)
        self.show_current_command()

    def _command_row(self, index: int, cells: int) -> list[Part]:
        command = self.commands.items[index]
        return command_row(command, self._when(command.start_s), cells)

    def _mark_row(self, index: int, cells: int) -> list[Part]:
        marks = self.player.recording.marks if self.player is not None else []
        return mark_row(marks[index], self._when(marks[index].time), cells) if index < len(marks) else []

    def _when(self, time: float) -> str:
        return clock_label(time, self.subject.start, self.zone)


def _unhurried(events: Iterable[Event], stop: Callable[[], bool]) -> Iterator[Event]:
    """The events, with a pause now and then for whoever draws; they end early when `stop()` says so."""
    due = monotonic() + _SLICE
    for event in events:
        if monotonic() >= due:
            if stop():
                return
            sleep(_PAUSE)
            due = monotonic() + _SLICE
        yield event
