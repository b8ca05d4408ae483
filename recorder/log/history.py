"""What the log says of every session, in one pass over its entries."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from recorder.errors import FormatError
from recorder.log import entries
from recorder.log.entries import CLOSED, IMPORTED, INTERRUPTED, OPENED, SESSION_ID, Document, value_at
from recorder.log.journal import Log
from recorder.seal.note import Checkpoint

_MAX_NUMBER = 2**53
_SESSION_MARK = b'"action":"session-'
_IMPORT_MARK = b'"action":"recording-imported"'


@dataclass(slots=True)
class SessionHistory:
    """The entries of one session; `None` where the log has none. Indexes are places in the log.

    The entries are kept as bytes and read when asked for: tens of thousands of documents in memory would
    cost more in garbage collection than reading them twice.
    """

    session: str
    number: int = 0
    """0 where the log does not say."""
    opened_entry: bytes | None = None
    opened_index: int = -1
    ended_entry: bytes | None = None
    ended_index: int = -1
    endings: int = 0
    interrupted: bool = False
    imported: bool = False
    """Made by another program. Its one entry, which says so, is both opening and end; it has no number."""

    @property
    def opened(self) -> Document | None:
        return None if self.opened_entry is None else entries.decode(self.opened_entry, "log")

    @property
    def ended(self) -> Document | None:
        return None if self.ended_entry is None else entries.decode(self.ended_entry, "log")

    def opening(self, *path: str) -> object:
        """A value of the opening entry, None where it is not there."""
        return value_at(self.opened, path)

    def ending(self, *path: str) -> object:
        """A value of the closing entry, None where it is not there."""
        return value_at(self.ended, path)


@dataclass(slots=True)
class History:
    """The sessions in the order of their opening."""

    checkpoint: Checkpoint
    sessions: dict[str, SessionHistory] = field(default_factory=dict)
    unreadable: list[int] = field(default_factory=list)
    """Entries that are no documents."""

    @property
    def last_number(self) -> int:
        return max((session.number for session in self.sessions.values()), default=0)

    def add(self, index: int, entry: bytes) -> None:
        """Take in entry `index`. Entries that are not about a session's life are passed over."""
        if _SESSION_MARK not in entry and _IMPORT_MARK not in entry:
            return
        try:
            document = entries.decode(entry, f"log entry {index}")
        except FormatError:
            self.unreadable.append(index)
            return
        session_id = value_at(document, ("sealcast", "session"))
        if isinstance(session_id, str) and SESSION_ID.fullmatch(session_id):
            self._enter(session_id, index, entry, document)
        else:
            self.unreadable.append(index)

    def _enter(self, session_id: str, index: int, entry: bytes, document: Document) -> None:
        session = self.sessions.setdefault(session_id, SessionHistory(session_id))
        number = value_at(document, ("sealcast", "number"))
        if type(number) is int and 0 <= number < _MAX_NUMBER:
            session.number = session.number or number
        kind = entries.action(document)
        if kind == OPENED:
            session.opened_entry, session.opened_index = entry, index
        elif kind in {CLOSED, INTERRUPTED}:
            session.endings += 1
            session.ended_entry, session.ended_index = entry, index
            session.interrupted = kind == INTERRUPTED
        elif kind == IMPORTED:
            session.endings += 1
            if session.opened_entry is None and session.ended_entry is None:
                session.imported = True
                session.opened_entry = session.ended_entry = entry
                session.opened_index = session.ended_index = index


def read_history(log: Log, about: bytes = b"") -> History:
    """The history by the log's signed checkpoint. Whether the entries are the signed ones, `audit` tells.

    Of entries in which `about` does not stand, nothing is read: sessions with that in their id are whole.
    """
    history = History(log.checkpoint())
    for index, entry in numbered_entries(log, history.checkpoint.size):
        if about in entry:
            history.add(index, entry)
    return history


def numbered_entries(log: Log, size: int) -> Iterator[tuple[int, bytes]]:
    """All entries below `size` with their places."""
    return enumerate(log.entries(0, size))
