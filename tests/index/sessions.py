"""Sessions and commands written out by hand, as a query sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

NOW = datetime(2026, 9, 12, 15, 0, tzinfo=UTC)  # a Saturday
_START = datetime(2026, 9, 12, 14, 2, 11, tzinfo=UTC)


@dataclass(frozen=True)
class Facts:
    id: str = "20260912T140211-k7f3q9xw"
    user: str = "alice"
    host: str = "web-03.prod"
    start: datetime = _START
    end: datetime | None = datetime(2026, 9, 12, 14, 19, 52, tzinfo=UTC)
    duration_s: float | None = 1061.2
    live: bool = False
    title: str | None = "Web upgrade"
    reason: str | None = "INC-4711"
    origin: str = "sshd"
    source: str | None = "10.9.1.22"
    exit_status: int | None = 0
    command: str | None = None


@dataclass(frozen=True)
class Ran:
    text: str
    exit_status: int | None = 0
    output: Sequence[str] = ()
    cwd: str | None = None
    duration_s: float | None = 1.0
    as_user: str | None = None
    started: datetime = _START + timedelta(minutes=1)
    is_aside: bool = False
