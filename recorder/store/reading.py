"""Opening recordings, plain or compressed, as streams of bounded memory."""

import errno
import io
import os
from pathlib import Path
from typing import BinaryIO

from recorder.errors import ExitCode, SealcastError
from recorder.log import durable
from recorder.safe_text import safe
from recorder.store.compression import MAGIC, decompressed

_BUFFER_BYTES = 1024 * 1024
_OUTSIDE = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
"""A path that a person gave may lead through links; a pipe must not make us wait."""

_REASONS = {
    errno.ENOENT: "no such file",
    errno.EISDIR: "it is a directory",
    errno.EINVAL: "it is not a regular file",
    errno.ELOOP: "it is a link, and the store has no links",
}


def open_stored(path: Path) -> BinaryIO:
    """The text of a recording in the store; links are refused."""
    return _open(path, durable.READ_FLAGS)


def open_file(path: Path) -> BinaryIO:
    """The text of a recording anywhere; told to be compressed by its first bytes, not by its name."""
    return _open(path, _OUTSIDE)


def _open(path: Path, flags: int) -> BinaryIO:
    try:
        descriptor = durable.open_regular(path, flags)
    except OSError as error:
        raise unreadable(path, error) from error
    file = io.BufferedReader(io.FileIO(descriptor), _BUFFER_BYTES)
    if file.peek(len(MAGIC)).startswith(MAGIC):
        return decompressed(file, safe(path.name))
    return file


def unreadable(path: Path, error: OSError) -> SealcastError:
    """The error for a recording that cannot be opened, with its owner where that is the reason."""
    reason = _REASONS.get(error.errno or 0, (error.strerror or str(error)).lower())
    hint = None
    if error.errno in {errno.EACCES, errno.EPERM}:
        hint = f"{_owner(path)}; read it as that account, or ask for access"
    return SealcastError(f"cannot read {safe(str(path))}: {reason}", hint, ExitCode.TARGET)


def _owner(path: Path) -> str:
    try:
        return f"it belongs to {path.owner()}:{path.group()}"
    except (OSError, KeyError):
        return "it belongs to another account"
