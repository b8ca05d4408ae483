"""The log of a host: an append-only C2SP tlog-tiles directory with one writer at a time.

The signed `checkpoint` decides what the log is. Bundles and tiles are made durable before the
checkpoint that covers them, so what a crash leaves beyond the checkpoint was never acknowledged
and is written over by the next append.
"""

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from recorder.errors import ExitCode, SealcastError
from recorder.log import durable
from recorder.log.tiles import (
    HASH_BYTES,
    MAX_BUNDLE,
    MAX_ENTRY,
    WIDTH,
    edges,
    entries_path,
    pack_entries,
    root_of_edges,
    tile_path,
    unpack_entries,
    unpack_hashes,
)
from recorder.safe_text import safe
from recorder.seal.merkle import EMPTY_ROOT, leaf_hash, root_of
from recorder.seal.note import Checkpoint, key_id, open_note, parse_checkpoint, sign_note

_MAX_CHECKPOINT = 64 * 1024
_ATTEMPTS = 50
"""A reader beside a busy writer looks again this often for a part of a tile that has just grown."""


class LogDamagedError(SealcastError):
    """The log is not what its checkpoint says: nothing is appended to it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "see what is wrong: sealcast verify --all", ExitCode.BAD)


class Log:
    """Reads the log in `directory`; `public_key` (32 bytes) signs its checkpoints as `origin`."""

    def __init__(self, directory: Path, origin: str, public_key: bytes) -> None:
        self.directory = directory
        self.origin = origin
        self.public_key = public_key

    def create(self, key: Ed25519PrivateKey) -> None:
        """Make an empty log unless one is there; a checkpoint missing beside tiles is not replaced."""
        with durable.writing(self.directory):
            durable.make_directory(self.directory.parent, self.directory.name)
            with self._locked():
                if not self._exists():
                    self._publish(Checkpoint(self.origin, 0, EMPTY_ROOT), key)

    def checkpoint_note(self) -> str:
        """The text of `checkpoint` as it lies on disk."""
        path = self.directory / "checkpoint"
        try:
            return durable.read_file(path, _MAX_CHECKPOINT).decode()
        except FileNotFoundError:
            raise LogDamagedError(f"the log has no checkpoint: {safe(str(path))} is missing") from None
        except UnicodeDecodeError:
            raise LogDamagedError(f"{safe(str(path))} is not UTF-8") from None
        except OSError as error:
            raise durable.store_error(error, f"read {safe(str(path))}") from error

    def checkpoint(self) -> Checkpoint:
        """The signed state of the log; `LogDamagedError` where the note is not this host's."""
        where = str(self.directory / "checkpoint")
        note = self.checkpoint_note()
        try:
            verifiers = {(self.origin, key_id(self.origin, self.public_key)): self.public_key}
            checkpoint = parse_checkpoint(open_note(note, verifiers).text)
        except SealcastError as error:
            raise LogDamagedError(f"{safe(where)}: {error.message}") from error
        if checkpoint.origin != self.origin:
            raise LogDamagedError(f"the log is of {safe(checkpoint.origin)}, not of {safe(self.origin)}")
        return checkpoint

    def entries(self, start: int, end: int) -> Iterator[bytes]:
        """The entries from `start` up to `end`, as they lie on disk: whether they are true, `audit` tells."""
        for index in range(start // WIDTH, -(-end // WIDTH)):
            first = index * WIDTH
            bundle = self.bundle(index, min(WIDTH, end - first))
            yield from bundle[max(0, start - first) :]

    def bundle(self, index: int, width: int) -> list[bytes]:
        """The first `width` entries of bundle `index`."""
        data = self._read(entries_path(index), width, MAX_BUNDLE)
        return unpack_entries(data, width, entries_path(index, width))

    def tile(self, level: int, index: int, width: int) -> list[bytes]:
        """The first `width` hashes of a tile."""
        data = self._read(tile_path(level, index), width, WIDTH * HASH_BYTES)
        return unpack_hashes(data, width, tile_path(level, index, width))

    def _read(self, path: str, width: int, limit: int) -> bytes:
        """A full tile or bundle, or any part of it with at least `width` members."""
        full = self.directory / path
        for _ in range(_ATTEMPTS):
            candidates = [Path(f"{full}.p") / str(width), full, *_wider_parts(full, width)]
            for candidate in candidates[width == WIDTH :]:
                with suppress(FileNotFoundError):
                    return self._read_whole(candidate, limit)
        raise LogDamagedError(f"{path} is missing from the log")

    def _read_whole(self, path: Path, limit: int) -> bytes:
        try:
            return durable.read_file(path, limit)
        except OSError as error:
            if error.errno in {errno.EFBIG, errno.ELOOP, errno.EINVAL, errno.ENOTDIR}:
                raise LogDamagedError(f"{safe(str(path))}: {(error.strerror or '').lower()}") from error
            raise

    @contextmanager
    def writing(self, key: Ed25519PrivateKey) -> Iterator["Writer"]:
        """The writer's lock, held for the block. Keep the block short: everyone else waits."""
        with durable.writing(self.directory), self._locked():
            yield Writer(self, key)

    def _locked(self) -> AbstractContextManager[None]:
        return durable.locked(self.directory / ".lock")

    def _exists(self) -> bool:
        return any((self.directory / name).exists() for name in ("checkpoint", "tile"))

    def _publish(self, checkpoint: Checkpoint, key: Ed25519PrivateKey) -> None:
        note = sign_note(checkpoint.text(), self.origin, key)
        durable.replace_file(self.directory / "checkpoint", note.encode())


class Writer:
    """Appends to a log whose lock is held. `size` is the index of the next entry."""

    def __init__(self, log: Log, key: Ed25519PrivateKey) -> None:
        self._log = log
        self._key = key
        checkpoint = log.checkpoint()
        self.size = checkpoint.size
        self._unfull = {edge.level: log.tile(*edge) for edge in edges(self.size)}
        if self._root() != checkpoint.root:
            raise LogDamagedError("the tiles of the log do not lead to the root of its checkpoint")

    def append(self, entry: bytes) -> int:
        """Append one entry; when this returns its index, the entry and its checkpoint are on disk."""
        return self.append_all([entry])

    def append_all(self, added: Sequence[bytes]) -> int:
        """Append entries under one checkpoint; when this returns the first one's index, all are on disk.

        A crash on the way leaves the log as it was: none of them is in it.
        """
        for entry in added:
            if not 0 < len(entry) <= MAX_ENTRY:
                raise SealcastError(f"a log entry of {len(entry):,} bytes; the limit is {MAX_ENTRY:,}")
        index = self.size
        bundle, width = divmod(index, WIDTH)
        known = self._log.bundle(bundle, width) if width else []
        for number, part in enumerate(_bundles([*known, *added]), bundle):
            self._store(entries_path(number), len(part), pack_entries(part), width * (number == bundle))
        self._grow(index, [leaf_hash(entry) for entry in added])
        self.size = index + len(added)
        if added:
            self._log._publish(Checkpoint(self._log.origin, self.size, self._root()), self._key)  # noqa: SLF001 the writer is the log's other half
        return index

    def back(self, index: int) -> Iterator[bytes]:
        """The entries before `index`, last first."""
        while index:
            bundle, width = divmod(index - 1, WIDTH)
            yield from reversed(self._log.bundle(bundle, width + 1))
            index = bundle * WIDTH

    def _grow(self, index: int, added: list[bytes]) -> None:
        """Add hashes from `index` on to their tiles, and the roots of tiles they fill to the level above."""
        level = 0
        while added:
            known = self._unfull.get(level, [])
            tile, full = index // WIDTH, []
            for number, part in enumerate(_bundles([*known, *added]), tile):
                before = len(known) * (number == tile)
                self._store(tile_path(level, number), len(part), b"".join(part), before)
                self._unfull[level] = [] if len(part) == WIDTH else part
                if len(part) == WIDTH:
                    full.append(root_of(part))
            level, index, added = level + 1, tile, full

    def _store(self, path: str, width: int, data: bytes, before: int) -> None:
        """Write a tile or bundle of `width` members, then remove the parts that no current reader needs.

        The part of `before` members stays until the next append: who has just read a checkpoint finds its own
        part. Whatever else lies there was left by a writer that was killed before its checkpoint.
        """
        *parents, name = path.split("/")
        directory = durable.make_directory(self._log.directory, *parents)
        part = directory / f"{name}.p"
        if width == WIDTH:
            durable.replace_file(directory / name, data)
            shutil.rmtree(part, ignore_errors=True)
            return
        durable.make_directory(directory, part.name)
        durable.replace_file(part / str(width), data)
        (directory / name).unlink(missing_ok=True)
        for other in set(os.listdir(part)) - {str(width), str(before)}:
            (part / other).unlink()

    def _root(self) -> bytes:
        return root_of_edges([self._unfull[level] for level in sorted(self._unfull, reverse=True)])


def _bundles(members: Sequence[bytes]) -> list[list[bytes]]:
    """The members by tiles; only the last one may be short."""
    return [list(members[start : start + WIDTH]) for start in range(0, len(members), WIDTH)]


def _wider_parts(full: Path, width: int) -> list[Path]:
    """The parts of a tile on disk that hold `width` members or more."""
    directory = Path(f"{full}.p")
    try:
        names = os.listdir(directory)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [directory / name for name in names if name.isdecimal() and width < int(name) < WIDTH]
