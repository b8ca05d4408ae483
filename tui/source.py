"""Where screens get sessions, events and verdicts from: the store, seen from the interface."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from recorder.cast.events import Event
from recorder.cast.header import Header
from recorder.cast.reader import open_events
from recorder.errors import ExitCode, SealcastError
from recorder.index.database import IndexDamagedError, damage_told
from recorder.index.listing import Counts, current_listing
from recorder.safe_text import safe
from recorder.store.catalog import Session, list_sessions
from recorder.store.layout import Store
from recorder.store.reading import open_file, open_stored
from recorder.store.targets import Target
from recorder.store.verdict import Verdict
from tui.facts import short_id, start_label, who
from tui.times import wall_label

if TYPE_CHECKING:
    from recorder.commands import Command
    from recorder.store.checking import Checker

Progress = Callable[[int], None]
"""Is told how far a job has come, in percent."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is being looked at: a session of the store, or a file from elsewhere."""

    target: Target
    name: str
    """The session id, or the name of the file."""
    session: Session | None
    label: str
    start: datetime | None

    @classmethod
    def of_session(cls, session: Session) -> "Subject":
        """A session of the store."""
        return cls(Target(session.path, session), session.id, session, who(session), session.start)

    @classmethod
    def of_target(cls, target: Target) -> "Subject":
        """What somebody named on a command line."""
        if target.session is not None:
            return cls.of_session(target.session)
        name = target.path.name if target.path is not None else "?"
        return cls(target, name, None, safe(name, 80), None)

    @property
    def short(self) -> str:
        """The id as it is shown and typed."""
        return short_id(self.name) if self.session is not None else safe(self.name, 40)

    def when(self, zone: tzinfo, wide: bool) -> str:
        """When it was recorded, as far as that is known."""
        if self.session is not None:
            return start_label(self.session, zone, wide)
        return f"{self.start.astimezone(zone):%Y-%m-%d} {wall_label(self.start, zone)}" if self.start else ""

    def described_by(self, header: Header) -> "Subject":
        """Filled in from the header where the store knows nothing."""
        if self.session is not None:
            return self
        start = None if header.timestamp is None else datetime.fromtimestamp(header.timestamp, UTC)
        label = safe(f"{header.session.user}@{header.session.host}") if header.session else self.label
        return replace(self, label=label, start=start)


class Source:
    """The store as the screens use it. Every method may take long: call it from a worker."""

    def __init__(self, store: Store, key_note: str = "") -> None:
        self.store = store
        self.key_note = key_note
        """What is to be said of the key wherever a recording of this store is called verified."""
        self._reading: tuple[object, Checker] | None = None
        """A reading of the log, and what the store was like then."""
        self._one_reader = threading.Lock()

    def first_sessions(self, limit: int) -> tuple[list[Session], Counts] | None:
        """The newest sessions and counts over all, in a moment; None where no index can tell."""
        with suppress(IndexDamagedError), damage_told(), current_listing(self.store) as listing:
            if listing is not None:
                return list(listing.newest(limit)), listing.counts()
        return None

    def sessions(self) -> list[Session]:
        """All sessions, newest first."""
        with suppress(IndexDamagedError), damage_told(), current_listing(self.store) as listing:
            if listing is not None:
                return list(listing.newest())
        return list_sessions(self.store)

    def looked_in(self) -> list[tuple[str, str]]:
        """Every place that was looked in, with its state."""
        root = self.store.root
        if not root.exists():
            return [(str(root), "folder does not exist")]
        return [(str(root), "empty" if os.access(root, os.R_OK | os.X_OK) else "not readable")]

    @contextmanager
    def events(self, subject: Subject) -> Iterator[tuple[Header, Iterator[Event]]]:
        """The header and the events of a recording; unreadable events are passed over."""
        path = subject.target.path
        if path is None:
            raise SealcastError(
                f"the recording of {safe(subject.name)} is missing",
                "the log says that it was made; restore it from a copy",
                ExitCode.TARGET,
            )
        with open_file(path) if subject.session is None else open_stored(path) as file:
            yield open_events(file, safe(subject.name), lenient=True)

    def commands(
        self, subject: Subject, through: Callable[[Iterable[Event]], Iterable[Event]]
    ) -> Iterator["Command"]:
        """The commands of a recording, each when it ends; the events go `through` the caller."""
        from recorder.commands import extract  # noqa: PLC0415  lists do without

        with self.events(subject) as (header, events):
            yield from extract(header, through(events))

    def check(
        self,
        subject: Subject,
        progress: Progress | None = None,
        *,
        alone: bool = False,
        anew: bool = False,
    ) -> Verdict:
        """Integrity and completeness, from the bytes on disk. What cannot be read has a verdict that says so.

        The log is read and proved again when it has grown, and where `anew` asks for it. For all sessions
        that takes five seconds with 100,000 of them; where it is done for this one `alone`, one.
        """
        from recorder.store.checking import unreadable  # noqa: PLC0415  a list is there before its checks

        tell = _percent(subject, progress) if progress else None
        try:
            return self._checker(subject.session if alone else None, anew=anew).check(subject.target, tell)
        except SealcastError as error:
            return unreadable(error)

    def _checker(self, only: Session | None, *, anew: bool) -> "Checker":
        from recorder.store.checking import Checker  # noqa: PLC0415  as above

        with self._one_reader:
            now = self._fingerprint()
            if anew or (self._reading is not None and self._reading[0] != now):
                self._reading = None
            if self._reading is None and only is not None:
                return Checker(self.store, only.id)
            if self._reading is None:
                checker = Checker(self.store)
                if self.store.exists():
                    _ = checker.audit
                self._reading = (now, checker)
            return self._reading[1]

    def _fingerprint(self) -> object:
        """Another one when the log has grown, or a key is trusted."""
        return [_content(path) for path in (self.store.root / "log" / "checkpoint", self.store.trusted_path)]


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _percent(subject: Subject, progress: Progress) -> Callable[[int], None]:
    """Bytes checked so far as whole percents, each told once."""
    size = (subject.session.size_bytes if subject.session is not None else None) or _file_size(subject)
    told = 0

    def tell(count: int) -> None:
        nonlocal told
        percent = min(99, count * 100 // size) if size else 0
        if percent > told:
            told = percent
            progress(percent)

    return tell


def _file_size(subject: Subject) -> int:
    try:
        return subject.target.path.stat().st_size if subject.target.path is not None else 0
    except OSError:
        return 0
