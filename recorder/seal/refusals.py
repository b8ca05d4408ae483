"""What goes wrong with well-formed signatures and proofs."""

from recorder.errors import ExitCode, SealcastError


class BadSignatureError(SealcastError):
    """A signature that its own key did not make over these bytes."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint, ExitCode.BAD)


class UnknownKeyError(SealcastError):
    """No signature by any of the keys asked for."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint, ExitCode.UNVERIFIED)


class ProofError(SealcastError):
    """A proof that does not show what it claims."""

    def __init__(self, message: str) -> None:
        super().__init__(message, None, ExitCode.BAD)
