"""How the shell of a login with a terminal is started: as it is, or so that it marks what it runs."""

from dataclasses import dataclass

from recorder.shell.launch import with_marks
from recorder.shell.secret import SCRIPTS, digest, new_secret

_SECRET = b"SEALCAST_MARKS"


@dataclass(frozen=True, slots=True)
class ShellStart:
    """What the login is told, and what the recording's header says of it."""

    orders: bytes = b""
    """What follows the session id in the answer to the login, as for a transfer; without a program."""
    marks: str | None = None
    """The digest of the marks' secret."""


def plan_shell(name: str, terminal: str) -> ShellStart:
    """For the login shell `name` (without its path) on a terminal of this type.

    The login puts the reading end of a pipe in the place of the secret.
    """
    environment = {b"TERM": terminal.encode()}
    arguments = with_marks(name.encode(), [f"-{name}".encode()], environment, bytes(SCRIPTS), 0)
    if _SECRET not in environment:
        return ShellStart()
    secret = new_secret()
    environment[_SECRET] = secret.encode()
    del environment[b"TERM"]
    variables = [key + b"=" + value for key, value in environment.items()]
    fields = [b"", b"%d" % len(variables), *variables, *arguments]
    return ShellStart(b"".join(b"\0" + field for field in fields), digest(secret))
