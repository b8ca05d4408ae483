"""The states of a recording, with their sign and word (the same everywhere, never colour alone)."""

from enum import StrEnum

from recorder.errors import ExitCode


class State(StrEnum):
    """What is known of a recording after looking at its bytes, its keys and the log."""

    VERIFIED = "verified"
    LIVE = "partial"
    TRUNCATED = "truncated"
    UNCONFIRMED = "not in a log here"
    """Whole and signed by a trusted key, but no log here to tell whether it is the one that was made."""
    UNSIGNED = "unsigned"
    UNKNOWN_KEY = "unknown key"
    BAD = "bad"
    MISSING = "missing"
    UNREADABLE = "unreadable"

    @property
    def sign(self) -> str:
        return _SIGNS[self]

    @property
    def word(self) -> str:
        return _WORDS.get(self, self.value)

    @property
    def exit_code(self) -> ExitCode:
        return _EXIT_CODES.get(self, ExitCode.UNVERIFIED)


_SIGNS = {
    State.VERIFIED: "✓",
    State.LIVE: "…",
    State.TRUNCATED: "~",
    State.UNCONFIRMED: "~",
    State.UNSIGNED: "–",
    State.UNKNOWN_KEY: "?",
    State.BAD: "✗",
    State.MISSING: "∅",
    State.UNREADABLE: "✗",
}
_WORDS = {
    State.UNKNOWN_KEY: "key not trusted",
    State.BAD: "BAD SIGNATURE",
    State.UNREADABLE: "not a recording",
}
_EXIT_CODES = {
    State.VERIFIED: ExitCode.OK,
    State.BAD: ExitCode.BAD,
    State.MISSING: ExitCode.TARGET,
    State.UNREADABLE: ExitCode.FORMAT,
}
