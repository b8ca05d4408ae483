"""A tlog-tiles reader written from the specification alone; it shares no code with the package."""

import base64
import hashlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def tree_root(hashes: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return hashlib.sha256(b"\x01" + tree_root(hashes[:split]) + tree_root(hashes[split:])).digest()


def number_path(number: int) -> str:
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.append(f"x{number % 1000:03d}")
    return "/".join(reversed(groups))


def parts_of(size: int) -> list[tuple[int, int]]:
    """Number and width of the tiles over `size` items."""
    full = [(number, 256) for number in range(size // 256)]
    return full + ([(size // 256, size % 256)] if size % 256 else [])


def tile_bytes(directory: Path, kind: str, number: int, width: int) -> bytes:
    suffix = "" if width == 256 else f".p/{width}"
    return (directory / "tile" / kind / (number_path(number) + suffix)).read_bytes()


def read_checkpoint(directory: Path, name: str, public: bytes) -> tuple[int, bytes]:
    """Size and root of the signed checkpoint."""
    text, _, signature = (directory / "checkpoint").read_text().partition("\n\n")
    text += "\n"
    mark, signer, encoded = signature.rstrip("\n").split(" ")
    raw = base64.b64decode(encoded)
    assert (mark, signer) == ("—", name)
    assert raw[:4] == hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]
    Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], text.encode())
    origin, size, root, rest = text.split("\n")
    assert (origin, rest) == (name, "")
    return int(size), base64.b64decode(root)


def read_entries(directory: Path, size: int) -> list[bytes]:
    found = []
    for number, width in parts_of(size):
        data = tile_bytes(directory, "entries", number, width)
        start = 0
        while start < len(data):
            length = int.from_bytes(data[start : start + 2], "big")
            found.append(data[start + 2 : start + 2 + length])
            start += 2 + length
    return found


def read_log(directory: Path, name: str, public: bytes) -> list[bytes]:
    """All entries, after checking the signature, the root and every tile on every level."""
    size, root = read_checkpoint(directory, name, public)
    entries = read_entries(directory, size)
    assert len(entries) == size
    hashes = [leaf(entry) for entry in entries]
    assert tree_root(hashes) == root
    level = 0
    while hashes:
        stored = b"".join(tile_bytes(directory, str(level), *part) for part in parts_of(len(hashes)))
        assert stored == b"".join(hashes), f"tiles of level {level}"
        full = len(hashes) // 256
        hashes = [tree_root(hashes[tile * 256 : tile * 256 + 256]) for tile in range(full)]
        level += 1
    return entries
