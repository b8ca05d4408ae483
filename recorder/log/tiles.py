"""C2SP tlog-tiles: where hashes and entries lie, and how they are packed. Pure.

A tile of level L holds up to 256 hashes, each the root of a full tree over 256**L entries.
https://c2sp.org/tlog-tiles
"""

from collections.abc import Sequence
from typing import NamedTuple

from recorder.errors import FormatError
from recorder.seal.merkle import EMPTY_ROOT, node_hash, root_of

WIDTH = 256
HASH_BYTES = 32
MAX_ENTRY = 65_535
"""Bytes of the longest entry: its length is a 16-bit number."""
_LENGTH_BYTES = 2
MAX_BUNDLE = WIDTH * (MAX_ENTRY + _LENGTH_BYTES)


class Edge(NamedTuple):
    """The last tile of a level in a tree of a given size, where that tile is not full."""

    level: int
    tile: int
    width: int


def _index_path(index: int) -> str:
    path = f"{index % 1000:03d}"
    index //= 1000
    while index:
        path = f"x{index % 1000:03d}/{path}"
        index //= 1000
    return path


def _suffix(width: int) -> str:
    return "" if width == WIDTH else f".p/{width}"


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """The path of a tile below the log's root: `tile/0/x001/234.p/5`."""
    return f"tile/{level}/{_index_path(index)}{_suffix(width)}"


def entries_path(index: int, width: int = WIDTH) -> str:
    """The path of an entry bundle below the log's root: `tile/entries/000.p/5`."""
    return f"tile/entries/{_index_path(index)}{_suffix(width)}"


def edges(size: int) -> list[Edge]:
    """The tiles of a tree of `size` entries that are not full, lowest level first."""
    found = []
    level, hashes = 0, size
    while hashes:
        if hashes % WIDTH:
            found.append(Edge(level, hashes // WIDTH, hashes % WIDTH))
        level, hashes = level + 1, hashes // WIDTH
    return found


def perfect_roots(hashes: Sequence[bytes]) -> list[bytes]:
    """The roots of the full trees, largest first, that the hashes of one tile make up."""
    roots, start = [], 0
    for bit in range(WIDTH.bit_length() - 1, -1, -1):
        count = 1 << bit
        if len(hashes) & count:
            roots.append(root_of(hashes[start : start + count]))
            start += count
    return roots


def root_of_edges(tiles_top_down: Sequence[Sequence[bytes]]) -> bytes:
    """The root of the whole tree from the hashes of its unfull tiles, highest level first (RFC 9162 2.1)."""
    subtrees = [root for hashes in tiles_top_down for root in perfect_roots(hashes)]
    if not subtrees:
        return EMPTY_ROOT
    root = subtrees.pop()
    while subtrees:
        root = node_hash(subtrees.pop(), root)
    return root


def pack_entries(entries: Sequence[bytes]) -> bytes:
    """An entry bundle: each entry behind its length as a big-endian 16-bit number."""
    return b"".join(len(entry).to_bytes(_LENGTH_BYTES, "big") + entry for entry in entries)


def unpack_entries(data: bytes, count: int, where: str) -> list[bytes]:
    """The first `count` entries of a bundle; `FormatError` where it does not hold that many."""
    entries: list[bytes] = []
    start = 0
    for _ in range(count):
        body = start + _LENGTH_BYTES
        end = body + int.from_bytes(data[start:body], "big")
        if body > len(data) or end > len(data):
            raise FormatError(f"ends after {len(entries)} of {count} entries", where)
        entries.append(data[body:end])
        start = end
    return entries


def unpack_hashes(data: bytes, count: int, where: str) -> list[bytes]:
    """The first `count` hashes of a tile; `FormatError` where it does not hold that many."""
    if len(data) < count * HASH_BYTES or len(data) % HASH_BYTES:
        raise FormatError(f"{len(data)} bytes do not hold {count} hashes", where)
    return [data[start : start + HASH_BYTES] for start in range(0, count * HASH_BYTES, HASH_BYTES)]
