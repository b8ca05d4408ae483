"""The seals of one recording, checked one after the other against the lines before them."""

from datetime import UTC, datetime, timedelta

from recorder.cast.events import SEAL
from recorder.cast.v2 import encode_event, parse_event
from recorder.errors import FormatError
from recorder.safe_text import safe
from recorder.seal.diagnosis import MAX_SPAN, Span, diagnose
from recorder.seal.findings import Finding, Kind, clock
from recorder.seal.merkle import EMPTY_ROOT, Frontier, leaf_hash
from recorder.seal.note import Checkpoint, key_id, open_note, parse_checkpoint, split_note
from recorder.seal.refusals import BadSignatureError, UnknownKeyError
from recorder.seal.sealer import FINAL, TIME, wall_clock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCK_SLACK = timedelta(seconds=2)
_MAX_CLOCK_NOTES = 20


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
        self._verifiers = {(origin, key_id(origin, public)): public}
        self._tree = Frontier()
        self._before = self._tree.copy()
        self._leaves: list[bytes] = []
        self._last_note = ("", 0)

    def grow(self, lines: list[bytes]) -> None:
        """Take in the next lines."""
        if self.broken:
            return
        leaves = [leaf_hash(line) for line in lines]
        self._tree.extend(leaves)
        if len(self._leaves) <= MAX_SPAN:
            self._leaves += leaves

    def check(self, line: bytes, number: int, before: float, time: float) -> Finding | None:
        """Judge the seal in this line; `before` is the time of the line before it."""
        if self.broken or self.final:
            return None
        finding = self._judge(line, number, before, time)
        self.broken = finding is not None
        return finding

    def _judge(self, line: bytes, number: int, before: float, time: float) -> Finding | None:
        where = f"the seal at line {number}"
        try:
            note, checkpoint, wall = _read(line, time, where)
        except FormatError as error:
            return self._damaged(Kind.DAMAGED_SEAL, f"{error.message}", number, time)
        if checkpoint.origin != self._origin:
            sentence = f"{where} names {safe(checkpoint.origin, 200)}, not this recording"
            return self._damaged(Kind.FOREIGN_SEAL, sentence, number, time)
        try:
            open_note(note, self._verifiers, where)
        except UnknownKeyError:
            return self._damaged(Kind.FOREIGN_SEAL, f"{where} was made by another key", number, time)
        except BadSignatureError:
            return self._damaged(Kind.DAMAGED_SEAL, f"{where} was altered: its signature fails", number, time)
        if (checkpoint.size, checkpoint.root) != (self._tree.size, self._tree.root()):
            return self._mismatch(note, checkpoint, number, time)
        self._accept(note, checkpoint, number, before, wall)
        return None

    def _damaged(self, kind: Kind, sentence: str, number: int, time: float) -> Finding:
        return Finding(kind, sentence, number, number, self.sealed_until, time)

    def _mismatch(self, note: str, checkpoint: Checkpoint, number: int, time: float) -> Finding:
        """The seal is genuine, and the lines before it are not what it covers."""
        last_note, last_number = self._last_note
        if note == last_note:
            return self._damaged(
                Kind.DOUBLED, f"line {number} repeats the seal of line {last_number}", number, time
            )
        held = self._tree.size - self._before.size
        leaves = self._leaves if len(self._leaves) == held else []
        span = Span(self._before, leaves, held, checkpoint.size, checkpoint.root)
        kind, what = diagnose(span)
        sentence = (
            f"{what} ({clock(self.sealed_until)} to {clock(time)}): the seal at line {number} does not match"
        )
        return Finding(kind, sentence, span.first_line, number - 1, self.sealed_until, time)

    def _accept(self, note: str, checkpoint: Checkpoint, number: int, before: float, wall: datetime) -> None:
        self._follow_clock(wall, before)
        self.seals += 1
        self.final = FINAL in checkpoint.extensions
        self.sealed_lines, self.last_root = checkpoint.size, checkpoint.root
        self.sealed_until = before
        self._before = self._tree.copy()
        self._leaves = []
        self._last_note = note, number

    def _follow_clock(self, wall: datetime, before: float) -> None:
        """A stepped clock is worth a note, and is no tampering."""
        if self.wall_start is None:
            self.wall_start = wall
        if self.wall_end is not None and len(self.clock_notes) < _MAX_CLOCK_NOTES:
            passed = timedelta(seconds=before - self.sealed_until)
            step = wall - self.wall_end - passed
            if wall < self.wall_end:
                self._note_clock(f"went back by {(self.wall_end - wall).total_seconds():.1f} s", before)
            elif abs(step) > _CLOCK_SLACK:
                self._note_clock(f"differs by {step.total_seconds():+.1f} s from the recording's", before)
        self.wall_end = wall

    def _note_clock(self, what: str, time: float) -> None:
        span = f"between {clock(self.sealed_until)} and {clock(time)}"
        self.clock_notes.append(f"the host's wall clock {what} {span}")


def _read(line: bytes, time: float, where: str) -> tuple[str, Checkpoint, datetime]:
    """The note in a seal's line, its checkpoint and its wall-clock time; in our own spelling only."""
    note = parse_event(line, where).data
    text, signatures = split_note(note, where)
    if len(signatures) != 1 or encode_event(time, SEAL, note) != line:
        raise FormatError("not in the form in which seals are written", where)
    checkpoint = parse_checkpoint(text, where)
    stamp, *rest = checkpoint.extensions or ("",)
    if rest not in ([], [FINAL]):
        raise FormatError("says what this program does not know", where)
    return note, checkpoint, _parse_stamp(stamp, where)


def _parse_stamp(stamp: str, where: str) -> datetime:
    try:
        wall = datetime.fromisoformat(stamp.removeprefix(TIME))
        milliseconds = round((wall - _EPOCH) / timedelta(milliseconds=1))
    except (ValueError, TypeError):
        raise FormatError("holds no wall-clock time", where) from None
    if TIME + wall_clock(milliseconds) != stamp:
        raise FormatError("holds no wall-clock time in its one form", where)
    return wall
