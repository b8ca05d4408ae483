"""What workers tell screens. A later progress message replaces an earlier one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from recorder.cast.v2 import Header
from recorder.errors import SealcastError
from recorder.index.listing import Counts
from recorder.store.catalog import Session
from recorder.store.layout import Store
from recorder.store.targets import Target
from recorder.store.verdict import Verdict
from tui.source import Source

if TYPE_CHECKING:  # the Library, which needs none of them, is there sooner
    from tui.commands import Commands
    from tui.player import Player
    from tui.screens.search_rows import Group
    from tui.search import Search


class Progress(Message):
    """Only the newest of these counts."""

    def can_replace(self, message: Message) -> bool:
        """A later one makes an earlier one pointless."""
        return type(self) is type(message)


@dataclass
class Opened(Message):
    """The header was read; events follow into the player's recording."""

    header: Header
    player: "Player"


@dataclass
class Loaded(Progress):
    """More events are in, or the keyframes reach further."""

    events: int


@dataclass
class CommandsFound(Progress):
    """More of the recording was read for commands."""

    commands: "Commands"


@dataclass
class Searched(Progress):
    """A search has come further."""

    search: "Search"


@dataclass
class Unreadable(Message):
    """The recording cannot be shown."""

    error: SealcastError


@dataclass
class CheckProgress(Progress):
    """A verification has come this far, in percent."""

    percent: int


@dataclass
class Checked(Message):
    """A verdict is known; `key` says of what."""

    key: str
    verdict: Verdict


@dataclass
class Listed(Message):
    """The sessions of a store, newest first."""

    sessions: list[Session]
    source: Source


@dataclass
class FirstListed(Message):
    """The newest sessions, while the others are read; the counts are of all."""

    sessions: list[Session]
    counts: Counts
    source: Source


@dataclass
class DemoMade(Message):
    """The demo session is there to be played."""

    store: Store
    target: Target


@dataclass
class DemoFailed(Message):
    """The demo session could not be recorded."""

    error: Exception


@dataclass
class Filtered(Message):
    """The sessions that match; stale unless `generation` is the current one."""

    sessions: list[Session]
    generation: int


@dataclass
class FilterFailed(Message):
    """The list cannot be narrowed."""

    error: SealcastError


@dataclass
class Found(Progress):
    """What a search over all sessions has found so far, and how far it has come."""

    groups: "list[Group]"
    matches: int
    searched: int
    total: int
    done: bool = False


@dataclass
class SearchFailed(Message):
    """The index cannot be searched."""

    error: SealcastError
