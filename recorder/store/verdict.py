"""The result of checking one recording."""

from dataclasses import dataclass

from recorder.errors import ExitCode
from recorder.seal.findings import Finding
from recorder.store.state import State


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check of the details screen."""

    name: str
    sign: str
    """`✓`, `✗`, `~` (open), `–` (nothing to check)."""
    result: str
    advice: tuple[str, ...] = ()
    """What a failed row means, and what to do."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Two verdicts and what led to them. Times in seconds of the recording."""

    state: State
    word: str
    """What the interface shows beside the sign."""
    integrity: str
    """Are these the bytes that were signed? One sentence."""
    completeness: str
    """Was nothing cut off, replaced or left out? One sentence."""
    rows: tuple[CheckRow, ...] = ()
    verified_to_s: float | None = None
    bad_from_s: float | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def sign(self) -> str:
        return self.state.sign

    @property
    def exit_code(self) -> ExitCode:
        return self.state.exit_code
