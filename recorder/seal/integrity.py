"""The verdict on a recording's bytes."""

from dataclasses import dataclass
from datetime import datetime

from recorder.cast.header import Header
from recorder.seal.certificate import Certificate
from recorder.seal.findings import Finding
from recorder.seal.identity import KeyState


@dataclass(frozen=True, slots=True)
class Integrity:
    """What one pass over a recording has shown.

    Everything after `sealed_until`, and everything at all unless `key` is trusted, is not proved.
    """

    header: Header | None
    key: KeyState
    certificate: Certificate | None
    findings: tuple[Finding, ...]
    """In the order of their lines."""
    seals: int
    """Good seals."""
    lines: int
    """Complete lines, the header's included."""
    size_bytes: int
    sealed_lines: int
    sealed_until: float
    """Recording time of the last sealed line, in seconds."""
    last_root: bytes
    root: bytes
    """RFC 6962 root over all complete lines, good or bad."""
    final: bool
    """Whether the last good seal closes the recording."""
    exit_status: int | None
    duration: float
    """Recording time of the last line that is no seal."""
    sha256: bytes
    """Of all bytes read; empty where it was not asked for."""
    wall_start: datetime | None
    """Wall-clock time of the first and of the last good seal."""
    wall_end: datetime | None
    clock_notes: tuple[str, ...]
    read_to_end: bool
    """False where a line was too long to read on."""

    @property
    def bad(self) -> tuple[Finding, ...]:
        """The findings that show tampering or damage."""
        return tuple(finding for finding in self.findings if finding.bad)

    @property
    def bad_from_s(self) -> float | None:
        """From which recording time on nothing holds; None if nothing is bad."""
        starts = [finding.start_s or 0.0 for finding in self.bad]
        return min(starts, default=None)
