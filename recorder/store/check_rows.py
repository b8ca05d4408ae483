"""The rows of the details screen: one check each, with what a failed one means and what to do."""

from recorder.cast.ledger import Ledger
from recorder.seal.findings import Finding, Kind, clock, counted
from recorder.seal.identity import KeyState
from recorder.seal.keys import fingerprint
from recorder.seal.verify import Integrity
from recorder.store.completeness import Completeness
from recorder.store.signature import SignatureFile
from recorder.store.state import State
from recorder.store.verdict import CheckRow

GOOD, BAD, OPEN, NOTHING = "✓", "✗", "~", "–"
_KEY_KINDS = {Kind.CERTIFICATE, Kind.WRONG_HOST, Kind.UNKNOWN_KEY, Kind.UNSIGNED}
_MEANING = (
    "the file was changed after it was written, or damaged",
    "keep this file, and compare it with a copy from elsewhere",
)


def rows(
    integrity: Integrity, signature: SignatureFile, complete: Completeness, is_live: bool
) -> tuple[CheckRow, ...]:
    """Signature, seals, closed, log entry, clock."""
    return (
        _signature(integrity, signature, is_live),
        _seals(integrity),
        _closed(integrity, is_live),
        CheckRow("log entry", _log_sign(complete), complete.sentence, complete.advice),
        _clock(integrity),
    )


def ledger_rows(ledger: Ledger) -> tuple[CheckRow, ...]:
    """What the recording says of bytes it does not hold; nothing for one that holds all."""
    found = [CheckRow(name, NOTHING, sentence) for name, sentence in ledger.sentences()]
    files = tuple(ledger.file_lines())
    return (
        (*found, CheckRow("files", NOTHING, f"{ledger.operations:,} operations", files))
        if files
        else tuple(found)
    )


def _signature(integrity: Integrity, signature: SignatureFile, is_live: bool) -> CheckRow:
    name = "signature"
    finding = next((item for item in integrity.findings if item.kind in _KEY_KINDS), None)
    if integrity.key is KeyState.NONE:
        return CheckRow(name, NOTHING, finding.sentence if finding else "no key is named")
    if integrity.key is KeyState.UNKNOWN:
        advice = ("if you know whose key it is: sealcast keys trust FILE",)
        return CheckRow(name, "?", finding.sentence if finding else "the key is not trusted", advice)
    if finding is not None:
        return CheckRow(name, BAD, finding.sentence, _MEANING)
    if signature.bad:
        return CheckRow(name, BAD, signature.sentence, _MEANING)
    key = f"ed25519 key of {_host(integrity)}, trusted"
    if is_live:
        return CheckRow(name, GOOD, key)
    return CheckRow(name, GOOD if signature.present else OPEN, f"{key}; {signature.sentence}")


def _host(integrity: Integrity) -> str:
    certificate = integrity.certificate
    if certificate is None:
        return "an unknown host"
    return f"{', '.join(certificate.principals)} ({fingerprint(certificate.ca_public)})"


def _seals(integrity: Integrity) -> CheckRow:
    """Everything about the lines between the seals."""
    found = [item for item in integrity.bad if item.kind not in _KEY_KINDS]
    intact = f"00:00 to {clock(integrity.sealed_until)}"
    if found:
        result = f"{found[0].sentence}; {intact} is intact" if integrity.seals else found[0].sentence
        return CheckRow("seals", BAD, result, (*_others(found), *_MEANING))
    if not integrity.seals:
        return CheckRow("seals", NOTHING, "there are no seals")
    open_ends = [item for item in integrity.findings if item.kind is Kind.UNSEALED_TAIL]
    result = f"{counted(integrity.seals, 'seal')}, {intact}"
    if open_ends:
        return CheckRow("seals", OPEN, f"{result}; {open_ends[0].sentence}")
    return CheckRow("seals", GOOD, result)


def _others(found: list[Finding]) -> tuple[str, ...]:
    return tuple(item.sentence for item in found[1:6])


def _closed(integrity: Integrity, is_live: bool) -> CheckRow:
    if integrity.final:
        status = integrity.exit_status
        result = "exit status not known" if status is None else f"exit status {status}"
        return CheckRow("closed", GOOD, f"final seal present, {result}")
    if is_live:
        return CheckRow("closed", "…", "still being recorded")
    if integrity.key is KeyState.NONE:
        return CheckRow("closed", NOTHING, "nothing says where it should end")
    advice = ("the recorder may have been killed, or the file was cut; the row below tells",)
    return CheckRow("closed", OPEN, f"ends at {clock(integrity.duration)} without a final seal", advice)


def _log_sign(complete: Completeness) -> str:
    if complete.state is State.BAD:
        return BAD
    return GOOD if complete.matches_log else complete.state.sign


def _clock(integrity: Integrity) -> CheckRow:
    if integrity.wall_start is None:
        return CheckRow("clock", NOTHING, "no seal tells the time")
    if integrity.clock_notes:
        return CheckRow("clock", OPEN, integrity.clock_notes[0], integrity.clock_notes[1:6])
    return CheckRow("clock", GOOD, "the wall clock ran with the recording's")
