"""RFC 6962, section 2.1, word for word: slow, recursive, and nothing of the code under test."""

from hashlib import sha256


def leaf(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def split(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def root(data: list[bytes]) -> bytes:
    """MTH(D[n])"""
    if not data:
        return sha256(b"").digest()
    if len(data) == 1:
        return leaf(data[0])
    k = split(len(data))
    return sha256(b"\x01" + root(data[:k]) + root(data[k:])).digest()


def path(m: int, data: list[bytes]) -> list[bytes]:
    """PATH(m, D[n])"""
    if len(data) == 1:
        return []
    k = split(len(data))
    if m < k:
        return [*path(m, data[:k]), root(data[k:])]
    return [*path(m - k, data[k:]), root(data[:k])]


def subproof(m: int, data: list[bytes], known: bool = True) -> list[bytes]:
    """SUBPROOF(m, D[n], b); PROOF(m, D[n]) with b true"""
    if m == len(data):
        return [] if known else [root(data)]
    k = split(len(data))
    if m <= k:
        return [*subproof(m, data[:k], known), root(data[k:])]
    return [*subproof(m - k, data[k:], False), root(data[:k])]
