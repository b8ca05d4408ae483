"""The SSH wire encoding (RFC 4251, section 5): length-prefixed strings and big-endian integers."""

import struct

from recorder.errors import FormatError


def string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def uint32(value: int) -> bytes:
    return struct.pack(">I", value)


def uint64(value: int) -> bytes:
    return struct.pack(">Q", value)


class WireReader:
    """Takes fields from the front of a blob; FormatError when one does not fit."""

    def __init__(self, blob: bytes, where: str) -> None:
        self._blob = blob
        self._at = 0
        self._where = where

    def take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._blob):
            raise FormatError(
                f"a field of {size} bytes where {len(self._blob) - self._at} are left", self._where
            )
        data = self._blob[self._at : end]
        self._at = end
        return data

    def uint32(self) -> int:
        return int.from_bytes(self.take(4))

    def uint64(self) -> int:
        return int.from_bytes(self.take(8))

    def string(self) -> bytes:
        return self.take(self.uint32())

    def text(self) -> str:
        try:
            return self.string().decode()
        except UnicodeDecodeError:
            raise FormatError("a text field is not UTF-8", self._where) from None

    def expect(self, value: bytes, name: str) -> None:
        """The next string must be exactly this."""
        if self.string() != value:
            raise FormatError(f"{name} is not {value.decode() or 'empty'}", self._where)

    @property
    def left(self) -> int:
        return len(self._blob) - self._at

    def end(self) -> None:
        if self.left:
            raise FormatError(f"{self.left} bytes too many", self._where)
