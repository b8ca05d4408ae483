"""Checking recordings: integrity from their own bytes and keys, completeness from the log."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from recorder.cast.ledger import Ledger
from recorder.cast.reader import iter_lines
from recorder.errors import ExitCode, SealcastError
from recorder.log.audit import Audit, LogFinding, audit
from recorder.log.history import SessionHistory
from recorder.safe_text import safe
from recorder.seal.findings import Kind, clock
from recorder.seal.identity import KeyState
from recorder.seal.verify import Integrity, Progress, check_recording
from recorder.store import completeness, trust
from recorder.store.catalog import Files, Session, sessions_of
from recorder.store.check_rows import ledger_rows, rows
from recorder.store.completeness import Completeness
from recorder.store.layout import LIVE_SUFFIX, SEALED_SUFFIX, SIGNATURE_SUFFIX, Store
from recorder.store.reading import open_file, open_stored
from recorder.store.signature import SignatureFile, judge_signature
from recorder.store.state import State
from recorder.store.survey import SealTrail
from recorder.store.targets import Target
from recorder.store.verdict import CheckRow, Verdict

__all__ = ["CheckRow", "Checker", "State", "Verdict", "check", "check_all", "log_findings"]

_NOT_PROVED = {
    KeyState.UNKNOWN: State.UNKNOWN_KEY,
    KeyState.NONE: State.UNSIGNED,
}


_ACCUSING = {State.BAD, State.MISSING}
_SHA256 = re.compile("[0-9a-f]{64}")


def check(store: Store, target: Target, progress: Progress | None = None) -> Verdict:
    """Check one recording. `progress` hears the bytes of text checked so far."""
    return Checker(store, target.session.id if target.session else None).check(target, progress)


def check_all(store: Store, progress: Progress | None = None) -> Iterator[tuple[Session, Verdict]]:
    """Check every session of the store, the newest first; `log_findings` tells about the log itself."""
    checker = Checker(store)
    for session in checker.sessions:
        yield session, checker.verdict_of(session, progress)


def log_findings(store: Store) -> list[LogFinding]:
    """Everything that is wrong with the log itself."""
    return Checker(store).audit.findings if store.exists() else []


class Checker:
    """Checks recordings against one reading of the log; make a new one to see what came later."""

    def __init__(self, store: Store, only: str | None = None, attempts: int = 20) -> None:
        """`only` that session will be asked for; the log is read faster then.

        `attempts` bounds how often a verdict is made again because the store was busy.
        """
        self._store = store
        self._only = only
        self._attempts = attempts

    @cached_property
    def audit(self) -> Audit:
        """The log, read and proved once."""
        _ = self._files
        return audit(self._store.log, self._only)

    @cached_property
    def _files(self) -> Files:
        """What lies in the store; looked at before the log is read."""
        return Files.of(self._store) if self._only is None else Files.of_sessions(self._store, [self._only])

    @cached_property
    def sessions(self) -> list[Session]:
        """The sessions of the store, the newest first; an empty list without a store."""
        return sessions_of(self._store, self.audit.history, self._files) if self._store.exists() else []

    @cached_property
    def _keys(self) -> list[trust.TrustedKey]:
        return trust.read_keys(self._store.trusted_path)

    def check(self, target: Target, progress: Progress | None = None) -> Verdict:
        """The verdict on a session of the store, or on a file from elsewhere.

        Sessions come and go while we look: an accusation is made again if the store moved on.
        """
        try:
            verdict = self._check(target, progress)
        except SealcastError:
            if not self._has_moved_on(target.session):
                raise
            return self._check_again(target, progress)
        if verdict.state in _ACCUSING and self._has_moved_on(target.session):
            return self._check_again(target, progress)
        return verdict

    def verdict_of(self, session: Session, progress: Progress | None = None) -> Verdict:
        """As `check`; one whose file cannot be read does not keep the others from being checked."""
        try:
            return self.check(Target(session.path, session), progress)
        except SealcastError as error:
            return unreadable(error)

    def _check(self, target: Target, progress: Progress | None) -> Verdict:
        if target.session is not None and target.path is None:
            return self._without_file(target.session)
        if target.path is None:
            raise SealcastError("nothing to check", code=ExitCode.TARGET)
        reading = self._read(target, progress)
        if target.session is not None:
            return self._stored(target.session, target.path, reading)
        return self._outside(target.path, reading)

    def _has_moved_on(self, session: Session | None) -> bool:
        """Whether the log has grown since it was read, so that the session may have got its end."""
        if session is None or not self.audit.holds or not self._attempts:
            return False
        try:
            return self._store.log.checkpoint().size != self.audit.history.checkpoint.size
        except SealcastError:
            return False

    def _check_again(self, target: Target, progress: Progress | None) -> Verdict:
        again = Checker(self._store, self._only, self._attempts - 1)
        found = next(
            (item for item in again.sessions if target.session and item.id == target.session.id), None
        )
        return again.check(target if found is None else Target(found.path, found), progress)

    def _read(self, target: Target, progress: Progress | None) -> "_Reading":
        """One pass where the log proves the bytes by their root; a second, for their SHA-256, elsewhere."""
        path = target.path or Path()
        trail = SealTrail()
        ending = self._proved_ending(target.session)
        integrity = self._pass_over(target, trail, progress, whole=ending is None)
        if ending is not None and _is_as_logged(integrity, ending):
            digest = ending.ending("file", "hash", "sha256")
            integrity = replace(integrity, sha256=bytes.fromhex(str(digest)))
        elif ending is not None:
            integrity = self._pass_over(target, SealTrail(), progress, whole=True)
        signature = judge_signature(_signature_path(path), integrity, trust.signers(self._keys))
        return _Reading(integrity, trail.claims, signature, trail.ledger)

    def _pass_over(
        self, target: Target, trail: SealTrail, progress: Progress | None, *, whole: bool
    ) -> Integrity:
        path = target.path or Path()
        try:
            with (open_file if target.session is None else open_stored)(path) as file:
                lines = trail.follow(iter_lines(file, name=safe(path.name)))
                return check_recording(lines, trust.certifiers(self._keys), progress, whole=whole)
        except OSError as error:
            raise SealcastError(f"cannot read {safe(str(path))}: {error}", code=ExitCode.TARGET) from error

    def _proved_ending(self, session: Session | None) -> SessionHistory | None:
        """The session's history where the log holds and has its end: its root says what the bytes must be."""
        if session is None or session.live or not self.audit.holds:
            return None
        item = self.audit.history.sessions.get(session.id)
        if item is None or item.ended_index < 0 or not self.audit.proves(item.ended_index):
            return None
        return item

    def _without_file(self, session: Session) -> Verdict:
        if session.live:
            return self._without_a_line(session)
        item = self.audit.history.sessions.get(session.id)
        expected = str(self._store.sealed_path(session.id))
        found = completeness.missing(item or SessionHistory(session.id), expected)
        row = CheckRow("log entry", found.state.sign, found.sentence, found.advice)
        return Verdict(found.state, found.state.word, "there are no bytes to check", found.sentence, (row,))

    def _stored(self, session: Session, path: Path, reading: "_Reading") -> Verdict:
        item = self.audit.history.sessions.get(session.id)
        if path == self._store.live_path(session.id) and reading.integrity.lines == 0:
            return self._without_a_line(session)
        if session.live:
            return _verdict(reading, _live(reading.integrity), is_live=True)
        if item is None:
            whole = self.audit if self._only is None else audit(self._store.log)  # it knows the last number
            return _verdict(reading, completeness.not_in_log(whole, _number(reading.integrity)))
        if path == self._store.live_path(session.id):
            return _verdict(reading, _not_sealed(reading.integrity))
        return _verdict(reading, self._compare(item, reading))

    def _without_a_line(self, session: Session) -> Verdict:
        if session.live:
            return _nothing_yet(State.LIVE, "it is about to start: nothing is recorded yet")
        return _nothing_yet(State.TRUNCATED, "it ended before anything was recorded, and is not sealed yet")

    def _outside(self, path: Path, reading: "_Reading") -> Verdict:
        """A file from elsewhere, which may be a copy of a recording that the log here knows."""
        integrity = reading.integrity
        session = integrity.header.session if integrity.header is not None else None
        if integrity.header is None or (session is None and not integrity.read_to_end):
            return _not_a_recording(integrity)  # what was never signed has no signature that could be bad
        item = None
        if session is not None and integrity.key is KeyState.TRUSTED and self._store.exists():
            item = self.audit.history.sessions.get(session.session)
        if item is not None and session is not None and session.host == self._store.host:
            return _verdict(reading, self._compare(item, reading))
        return _verdict(reading, _alone(integrity, path))

    def _compare(self, item: SessionHistory, reading: "_Reading") -> Completeness:
        return completeness.compare(item, self.audit, reading.integrity, reading.claims)


def _is_as_logged(integrity: Integrity, ending: SessionHistory) -> bool:
    """Whether these are the bytes that were sealed: the same root over the same number of lines and bytes."""
    digest = ending.ending("file", "hash", "sha256")
    return (
        integrity.read_to_end
        and isinstance(digest, str)
        and _SHA256.fullmatch(digest) is not None
        and ending.ending("sealcast", "root") == integrity.root.hex()
        and ending.ending("sealcast", "lines") == integrity.lines
        and ending.ending("file", "size") == integrity.size_bytes
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one pass over the bytes gave."""

    integrity: Integrity
    claims: dict[int, bytes]
    signature: SignatureFile
    ledger: Ledger


def _signature_path(path: Path) -> Path:
    name = path.name.removesuffix(SEALED_SUFFIX).removesuffix(LIVE_SUFFIX)
    return path.with_name(f"{name}{SIGNATURE_SUFFIX}")


def _number(integrity: Integrity) -> int:
    header = integrity.header
    return header.session.number if header is not None and header.session is not None else 0


def _live(integrity: Integrity) -> Completeness:
    sentence = f"it is being recorded: so far verified to {clock(integrity.sealed_until)}"
    return Completeness(State.LIVE, sentence)


def _not_sealed(integrity: Integrity) -> Completeness:
    sentence = f"its recorder is gone and it is not sealed yet: it ends at {clock(integrity.duration)}"
    return Completeness(State.TRUNCATED, sentence, advice=("the next sealcast rec seals it",))


def _alone(integrity: Integrity, path: Path) -> Completeness:
    """No log to compare with: the file alone must tell."""
    where = "no log here has this recording to compare with"
    if integrity.final:
        return Completeness(State.UNCONFIRMED, f"nothing is cut off its end (final seal present); {where}")
    advice = (f"ask the host for its log, or compare {safe(path.name)} with the copy in its store",)
    sentence = f"ends at {clock(integrity.duration)} without a closing record; {where}"
    return Completeness(State.TRUNCATED, sentence, advice=advice)


def _not_a_recording(integrity: Integrity) -> Verdict:
    told = (found.sentence for found in integrity.findings if found.kind is not Kind.UNSIGNED)
    sentence = next(told, "not an asciicast")
    row = CheckRow("format", State.UNREADABLE.sign, sentence)
    state = State.UNREADABLE
    return Verdict(
        state, state.word, sentence, "there is no recording to look for", (row,), findings=integrity.findings
    )


def _nothing_yet(state: State, sentence: str) -> Verdict:
    return Verdict(state, state.word, "there are no bytes to check", sentence)


def unreadable(error: SealcastError) -> Verdict:
    """Of what could not be looked at, and why."""
    row = CheckRow("file", State.UNREADABLE.sign, error.message, (error.hint,) if error.hint else ())
    return Verdict(State.UNREADABLE, "cannot be read", error.message, "it was not looked at", (row,))


def _verdict(reading: _Reading, complete: Completeness, is_live: bool = False) -> Verdict:
    integrity = reading.integrity
    state, word = _judge(reading, complete)
    return Verdict(
        state=state,
        word=word,
        integrity=_integrity_sentence(integrity),
        completeness=complete.sentence,
        rows=(*rows(integrity, reading.signature, complete, is_live), *ledger_rows(reading.ledger)),
        verified_to_s=_verified_to(integrity, complete),
        bad_from_s=_bad_from(integrity, complete),
        findings=integrity.findings,
    )


def _judge(reading: _Reading, complete: Completeness) -> tuple[State, str]:
    """Bad bytes weigh most, then what the log says is bad, then what is not proved."""
    integrity = reading.integrity
    if integrity.bad:
        return State.BAD, State.BAD.word
    if complete.state is State.BAD:
        return State.BAD, complete.word or State.BAD.word
    if reading.signature.bad and integrity.key is KeyState.TRUSTED:
        return State.BAD, State.BAD.word
    unproved = _NOT_PROVED.get(integrity.key)
    if unproved is not None:
        return unproved, unproved.word
    return complete.state, complete.state.word


def _integrity_sentence(integrity: Integrity) -> str:
    if integrity.bad:
        first = integrity.bad[0]
        intact = f"; 00:00 to {clock(integrity.sealed_until)} is intact" if integrity.seals else ""
        return f"{first.sentence}{intact}"
    if integrity.key in _NOT_PROVED:
        return next((item.sentence for item in integrity.findings if item.kind in _KEY_KINDS), "not proved")
    unsealed = [item for item in integrity.findings if item.kind is Kind.UNSEALED_TAIL]
    tail = f"; {unsealed[0].sentence}" if unsealed else ""
    return f"00:00 to {clock(integrity.sealed_until)} is as it was sealed{tail}"


_KEY_KINDS = {Kind.UNKNOWN_KEY, Kind.UNSIGNED}


def _verified_to(integrity: Integrity, complete: Completeness) -> float | None:
    if integrity.key is not KeyState.TRUSTED:
        return None
    if complete.matches_log and not integrity.bad:
        return integrity.duration
    return integrity.sealed_until


def _bad_from(integrity: Integrity, complete: Completeness) -> float | None:
    if integrity.bad:
        return integrity.bad_from_s
    return complete.bad_from_s if complete.state is State.BAD else None
