"""Opening `index.db`: by many readers, and by the one writer. What is no index of ours is refused."""

import fcntl
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from recorder.errors import ExitCode, FormatError, SealcastError
from recorder.index.schema import APPLICATION_ID, MIGRATIONS, VERSION, Migration
from recorder.log import durable
from recorder.safe_text import safe

if TYPE_CHECKING:
    from sqlite_utils import Database

NAME = "index.db"
_LOCK_NAME = "index.lock"
_PAGE_BYTES = 32768
_BUSY_S = 5.0
REBUILD = "make it anew: sealcast index rebuild"


class IndexDamagedError(FormatError):
    """The file is no index, or not a whole one."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the index is damaged: {safe(reason, 200).lower()}", hint=REBUILD)


def open_index(path: Path) -> sqlite3.Connection:
    """A connection that reads. `SealcastError` where there is no index, or none that this program reads."""
    _check_file(path)
    with damage_told():
        connection = _connect_reader(path)
    try:
        version = _version_of(connection)
        if version < VERSION:
            hint = "bring it up to date: sealcast index build"
            raise SealcastError("the index was made by an older sealcast", hint, ExitCode.FORMAT)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def damage_told() -> Iterator[None]:
    """Turns what SQLite says of a damaged file into `IndexDamagedError`."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise _operational(error) from error
    except sqlite3.ProgrammingError:
        raise
    except sqlite3.DatabaseError as error:
        raise IndexDamagedError(str(error)) from error


def _operational(error: sqlite3.OperationalError) -> SealcastError:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")):
        hint = "is the disk full, or the store read-only?"
        return SealcastError(f"cannot use the index: {error}", hint, ExitCode.RECORDING)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        hint = "close it there, and try again"
        return SealcastError("the index is in use by another program", hint, ExitCode.SOURCE)
    return IndexDamagedError(str(error))


def _check_file(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        hint = "make it: sealcast index build --output"
        raise SealcastError(f"there is no index at {safe(str(path))}", hint, ExitCode.TARGET) from None
    except OSError as error:
        raise SealcastError(
            f"cannot read {safe(str(path))}: {error.strerror}", None, ExitCode.TARGET
        ) from error
    if not stat.S_ISREG(found.st_mode):
        hint = "see what it is, then remove it: sealcast index rebuild makes a new one"
        raise SealcastError(f"{safe(str(path))} is no regular file", hint, ExitCode.FORMAT)


def _connect_reader(path: Path) -> sqlite3.Connection:
    """Where the files that WAL needs cannot be made (another account's, a full disk), nothing is in them."""
    uri = path.absolute().as_uri()
    connection = sqlite3.connect(f"{uri}?mode=ro", uri=True, timeout=_BUSY_S, check_same_thread=False)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        if _has_content(path.with_name(f"{path.name}-wal")):
            raise
        connection = sqlite3.connect(f"{uri}?mode=ro&immutable=1", uri=True, check_same_thread=False)
    except BaseException:
        connection.close()
        raise
    return connection


def _has_content(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _version_of(connection: sqlite3.Connection) -> int:
    """The schema's version; 0 for an empty file. Errors for other databases, and for a newer schema."""
    with damage_told():
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application != APPLICATION_ID and (application or version or tables):
        raise IndexDamagedError("it is a database of another program")
    if version > VERSION:
        message = f"the index was made by a newer sealcast (schema {version}, this one knows {VERSION})"
        raise FormatError(message, hint=f"use that one, or {REBUILD}")
    return int(version)


# ── the writer ────────────────────────────────────────────────────────────────


@contextmanager
def writer_lock(root: Path) -> Iterator[None]:
    """Held by whoever writes the index in `root`. `SealcastError` where somebody else does."""
    _check_owner(root)
    path = root / _LOCK_NAME
    with durable.writing(path):
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, durable.FILE_MODE)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"the index is being written{_by(descriptor)}"
            raise SealcastError(message, "let it finish", ExitCode.SOURCE) from None
        with durable.writing(path):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _check_owner(root: Path) -> None:
    """What root would write its owner could not read."""
    owner = root.stat().st_uid
    if owner != os.geteuid():
        hint = f"do it as that account: sudo -u '#{owner}' sealcast index build"
        raise SealcastError(f"{safe(str(root))} belongs to another account", hint, ExitCode.TARGET)


def is_written(root: Path) -> bool:
    """Whether a process holds the writer's lock."""
    try:
        descriptor = durable.open_regular(root / _LOCK_NAME)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _by(descriptor: int) -> str:
    pid = os.pread(descriptor, 16, 0).strip()
    return f" by process {pid.decode()}" if pid.isdigit() else ""


def open_for_writing(path: Path) -> "Database":
    """The index, made or brought up to this program's schema; only under the writer's lock.

    `SealcastError` where the file is no index, or a newer one.
    """
    from sqlite_utils import Database  # noqa: PLC0415  costs 90 ms, and readers do without

    with durable.writing(path):
        if not os.path.lexists(path):
            os.close(durable.create_file(path))
    _check_file(path)
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with damage_told():
        connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None)
    try:
        version = _version_of(connection)
        with damage_told():
            if version == 0:
                connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA cache_size = -32768")
            database = Database(connection)
            _migrate(database)
    except BaseException:
        connection.close()
        raise
    return database


def _migrate(database: "Database") -> None:
    from sqlite_utils.migrations import Migrations  # noqa: PLC0415  see above

    migrations = Migrations("sealcast")
    for number, migration in enumerate(MIGRATIONS, 1):
        migrations(name=migration.name)(_Step(migration, number))
    migrations.apply(database)


class _Step:
    """One migration, as a function of the database."""

    def __init__(self, migration: Migration, number: int) -> None:
        self.__name__ = migration.name
        self._migration = migration
        self._number = number

    def __call__(self, database: "Database", /) -> None:
        for statement in self._migration.statements.split(";\n"):
            if statement.strip():
                database.execute(statement)
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {self._number}")


def remove_files(path: Path) -> None:
    """The database and what belongs to it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def put_in_place(new: Path, path: Path) -> None:
    """`new`, which nobody has open, becomes the index; those who read the old one go on reading it.

    At no moment does one index stand beside the write-ahead log of the other.
    """
    old = path.with_name(f"{path.name}.old")
    with durable.writing(path):
        if os.path.lexists(path):
            os.replace(path, old)
        for suffix in ("-wal", "-shm", "-journal"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        os.replace(new, path)
        durable.sync_directory(path.parent)
        remove_files(old)
