"""The seals of one recording, checked one after the other against the lines before them."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from recorder.cast.events import SEAL
from recorder.cast.v2 import encode_event, parse_event
from recorder.errors import FormatError
from recorder.safe_text import safe
from recorder.seal.diagnosis import MAX_SPAN, Span, diagnose
from recorder.seal.findings import Finding, Kind, clock
from recorder.seal.keys import verify
from recorder.seal.merkle import EMPTY_ROOT, Frontier, leaf_hash
from recorder.seal.note import Checkpoint, NoteSignature, key_id, parse_checkpoint, split_note
from recorder.seal.refusals import BadSignatureError
from recorder.seal.sealer import FINAL, TIME, wall_clock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCK_SLACK = timedelta(seconds=2)
_MAX_CLOCK_NOTES = 20
_MAX_PENDING = 64


class _Seal(NamedTuple):
    """One seal as it stands in its line."""

    number: int
    before: float
    """Recording time of the line before it."""
    time: float
    text: str
    signature: NoteSignature
    checkpoint: Checkpoint
    wall: datetime

    @property
    def closing(self) -> bool:
        return FINAL in self.checkpoint.extensions


class SealChain:
    """Grows with the lines of a recording and checks each seal; after a bad one it cannot go on."""

    def __init__(self, origin: str, public: bytes) -> None:
        self.seals = 0
        """Good seals so far."""
        self.broken = False
        self.final = False
        self.sealed_lines = 0
        """Lines covered by the last good seal."""
        self.sealed_until = 0.0
        """Recording time of the last of them."""
        self.last_root = EMPTY_ROOT
        self.wall_start: datetime | None = None
        self.wall_end: datetime | None = None
        self.clock_notes: list[str] = []
        self._origin = origin
        self._public = public
        self._signer = origin, key_id(origin, public)
        self._tree = Frontier()
        self._before = self._tree.copy()
        """The tree at the last seal whose root was right."""
        self._leaves: list[bytes] = []
        """Hashes of the lines since, as far as they are kept for diagnosis."""
        self._pending: list[_Seal] = []
        """Seals with the right root whose signature has not been checked."""
        self._last: _Seal | None = None
        """The last good seal."""
        self._wall_time = 0.0
        """Recording time at `wall_end`."""

    def grow(self, lines: list[bytes]) -> None:
        """Take in the next lines."""
        leaves = [leaf_hash(line) for line in lines]
        self._tree.extend(leaves)
        if len(self._leaves) <= MAX_SPAN and not self.broken:
            self._leaves += leaves

    @property
    def root(self) -> bytes:
        """The root over all lines so far."""
        return self._tree.root()

    def check(self, line: bytes, number: int, before: float, time: float) -> Finding | None:
        """Judge the seal in this line; `before` is the time of the line before it.

        A finding may be about an earlier seal.
        """
        if self.broken or self.final:
            return None
        finding = self._judge(line, number, before, time)
        if finding is not None:
            finding = self.settle() or finding
            self.broken = True
        elif self._pending[-1].closing or len(self._pending) >= _MAX_PENDING:
            finding = self.settle()
        return finding

    def settle(self) -> Finding | None:
        """Check the signatures still open.

        The last one's is enough where it holds: the root it signs is that of all lines before it, the other
        seals' among them. Else they are taken one by one, and the first bad one is the finding.
        """
        pending, self._pending = self._pending, []
        if pending and self._signed(pending[-1]):
            for seal in pending:
                self._accept(seal)
            return None
        for seal in pending:
            if not self._signed(seal):
                self.broken = True
                return self._bad_signature(seal)
            self._accept(seal)
        return None

    def _judge(self, line: bytes, number: int, before: float, time: float) -> Finding | None:
        """What is wrong with this seal, its signature aside; a good one becomes pending."""
        where = f"the seal at line {number}"
        try:
            seal = _read(line, number, before, time)
        except FormatError as error:
            return self._damaged(Kind.DAMAGED_SEAL, error.message, number, time)
        if seal.checkpoint.origin != self._origin:
            sentence = f"{where} names {safe(seal.checkpoint.origin, 200)}, not this recording"
            return self._damaged(Kind.FOREIGN_SEAL, sentence, number, time)
        if (seal.signature.name, seal.signature.key_id) != self._signer:
            return self._damaged(Kind.FOREIGN_SEAL, f"{where} was made by another key", number, time)
        if (seal.checkpoint.size, seal.checkpoint.root) != (self._tree.size, self._tree.root()):
            return self._mismatch(seal) if self._signed(seal) else self._bad_signature(seal)
        self._pending.append(seal)
        self._before = self._tree.copy()
        self._leaves = []
        return None

    def _signed(self, seal: _Seal) -> bool:
        try:
            verify(self._public, seal.signature.signature, seal.text.encode(), f"line {seal.number}")
        except BadSignatureError:
            return False
        return True

    def _bad_signature(self, seal: _Seal) -> Finding:
        sentence = f"the seal at line {seal.number} was altered: its signature fails"
        return self._damaged(Kind.DAMAGED_SEAL, sentence, seal.number, seal.time)

    def _damaged(self, kind: Kind, sentence: str, number: int, time: float) -> Finding:
        return Finding(kind, sentence, number, number, self._good_until, time)

    @property
    def _good_until(self) -> float:
        """Recording time up to which every seal's root was right."""
        return self._pending[-1].before if self._pending else self.sealed_until

    def _mismatch(self, seal: _Seal) -> Finding:
        """The seal is genuine, and the lines before it are not what it covers."""
        last = self._pending[-1] if self._pending else self._last
        number, time = seal.number, seal.time
        if last is not None and seal.text == last.text:
            sentence = f"line {number} repeats the seal of line {last.number}"
            return self._damaged(Kind.DOUBLED, sentence, number, time)
        held = self._tree.size - self._before.size
        leaves = self._leaves if len(self._leaves) == held else []
        start = self._good_until
        span = Span(self._before, leaves, held, seal.checkpoint.size, seal.checkpoint.root)
        kind, what = diagnose(span)
        sentence = f"{what} ({clock(start)} to {clock(time)}): the seal at line {number} does not match"
        return Finding(kind, sentence, span.first_line, number - 1, start, time)

    def _accept(self, seal: _Seal) -> None:
        self._follow_clock(seal.wall, seal.time)
        self.seals += 1
        self.final = seal.closing
        self.sealed_lines, self.last_root = seal.checkpoint.size, seal.checkpoint.root
        self.sealed_until = seal.before
        self._last = seal

    def _follow_clock(self, wall: datetime, time: float) -> None:
        """A stepped clock is worth a note, and is no tampering."""
        if self.wall_start is None:
            self.wall_start = wall
        if self.wall_end is not None and len(self.clock_notes) < _MAX_CLOCK_NOTES:
            passed = timedelta(seconds=time - self._wall_time)
            step = wall - self.wall_end - passed
            if wall < self.wall_end:
                self._note_clock(f"went back by {(self.wall_end - wall).total_seconds():.1f} s", time)
            elif abs(step) > _CLOCK_SLACK:
                self._note_clock(f"differs by {step.total_seconds():+.1f} s from the recording's", time)
        self.wall_end, self._wall_time = wall, time

    def _note_clock(self, what: str, time: float) -> None:
        span = f"between {clock(self._wall_time)} and {clock(time)}"
        self.clock_notes.append(f"the host's wall clock {what} {span}")


def _read(line: bytes, number: int, before: float, time: float) -> _Seal:
    """The seal in a line, in the one spelling in which seals are written."""
    where = f"the seal at line {number}"
    note = parse_event(line, where).data
    text, signatures = split_note(note, where)
    if len(signatures) != 1 or encode_event(time, SEAL, note) != line:
        raise FormatError("not in the form in which seals are written", where)
    checkpoint = parse_checkpoint(text, where)
    stamp, *rest = checkpoint.extensions or ("",)
    if rest not in ([], [FINAL]):
        raise FormatError("says what this program does not know", where)
    return _Seal(number, before, time, text, signatures[0], checkpoint, _parse_stamp(stamp, where))


def _parse_stamp(stamp: str, where: str) -> datetime:
    try:
        wall = datetime.fromisoformat(stamp.removeprefix(TIME))
        milliseconds = round((wall - _EPOCH) / timedelta(milliseconds=1))
    except (ValueError, TypeError):
        raise FormatError("holds no wall-clock time", where) from None
    if TIME + wall_clock(milliseconds) != stamp:
        raise FormatError("holds no wall-clock time in its one form", where)
    return wall
