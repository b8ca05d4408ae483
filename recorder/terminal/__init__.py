"""The terminal engine: what the screen showed, from the bytes that were written to it."""

from recorder.terminal.attributes import Attr
from recorder.terminal.events import AltScreen, Bell, Cwd, Event, PromptMark, Title
from recorder.terminal.keyframes import Playhead, Step, Timeline
from recorder.terminal.modes import Modes
from recorder.terminal.rows import Line, Run
from recorder.terminal.screen import Cursor, LogicalLine, Screen
from recorder.terminal.snapshots import Snapshot

__all__ = [
    "AltScreen",
    "Attr",
    "Bell",
    "Cursor",
    "Cwd",
    "Event",
    "Line",
    "LogicalLine",
    "Modes",
    "Playhead",
    "PromptMark",
    "Run",
    "Screen",
    "Snapshot",
    "Step",
    "Timeline",
    "Title",
]
