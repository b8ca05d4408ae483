"""Reading the policy's file: only one that nobody but root can have written."""

import os
import stat
from pathlib import Path

from recorder.errors import ExitCode, SealcastError
from recorder.policy.model import Policy
from recorder.policy.parsing import parse_policy
from recorder.safe_text import safe

CONFIG = Path("/etc/sealcast/config.toml")
MAX_FILE = 1024 * 1024
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def load_policy(path: Path, owner: int = 0) -> Policy:
    """The policy in `path`, a regular file that belongs to `owner` and that nobody else can write.

    `SealcastError` where it is missing or not to be trusted, `FormatError` where it does not parse.
    """
    return parse_policy(read_trusted(path, owner), safe(str(path)))


def read_trusted(path: Path, owner: int | None = 0) -> bytes:
    """The bytes of a file, after the descriptor that they are read from was checked; None trusts anybody."""
    name = safe(str(path))
    try:
        descriptor = os.open(path, _FLAGS)
    except FileNotFoundError:
        hint = "make one: sealcast install --cover user:NAME"
        raise SealcastError(f"no policy in {name}", hint, ExitCode.TARGET) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SealcastError(f"cannot read {name}: {reason}", code=ExitCode.TARGET) from error
    try:
        _check_trust(os.fstat(descriptor), name, owner)
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(MAX_FILE + 1)
    finally:
        os.close(descriptor)
    if len(data) > MAX_FILE:
        raise SealcastError(f"{name} is larger than {MAX_FILE:,} bytes", code=ExitCode.FORMAT)
    return data


def _check_trust(status: os.stat_result, name: str, owner: int | None) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise SealcastError(f"{name} is not a regular file", code=ExitCode.TARGET)
    if owner is None:
        return
    if status.st_uid != owner:
        raise SealcastError(f"{name} does not belong to root", f"chown root: {name}", ExitCode.TARGET)
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SealcastError(f"{name} can be written by others", f"chmod go-w {name}", ExitCode.TARGET)
