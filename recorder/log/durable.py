"""Files that survive a crash and are never reached through a link.

Everything the store and the log write goes through here: mode 0600, directories 0700, `O_NOFOLLOW`,
and a file is either there with all its bytes or not there.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from recorder.errors import ExitCode, SealcastError
from recorder.safe_text import safe

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700
READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TEMPORARY = ".tmp-"

_HINTS = {
    errno.ENOSPC: "free space there, or name another place with SEALCAST_HOME",
    errno.EDQUOT: "free space there, or name another place with SEALCAST_HOME",
    errno.EROFS: "that file system is read-only: name another place with SEALCAST_HOME",
    errno.EACCES: "the store must belong to the account that records",
    errno.EPERM: "the store must belong to the account that records",
    errno.ELOOP: "a link stands where sealcast keeps a file of its own: see where it leads, then remove it",
    errno.ENOTDIR: "something else stands where sealcast keeps a directory of its own",
}


def store_error(error: OSError, what: str) -> SealcastError:
    """The error a person can act on for a failed file operation: `what` is the verb phrase."""
    reason = (error.strerror or str(error)).lower()
    hint = _HINTS.get(error.errno or 0)
    return SealcastError(f"cannot {what}: {reason}", hint, ExitCode.RECORDING)


@contextmanager
def writing(path: Path | str) -> Iterator[None]:
    """Turn an `OSError` of the block into a `SealcastError` with exit code `RECORDING`."""
    try:
        yield
    except OSError as error:
        raise store_error(error, f"write {safe(str(path))}") from error


def create_file(path: Path, extra_flags: int = 0) -> int:
    """A descriptor of the new, empty file `path`; `FileExistsError` where anything has that name."""
    return os.open(path, _CREATE | extra_flags, FILE_MODE)


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte of `data`."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_directory(path: Path) -> None:
    """Make the names in `path` durable."""
    descriptor = os.open(path, _DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(root: Path, *parts: str) -> Path:
    """`root/parts…`, each missing part made with mode 0700 and made durable; a link on the way is refused."""
    path = root
    for part in parts:
        path = path / part
        try:
            path.mkdir(DIRECTORY_MODE)
        except FileExistsError:
            if not stat.S_ISDIR(path.lstat().st_mode):
                raise NotADirectoryError(errno.ENOTDIR, "not a directory", str(path)) from None
        else:
            sync_directory(path.parent)
    return path


def write_temporary(path: Path, chunks: Iterable[bytes]) -> Path:
    """A durable file holding `chunks`, beside `path` and named after it, to become it with `publish`.

    The caller holds the lock that keeps other writers of `path` out: what a killed one left is removed.
    """
    temporary = path.with_name(f"{_TEMPORARY}{path.name}")
    temporary.unlink(missing_ok=True)
    descriptor = create_file(temporary)
    try:
        for chunk in chunks:
            write_all(descriptor, chunk)
        os.fsync(descriptor)
    except BaseException:
        temporary.unlink()
        raise
    finally:
        os.close(descriptor)
    return temporary


def publish(temporary: Path, path: Path) -> None:
    """Give the durable file `temporary` its name `path` (same directory), replacing what has it."""
    os.replace(temporary, path)
    sync_directory(path.parent)


def replace_file(path: Path, data: bytes) -> None:
    """Write `path` durably: after a crash it holds the old bytes or the new ones. Under a lock, as above."""
    publish(write_temporary(path, (data,)), path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """An exclusive `flock` on the file `path`, made where it is missing, for the block. It waits."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def open_regular(path: Path, flags: int = READ_FLAGS) -> int:
    """A descriptor of the existing regular file `path`; never a link, never a pipe or a device.

    `ELOOP` (`OSError`) where `path` is a link, `EINVAL` where it is something else than a file.
    """
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return descriptor


def read_file(path: Path, limit: int) -> bytes:
    """The bytes of the regular file `path`; `EFBIG` (`OSError`) where it has more than `limit`."""
    with open(open_regular(path), "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"more than {limit:,} bytes", str(path))
    return data
