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
    """Reads a compressed file; `FormatError` where it is damaged or ends within a frame."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        zstd = _zstd()
        self._file = file
        self._name = name
        self._stream = zstd.ZstdFile(file)
        self._errors = (zstd.ZstdError, EOFError)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        try:
            return int(self._stream.readinto(buffer))
        except self._errors as error:
            raise FormatError(f"the compressed file is damaged ({error})".lower(), self._name) from None

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
            self._file.close()
        super().close()


def decompressed(file: BinaryIO, name: str) -> BinaryIO:
    """A buffered stream of what is in `file`, which it closes with itself."""
    return io.BufferedReader(ZstdStream(file, name), _BUFFER_BYTES)
