"""Zstandard for finished recordings: frames of 256 KiB of text, each one readable without the others."""

import io
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from recorder.errors import FormatError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

FRAME_BYTES = 256 * 1024
LEVEL = 3
MAGIC = b"\x28\xb5\x2f\xfd"
_READ_BYTES = 128 * 1024
_BUFFER_BYTES = 1024 * 1024


def _zstd() -> Any:  # noqa: ANN401 one of two modules with the same interface
    """Loaded on first use: a session must not wait for it to start."""
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415
    else:
        from backports import zstd  # noqa: PLC0415
    return zstd


def compressed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The frames, with checksums, for the joined `chunks`; one empty frame for nothing."""
    zstd = _zstd()
    options = {
        zstd.CompressionParameter.compression_level: LEVEL,
        zstd.CompressionParameter.checksum_flag: 1,
    }
    empty = True
    for block in _blocks(chunks):
        empty = False
        yield zstd.compress(block, options=options)
    if empty:
        yield zstd.compress(b"", options=options)


def _blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    pending = bytearray()
    for chunk in chunks:
        pending += chunk
        while len(pending) >= FRAME_BYTES:
            yield bytes(pending[:FRAME_BYTES])
            del pending[:FRAME_BYTES]
    if pending:
        yield bytes(pending)


class ZstdStream(io.RawIOBase):
    """Reads a compressed file frame by frame; `FormatError` where it is damaged or ends within a frame.

    Everything before the damage is handed out first.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._zstd = _zstd()
        self._file = file
        self._name = name
        self._frame: Any = None
        """The decompressor of the current frame; None between frames."""
        self._rest = b""
        """Bytes read behind the end of a frame."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        data = b""
        while not data:
            compressed_bytes = self._next_bytes()
            if compressed_bytes is None:
                return 0
            data = self._decompress(compressed_bytes, len(view))
        view[: len(data)] = data
        return len(data)

    def _next_bytes(self) -> bytes | None:
        """What the frame needs next (nothing, while it has output left); None at the end of the file."""
        if self._frame is not None and not self._frame.needs_input:
            return b""
        data = self._rest or self._file.read(_READ_BYTES)
        self._rest = b""
        if not data and self._frame is not None:
            raise self._damaged("it ends within a frame")
        return data or None

    def _decompress(self, data: bytes, size: int) -> bytes:
        if self._frame is None:
            self._frame = self._zstd.ZstdDecompressor()
        try:
            found: bytes = self._frame.decompress(data, max_length=size)
        except self._zstd.ZstdError as error:
            raise self._damaged(str(error)) from None
        if self._frame.eof:
            self._rest = self._frame.unused_data
            self._frame = None
        return found

    def _damaged(self, reason: str) -> FormatError:
        return FormatError(f"the compressed file is damaged ({reason.rstrip('.').lower()})", self._name)

    def close(self) -> None:
        self._file.close()
        super().close()


def decompressed(file: BinaryIO, name: str) -> BinaryIO:
    """A buffered stream of what is in `file`, which it closes with itself."""
    return io.BufferedReader(ZstdStream(file, name), _BUFFER_BYTES)
