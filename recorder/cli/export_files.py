"""Where an export goes: standard output, or a file that stands under its name only when it is complete."""

import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from recorder.errors import ExitCode, SealcastError

STDOUT = "-"
_STREAMS = (stat.S_IFCHR, stat.S_IFIFO)


class Destination:
    """A file that is being written; an error of the disk names it."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name

    def write(self, data: bytes) -> int:
        """As files do."""
        try:
            return self._file.write(data)
        except OSError as error:
            self._refuse(error)
            raise

    def writelines(self, lines: Iterable[bytes]) -> None:
        """Each as it comes; what fails in making them is not the destination's fault."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """As files do."""
        try:
            self._file.flush()
        except OSError as error:
            self._refuse(error)
            raise

    def _refuse(self, error: OSError) -> None:
        """A reader that has enough is no error of the disk; standard output has no name."""
        if self._name != STDOUT and not isinstance(error, BrokenPipeError):
            raise _cannot(self._name, error, ExitCode.TARGET) from error


def is_stream(path: str) -> bool:
    """Standard output, a pipe or a device: nothing is replaced, and nothing can stand beside it."""
    return path == STDOUT or _kind(path) in _STREAMS


def _kind(path: str) -> int:
    """What `path` is, links followed; 0 where there is nothing."""
    try:
        return stat.S_IFMT(os.stat(path).st_mode)
    except OSError:
        return 0


def refuse_existing(path: str, *, force: bool) -> None:
    """SealcastError where `path` is in the way: directories always, files unless `force`."""
    kind = _kind(path)
    if is_stream(path):
        return
    if kind == stat.S_IFDIR:
        raise SealcastError(f"{path} is a directory", "name a file in it", ExitCode.USAGE)
    if kind not in (0, stat.S_IFREG):
        raise SealcastError(f"{path} is no file", "choose another -o FILE", ExitCode.USAGE)
    if os.path.lexists(path) and not force:
        raise SealcastError(f"{path} exists", "use --force or -o OTHER", ExitCode.USAGE)


@contextmanager
def destination(path: str) -> Iterator[Destination]:
    """Standard output for `-`; devices and pipes are written to, and any other file is replaced as a whole.

    The new file is the writer's alone (0600).
    """
    if path == STDOUT:
        target = Destination(sys.stdout.buffer, path)
        yield target
        target.flush()
        return
    with _opened(path) as file:
        target = Destination(file, path)
        yield target
        target.flush()


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    if is_stream(path):
        with _closing(_writable(path)) as file:
            yield file
        return
    final = os.path.realpath(path)
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=".sealcast-", dir=os.path.dirname(final))
    except OSError as error:
        raise _cannot(path, error, ExitCode.USAGE) from error
    try:
        with _closing(os.fdopen(descriptor, "wb")) as file:
            yield file
        os.replace(temporary, final)
    except BaseException:
        os.unlink(temporary)
        raise


@contextmanager
def _closing(file: BinaryIO) -> Iterator[BinaryIO]:
    """Closing writes what is left: where writing failed it fails again, and says nothing new."""
    try:
        yield file
    except BaseException:
        with suppress(OSError):
            file.close()
        raise
    file.close()


def _writable(path: str) -> BinaryIO:
    try:
        return open(path, "wb")
    except OSError as error:
        raise _cannot(path, error, ExitCode.USAGE) from error


def _cannot(path: str, error: OSError, code: ExitCode) -> SealcastError:
    reason = (error.strerror or str(error)).lower()
    return SealcastError(f"cannot write {path}: {reason}", "choose another -o FILE", code)
