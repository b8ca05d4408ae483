"""The store: one directory that holds the recordings, the keys and the log of a host.

keys/host  keys/host.pub  keys/trusted    live/<id>.cast    sealed/YYYY/MM/DD/<id>.cast.zst    log/
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from recorder.errors import FormatError, SealcastError
from recorder.log import durable
from recorder.log.entries import SESSION_ID
from recorder.log.journal import Log
from recorder.log.notary import Notary
from recorder.safe_text import safe
from recorder.store import hostkey

LIVE_SUFFIX = ".cast"
SEALED_SUFFIX = ".cast.zst"
SIGNATURE_SUFFIX = ".cast.sig"
OPENING_SUFFIX = ".opening"


class Store:
    """The store in `root`. Nothing is made before `prepare`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._openings: dict[str, int] = {}

    @classmethod
    def default(cls) -> "Store":
        """`$SEALCAST_HOME`, else `$XDG_DATA_HOME/sealcast`, else `~/.local/share/sealcast`."""
        home = os.environ.get("SEALCAST_HOME")
        if home:
            return cls(Path(home).absolute())
        data = os.environ.get("XDG_DATA_HOME", "")
        base = Path(data) if data.startswith("/") else Path.home() / ".local" / "share"
        return cls(base / "sealcast")

    @property
    def live_directory(self) -> Path:
        return self.root / "live"

    @property
    def sealed_directory(self) -> Path:
        return self.root / "sealed"

    @property
    def key_directory(self) -> Path:
        return self.root / "keys"

    @property
    def trusted_path(self) -> Path:
        """The `allowed_signers` file of the keys that recordings are checked against."""
        return self.key_directory / "trusted"

    def live_path(self, session_id: str) -> Path:
        return self.live_directory / f"{checked_id(session_id)}{LIVE_SUFFIX}"

    def signature_path(self, session_id: str) -> Path:
        """Where a worker leaves its session's closing signature until the recording is sealed."""
        return self.live_directory / f"{checked_id(session_id)}{SIGNATURE_SUFFIX}"

    def sealed_path(self, session_id: str) -> Path:
        return self._sealed(session_id, SEALED_SUFFIX)

    def sealed_signature_path(self, session_id: str) -> Path:
        return self._sealed(session_id, SIGNATURE_SUFFIX)

    def _sealed(self, session_id: str, suffix: str) -> Path:
        return self.sealed_directory.joinpath(*sealed_parts(session_id), f"{session_id}{suffix}")

    def make_sealed_directory(self, session_id: str) -> Path:
        """The directory of the day on which the session started, made where it is missing."""
        return durable.make_directory(self.root, "sealed", *sealed_parts(session_id))

    def exists(self) -> bool:
        """Whether `prepare` has been here. Readers make nothing."""
        return (self.key_directory / hostkey.PUBLIC_NAME).is_file()

    def prepare(self) -> None:
        """Make what is missing: directories, the host key with its log, and the file of trusted keys.

        Safe to run in several processes at once, and after one of them was killed here.
        """
        with durable.writing(self.root):
            self.root.mkdir(durable.DIRECTORY_MODE, parents=True, exist_ok=True)
            for name in ("keys", "live", "sealed"):
                durable.make_directory(self.root, name)
            hostkey.prepare(self.root)

    @cached_property
    def host_key(self) -> hostkey.HostPublicKey:
        """The public half of the host key, and the host's name. `SealcastError` without a store."""
        return hostkey.read_public(self.root)

    @property
    def host(self) -> str:
        return self.host_key.host

    @cached_property
    def log(self) -> Log:
        """The host's log, for reading."""
        return hostkey.open_log(self.root, self.host_key)

    @cached_property
    def notary(self) -> Notary:
        """The holder of the host key; it marks every session in `live/` before it logs it."""
        return Notary(self.log, hostkey.read_private(self.root), self.host, self)

    def reserve(self, session_id: str) -> None:
        """Mark a session that is about to be logged: `live/<id>.opening`, its lock held by this process.

        `create_live` removes the mark. What a crash leaves of it tells how far the session got.
        """
        path = self.opening_path(session_id)
        with durable.writing(path):
            descriptor = durable.create_file(path)
            self._openings[session_id] = descriptor
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            durable.sync_directory(path.parent)

    def release(self, session_id: str) -> None:
        """Let go of the mark that `reserve` made in this process."""
        descriptor = self._openings.pop(session_id, None)
        if descriptor is not None:
            os.close(descriptor)

    def close(self) -> None:
        """Let go of all marks."""
        for session_id in list(self._openings):
            self.release(session_id)

    def opening_path(self, session_id: str) -> Path:
        return self.live_directory / f"{checked_id(session_id)}{OPENING_SUFFIX}"

    def create_live(self, session_id: str) -> int:
        """The descriptor of the new live file: append only, and locked as long as any copy of it is open."""
        path = self.live_path(session_id)
        with durable.writing(path):
            descriptor = durable.create_file(path, os.O_APPEND)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                durable.sync_directory(path.parent)
                self.opening_path(session_id).unlink(missing_ok=True)
            except BaseException:
                os.close(descriptor)
                raise
        return descriptor

    def write_signature(self, session_id: str, armor: str) -> None:
        """Store the worker's closing signature beside the live file; it is made once."""
        path = self.signature_path(session_id)
        with durable.writing(path):
            descriptor = durable.create_file(path)
            try:
                durable.write_all(descriptor, armor.encode())
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def live_ids(self) -> list[str]:
        """The sessions that have anything in `live/`, oldest first."""
        return sorted({name for name, _ in self._live_names()})

    def _live_names(self) -> Iterator[tuple[str, str]]:
        try:
            names = os.listdir(self.live_directory)
        except FileNotFoundError:
            return
        for name in names:
            session_id, _, suffix = name.partition(".")
            if SESSION_ID.fullmatch(session_id):
                yield session_id, suffix

    def is_live(self, session_id: str) -> bool:
        """Whether a process holds the session's live file, or is about to make it."""
        return self.is_starting(session_id) or _is_locked(self.live_path(session_id))

    def is_starting(self, session_id: str) -> bool:
        """Whether a process holds the mark of a session whose live file is not made yet."""
        return _is_locked(self.opening_path(session_id))


def checked_id(session_id: str) -> str:
    """The id itself; `FormatError` where it could name anything but a session."""
    if not SESSION_ID.fullmatch(session_id):
        raise FormatError(f"not a session id: {safe(session_id, 80)}")
    return session_id


def sealed_parts(session_id: str) -> tuple[str, str, str]:
    """Year, month and day of the session's start."""
    day = checked_id(session_id)[:8]
    return day[:4], day[4:6], day[6:]


@contextmanager
def locked_file(path: Path) -> Iterator[int | None]:
    """An exclusive lock on an existing file, as a descriptor open for reading; None where someone holds it.

    `FileNotFoundError` where there is no such file, also when it goes away at this moment.
    """
    descriptor = durable.open_regular(path)
    try:
        yield descriptor if _lock_now(descriptor) else None
    finally:
        os.close(descriptor)


def _lock_now(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    if os.fstat(descriptor).st_nlink == 0:
        raise FileNotFoundError("finished by another process")
    return True


def _is_locked(path: Path) -> bool:
    try:
        descriptor = durable.open_regular(path)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def no_store(root: Path) -> SealcastError:
    """The error for reading a store that is not there."""
    return SealcastError(f"no store in {safe(str(root))}", "make one by recording: sealcast rec")
