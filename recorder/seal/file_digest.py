"""SHA-256 of a whole file while the same bytes are hashed line by line."""

from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from types import TracebackType
from typing import Self

_BLOCK = 2 * 1024 * 1024
"""Large, so that the two threads seldom wait for each other."""


class FileDigest:
    """Hashes in a second thread, next to free on two cores; one block at most is under way."""

    def __init__(self) -> None:
        self._hash = sha256()
        self._waiting: list[bytes] = []
        self._size = 0
        self._running: Future[None] | None = None
        self._thread = ThreadPoolExecutor(1, "digest")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown()

    def update(self, lines: list[bytes], size: int) -> None:
        """Take in these lines, `size` bytes together; the list is not kept."""
        self._waiting += lines
        self._size += size
        if self._size >= _BLOCK:
            self._settle()
            self._running = self._thread.submit(self._hash.update, self._take_waiting())

    def digest(self) -> bytes:
        """The hash of everything so far."""
        self._settle()
        self._hash.update(self._take_waiting())
        return self._hash.digest()

    def _take_waiting(self) -> bytes:
        block = b"".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        return block

    def _settle(self) -> None:
        if self._running is not None:
            self._running.result()
