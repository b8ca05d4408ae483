"""The secret of one session's shell marks: what a program prints cannot pass for the shell's own report.

The shell reads it from a pipe. The recording's header holds its SHA-256 only; the marks carry it as it is,
so it is worth nothing once the session is over.
"""

import hashlib
import os
import secrets
from pathlib import Path

SCRIPTS = Path(__file__).parent
"""The folder with the shells' scripts, in a checkout as in an installed program."""
_BYTES = 16


def new_secret() -> str:
    """32 hexadecimal digits."""
    return secrets.token_hex(_BYTES)


def digest(secret: str) -> str:
    """What the header tells of a secret: `sha256:` and hexadecimal digits."""
    return f"sha256:{hashlib.sha256(secret.encode('utf-8', 'replace')).hexdigest()}"


def pipe_with(secret: str) -> int:
    """The inheritable reading end of a pipe that holds the secret and a line feed, and nothing ever after."""
    read_end, write_end = os.pipe()
    os.write(write_end, f"{secret}\n".encode())
    os.close(write_end)
    os.set_inheritable(read_end, True)
    return read_end
