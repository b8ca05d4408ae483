"""The one error base class and the exit codes of every command."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a finished command tells its caller."""

    OK = 0
    NO = 1
    """Done, and the answer is no: no match, an empty list with --count."""
    USAGE = 2
    TARGET = 3
    """A target was not found, is ambiguous, or cannot be read."""
    BAD = 4
    """Verification failed: something is bad."""
    UNVERIFIED = 5
    """Nothing bad, but not fully verified: live, truncated, unsigned, unknown key."""
    SOME = 6
    FORMAT = 7
    """Not a recording, damaged, or a newer format."""
    SOURCE = 8
    RECORDING = 9
    """The session could not be recorded, or ended because its record could not be written."""
    BUG = 70
    INTERRUPTED = 130


class SealcastError(Exception):
    """A failure a person can act on: a lower-case fact, and what to do next."""

    def __init__(self, message: str, hint: str | None = None, code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code


class FormatError(SealcastError):
    """Bytes that do not follow their format; `where` names the file and line or field."""

    def __init__(self, message: str, where: str = "", hint: str | None = None) -> None:
        super().__init__(f"{where}: {message}" if where else message, hint, ExitCode.FORMAT)
        self.where = where
