"""Is the log the one that its host signed? Entries, tiles and checkpoint held against each other."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from recorder.errors import FormatError, SealcastError
from recorder.log import entries
from recorder.log.history import History, SessionHistory
from recorder.log.journal import Log
from recorder.log.tiles import WIDTH, tile_path
from recorder.seal.merkle import EMPTY_ROOT, leaf_hash, root_of
from recorder.seal.note import Checkpoint

_MAX_NAMED = 20
"""Changed entries that are named one by one."""


@dataclass(frozen=True, slots=True)
class LogFinding:
    """One thing that is wrong with the log."""

    sentence: str
    index: int | None = None
    """The entry it is about."""
    session: str | None = None


@dataclass(slots=True)
class Audit:
    """What the log says, and how far that is proved."""

    history: History
    findings: list[LogFinding] = field(default_factory=list)
    unproved: set[int] = field(default_factory=set)
    """Entries that are not the signed ones."""
    holds: bool = True
    """Whether the tree leads to the signed root, so that every entry not in `unproved` is proved."""

    def proves(self, index: int) -> bool:
        return self.holds and index not in self.unproved


def audit(log: Log, session: str | None = None) -> Audit:
    """Read the whole log. What is wrong with it becomes findings; nothing is raised for its content.

    All of it is proved. With a `session`, only entries that name it are read for the history, which is whole
    for that one alone: half the time, a tenth of the memory. What is wrong with the numbers and endings of
    sessions is not told then.
    """
    try:
        checkpoint = log.checkpoint()
    except SealcastError as error:
        empty = History(Checkpoint(log.origin, 0, EMPTY_ROOT))
        return Audit(empty, [LogFinding(error.message)], holds=False)
    return _Auditor(log, checkpoint, session).run()


class _Auditor:
    def __init__(self, log: Log, checkpoint: Checkpoint, session: str | None) -> None:
        self._log = log
        self._session = session
        self._about = (session or "").encode()
        self._size = checkpoint.size
        self._audit = Audit(History(checkpoint))
        self._computed: list[bytes] = []
        """Leaf hashes of the entries as they are."""
        self._stored: list[bytes] = []
        """Leaf hashes as the tiles have them."""
        self._changed: dict[int, str] = {}

    def run(self) -> Audit:
        for index in range(-(-self._size // WIDTH)):
            self._read(index, min(WIDTH, self._size - index * WIDTH))
        self._judge_tree()
        self._check_upper_tiles()
        if self._session is None:
            self._check_sessions()
        return self._audit

    def _find(self, sentence: str, index: int | None = None, session: str | None = None) -> None:
        self._audit.findings.append(LogFinding(sentence, index, session))

    def _read(self, tile: int, width: int) -> None:
        """One bundle of entries, and the tile of their hashes."""
        first = tile * WIDTH
        try:
            bundle = self._log.bundle(tile, width)
        except (SealcastError, OSError) as error:
            self._find(f"entries {first} to {first + width - 1} cannot be read: {error}")
            bundle = []
        computed = [leaf_hash(entry) for entry in bundle] or [bytes(32)] * width
        stored = self._tile(0, tile, width) or computed
        for index, entry in enumerate(bundle, first):
            if self._about in entry:
                self._audit.history.add(index, entry)
        for offset, (one, other) in enumerate(zip(computed, stored, strict=True)):
            if one != other:
                self._changed[first + offset] = _describe(bundle[offset]) if bundle else "unreadable"
        self._computed += computed
        self._stored += stored

    def _tile(self, level: int, index: int, width: int) -> list[bytes] | None:
        try:
            return self._log.tile(level, index, width)
        except (SealcastError, OSError) as error:
            self._find(f"{tile_path(level, index, width)} cannot be read: {error}")
            return None

    def _judge_tree(self) -> None:
        """Either the entries or the tiles lead to the signed root; else nothing is proved."""
        root = self._audit.history.checkpoint.root
        if root_of(self._computed) == root:
            if self._changed:
                self._find(
                    f"the hashes of {_count(self._changed)} in the tiles are damaged; the entries are intact"
                )
            self._stored = self._computed
        elif root_of(self._stored) == root:
            self._audit.unproved = set(self._changed)
            for index, what in list(self._changed.items())[:_MAX_NAMED]:
                self._find(f"entry {index} was changed after it was written ({what})", index)
            if len(self._changed) > _MAX_NAMED:
                self._find(f"{len(self._changed) - _MAX_NAMED} more entries were changed")
        else:
            self._audit.holds = False
            self._find("the entries do not lead to the root that the host signed: the log was changed")

    def _check_upper_tiles(self) -> None:
        level, hashes = 0, self._stored
        while len(hashes) >= WIDTH and self._audit.holds:
            full = len(hashes) // WIDTH
            hashes = [root_of(hashes[start * WIDTH : (start + 1) * WIDTH]) for start in range(full)]
            level += 1
            self._check_level(level, hashes)

    def _check_level(self, level: int, hashes: Sequence[bytes]) -> None:
        for start in range(0, len(hashes), WIDTH):
            expected = list(hashes[start : start + WIDTH])
            tile = self._tile(level, start // WIDTH, len(expected))
            if tile is not None and tile != expected:
                self._find(
                    f"{tile_path(level, start // WIDTH, len(expected))} does not fit the tiles below it"
                )

    def _check_sessions(self) -> None:
        history = self._audit.history
        for index in history.unreadable:
            self._find(f"entry {index} cannot be read", index)
        expected = 1
        for session in sorted(history.sessions.values(), key=lambda item: item.opened_index):
            if session.opened_entry is not None and not session.imported:
                if session.number != expected:
                    self._gap(session, expected)
                expected = session.number + 1
            self._check_session(session)

    def _gap(self, session: SessionHistory, expected: int) -> None:
        sentence = (
            f"session number {expected} should follow, and {session.number} does: the numbers have a gap"
        )
        self._find(sentence, session.opened_index, session.session)

    def _check_session(self, session: SessionHistory) -> None:
        if session.opened_entry is None:
            sentence = f"session {session.session} was closed and never opened"
            self._find(sentence, session.ended_index, session.session)
        if session.endings > 1:
            sentence = f"session {session.session} was closed {session.endings} times"
            self._find(sentence, session.ended_index, session.session)


def _count(found: dict[int, str]) -> str:
    return "1 entry" if len(found) == 1 else f"{len(found)} entries"


def _describe(entry: bytes) -> str:
    try:
        document = entries.decode(entry, "log")
    except FormatError:
        return "it is no document now"
    session = entries.value_at(document, ("sealcast", "session"))
    action = entries.action(document)
    return f"it says {action} of {session}" if isinstance(session, str) else f"it says {action}"
