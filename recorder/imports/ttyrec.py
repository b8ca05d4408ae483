"""ttyrec: frames of seconds, microseconds and length as little-endian 32-bit numbers, then the output."""

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

from recorder.cast.events import OUTPUT
from recorder.errors import FormatError
from recorder.imports.moments import CHUNK, MAX_CELLS, MAX_SECONDS, Clock, Facts, Moment, blocks

_HEAD = struct.Struct("<III")
_MICROSECONDS = 1_000_000
_TAKEN_FOR_TRUE = 3
"""Frames that must follow each other before bytes are taken for a ttyrec."""
_RESIZE = re.compile(rb"\x1b\[8;(\d{1,5});(\d{1,5})t")
_ADDRESS = re.compile(rb"\x1b\[(\d{1,4});(\d{1,4})[Hfr]")
_USUAL = (80, 24)
_LOOKED_AT = 4 * 1024 * 1024


def looks_like(file: BinaryIO, size: int) -> bool:
    """Whether the first frames follow each other; reads from the start."""
    position, before, written = 0, None, 0
    for _ in range(_TAKEN_FOR_TRUE):
        file.seek(position)
        head = file.read(_HEAD.size)
        if position and not head:
            return written > 0
        if len(head) < _HEAD.size:
            return False
        seconds, microseconds, length = _HEAD.unpack(head)
        if microseconds >= _MICROSECONDS or position + _HEAD.size + length > size:
            return False
        if before is not None and abs(seconds - before) > MAX_SECONDS:
            return False
        position, before, written = position + _HEAD.size + length, seconds, written + length
    return written > 0


def read_facts(file: BinaryIO, name: str) -> Facts:
    """Its start, and the size of its terminal as far as the output shows it; reads from the start."""
    file.seek(0)
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise FormatError(f"{len(head)} bytes: not even one frame of a ttyrec", name)
    seconds, microseconds, _ = _HEAD.unpack(head)
    file.seek(0)
    return Facts("ttyrec", start_ms=seconds * 1000 + microseconds // 1000, size=_size(file.read(_LOOKED_AT)))


def read_moments(file: BinaryIO, name: str) -> Iterator[Moment]:
    """All frames from the start; `FormatError` at the first that is none, or is cut."""
    file.seek(0)
    clock, first, number = Clock(), None, 0
    while head := file.read(_HEAD.size):
        number += 1
        where = f"{name}: frame {number}"
        if len(head) < _HEAD.size:
            raise FormatError("is cut", where, "it was cut: look for a whole copy")
        seconds, microseconds, length = _HEAD.unpack(head)
        if microseconds >= _MICROSECONDS:
            raise FormatError(f"{microseconds:,} microseconds are more than a second", where)
        stamp = seconds + microseconds / _MICROSECONDS
        first = stamp if first is None else first
        time = clock.at(stamp - first, where)
        for data in blocks(file, length, where):
            yield Moment(time, OUTPUT, data)


def _size(data: bytes) -> tuple[int, int]:
    """The size that the recorder wrote, else the usual one, larger where the output goes beyond it."""
    written = _RESIZE.search(data[:CHUNK])
    if written is not None:
        columns, rows = int(written[2]), int(written[1])
        if 0 < columns <= MAX_CELLS and 0 < rows <= MAX_CELLS:
            return columns, rows
    columns, rows = _USUAL
    for found in _ADDRESS.finditer(data):
        row, column = int(found[1]), int(found[2])
        if found[0].endswith(b"r"):
            row, column = column, 0
        if row < 500 and column < 1000:  # programs address 999;999 to ask for the size
            columns, rows = max(columns, column), max(rows, row)
    return columns, rows
