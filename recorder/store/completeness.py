"""Was anything cut off, replaced or left out? A recording held against the log of the host that made it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from recorder.log.audit import Audit
from recorder.log.history import SessionHistory
from recorder.safe_text import safe
from recorder.seal.findings import clock, counted
from recorder.seal.verify import Integrity
from recorder.store.state import State

KEEP = "keep this file and the log as they are, and compare both with a copy from elsewhere"


@dataclass(frozen=True, slots=True)
class Completeness:
    """`state` is what this verdict alone makes of the recording."""

    state: State
    sentence: str
    word: str = ""
    """Shown in place of the state's own word."""
    advice: tuple[str, ...] = ()
    bad_from_s: float | None = None
    matches_log: bool = False
    """Whether this is, to the byte, the file that the log's closing entry describes."""


def bad(sentence: str, word: str, advice: str = KEEP, bad_from_s: float | None = 0.0) -> Completeness:
    """Something was taken away or exchanged."""
    return Completeness(State.BAD, sentence, word, (advice,), bad_from_s)


def not_in_log(audit: Audit, number: int) -> Completeness:
    """The log does not know the session; `number` is the one in the recording's header, 0 if unknown."""
    last = audit.history.last_number
    if not audit.holds:
        return broken_log(audit)
    if number > last:
        sentence = f"the log ends with session {last}, and this is session {number}: the log was cut back"
        return bad(sentence, "NOT IN THE LOG", "put the log back as it was: an older copy lies in its place")
    return bad("the log of this host does not have this session", "NOT IN THE LOG")


def broken_log(audit: Audit) -> Completeness:
    """The log itself does not hold, so it proves nothing about any session."""
    reason = audit.findings[0].sentence if audit.findings else "it does not hold"
    return bad(f"the log proves nothing: {reason}", "BAD LOG", "see all of it: sealcast verify --all")


def missing(item: SessionHistory, expected: str) -> Completeness:
    """There is no file for a session that the log has."""
    if item.ending("sealcast", "lines") == 0:
        return Completeness(State.TRUNCATED, "it ended before anything was recorded; the log says so too")
    if item.ended_entry is None:
        sentence = (
            "the log has its opening and no end, and its file is gone: it was removed before it was sealed"
        )
        return Completeness(State.MISSING, sentence, advice=(f"expected {expected}",))
    if item.imported:
        sentence = f"the file is missing; it was {_import(item)}"
        return Completeness(State.MISSING, sentence, advice=(f"expected {expected}", "import it again"))
    size, digest = item.ending("file", "size"), item.ending("file", "hash", "sha256")
    sentence = f"the file is missing: the log says it was sealed at {_when(item)}"
    advice = (
        f"expected {expected}, {size} bytes of text, SHA-256 {safe(str(digest))}",
        "look for it in a backup",
    )
    return Completeness(State.MISSING, sentence, advice=advice)


def compare(
    item: SessionHistory, audit: Audit, integrity: Integrity, claims: Mapping[int, bytes]
) -> Completeness:
    """A sealed recording against its closing entry; `claims` are the roots in its seals, by lines covered."""
    if not audit.holds:
        return broken_log(audit)
    for index in (item.opened_index, item.ended_index):
        if index >= 0 and not audit.proves(index):
            return bad(f"the log's entry {index} for this session was changed", "BAD LOG")
    if item.opened_entry is None:
        return bad("the log has its end and not its opening", "BAD LOG")
    if item.ended_entry is None:
        sentence = "the log has no end of it, yet it is sealed: the log was cut back"
        return bad(sentence, "BAD LOG", "put the log back as it was: an older copy lies in its place")
    if item.ending("file", "hash", "sha256") == integrity.sha256.hex() and integrity.read_to_end:
        return _same(item, integrity)
    return _different(item, integrity, claims)


def _import(item: SessionHistory) -> str:
    """`imported from tlog on 2026-09-01 by carol`."""
    source, user = (item.ending("sealcast", "source", "format"), item.ending("user", "name"))
    return f"imported from {safe(str(source), 40)} on {_when(item)[:10]} by {safe(str(user), 80)}"


def _source(item: SessionHistory) -> str:
    """What to compare it with, if somebody still has that."""
    name, digest = (item.ending("sealcast", "source", key) for key in ("name", "sha256"))
    return f"source {safe(str(name))}, SHA-256 {safe(str(digest), 64)}"


def _same(item: SessionHistory, integrity: Integrity) -> Completeness:
    if item.imported:
        sentence = f"{_import(item)}, and unchanged since (entry {item.opened_index} of the log)"
        return Completeness(State.UNSIGNED, sentence, advice=(_source(item),), matches_log=True)
    sentence = (
        f"entries {item.opened_index} and {item.ended_index} of the log match: {_lines(integrity.lines)}"
    )
    if item.interrupted and not integrity.final:
        end = clock(integrity.duration)
        cut = f"it was interrupted at {end}: {sentence}, and no closing record"
        return Completeness(State.TRUNCATED, cut, matches_log=True)
    return Completeness(State.VERIFIED, sentence, matches_log=True)


def _different(item: SessionHistory, integrity: Integrity, claims: Mapping[int, bytes]) -> Completeness:
    if item.imported:
        return bad(f"changed after it was {_import(item)}", "CHANGED")
    logged = item.ending("sealcast", "lines")
    total = logged if type(logged) is int else 0
    if integrity.bad:
        return bad("it is not the file that the log describes", "BAD SIGNATURE", KEEP, integrity.bad_from_s)
    good, first_wrong = _landmarks(item, claims, integrity.lines)
    if first_wrong is not None:
        span = f"between line {good + 1} and line {first_wrong}"
        sentence = f"replaced: it is signed, and differs {span} from the recording that the log describes"
        return bad(sentence, "REPLACED")
    if integrity.lines < total:
        return _cut(integrity, total)
    start = integrity.sealed_lines + (2 if integrity.seals else 1)  # the seal's own line is signed
    sentence = f"changed behind its last seal: from line {start} on it is not what the log describes"
    return bad(sentence, "CHANGED", KEEP, integrity.sealed_until)


def _cut(integrity: Integrity, total: int) -> Completeness:
    gone = total - integrity.lines
    sentence = (
        f"cut after it was sealed: {_lines(gone)} of {total:,} missing from its end; "
        f"what is left ends at {clock(integrity.duration)}"
    )
    return bad(sentence, "CUT", KEEP, integrity.duration)


def _landmarks(item: SessionHistory, claims: Mapping[int, bytes], lines: int) -> tuple[int, int | None]:
    """The last line up to which a landmark of the log agrees, and the first where one does not."""
    marks = item.ending("sealcast", "landmarks")
    good = 0
    for mark in marks if isinstance(marks, list) else []:
        size, root = mark if isinstance(mark, list) and len(mark) == 2 else (0, "")
        if type(size) is not int or size >= lines:
            break  # the seal itself would stand behind the end
        if claims.get(size, b"").hex() != root:
            return good, size
        good = size
    return good, None


def _lines(count: int) -> str:
    return counted(count, "line")


def _when(item: SessionHistory) -> str:
    try:
        return f"{datetime.fromisoformat(str(item.ending('@timestamp'))):%Y-%m-%d %H:%M:%S} UTC"
    except ValueError:
        return "an unknown time"
