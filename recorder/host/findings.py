"""What doctor says: one finding for everything it looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    CLOSED = "closed"
    NOTE = "note"
    """No way around the recorder, but something to know."""
    UNKNOWN = "unknown"
    """It could not be looked at; that counts as open."""
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Finding:
    """`says` is a sentence, `fix` a command or a setting; empty where there is nothing to do."""

    check: str
    state: State
    says: str
    fix: str = ""


def is_closed(findings: Iterable[Finding]) -> bool:
    """Whether nobody who is covered can get around the recorder, as far as doctor can see."""
    return all(finding.state in {State.CLOSED, State.NOTE} for finding in findings)


def or_closed(check: str, found: Iterable[Finding], says: str) -> list[Finding]:
    """What was found; where that is nothing, that this check found nothing."""
    return list(found) or [Finding(check, State.CLOSED, says)]


def names(users: Iterable[str], most: int = 5) -> str:
    """`alice, bob and 3 more`."""
    ordered = sorted(set(users))
    more = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return ", ".join(ordered[:most]) + more
