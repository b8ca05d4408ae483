"""Sealing a recording while it is written."""

from hashlib import sha256
from time import gmtime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from recorder.seal import sshsig
from recorder.seal.merkle import Frontier, leaf_hash
from recorder.seal.note import Checkpoint, sign_note

FINAL = "final"
TIME = "time "


class Sealer:
    """Follows every line of one recording, and seals what it has seen so far.

    `origin` is `<host>/<session id>`; it names the tree and the key.
    """

    def __init__(self, origin: str, key: Ed25519PrivateKey) -> None:
        self._origin = origin
        self._key = key
        self._tree = Frontier()
        self._file = sha256()

    @property
    def size(self) -> int:
        """Lines added so far."""
        return self._tree.size

    def add(self, line: bytes) -> None:
        """Take in the next line as it stands in the file, newline included."""
        self._tree.add(leaf_hash(line))
        self._file.update(line)

    def seal(self, now_ms: int, final: bool = False) -> str:
        """The signed checkpoint over all lines so far: the data of an `S` event, whose line is added next.

        `now_ms` is the wall clock in milliseconds since 1970.
        """
        extensions = (TIME + wall_clock(now_ms), FINAL) if final else (TIME + wall_clock(now_ms),)
        checkpoint = Checkpoint(self._origin, self._tree.size, self._tree.root(), extensions)
        return sign_note(checkpoint.text(), self._origin, self._key)

    def file_signature(self, public_blob: bytes) -> str:
        """The armored SSH signature over the whole file; `public_blob` is the session key's certificate."""
        return sshsig.sign(self._key, self._file.digest(), public_blob)


def wall_clock(now_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds: `2026-11-20T10:15:02.123Z`."""
    seconds, milliseconds = divmod(now_ms, 1000)
    year, month, day, hour, minute, second, *_ = gmtime(seconds)
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}.{milliseconds:03d}Z"
