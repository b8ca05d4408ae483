"""The RFC 6962 hash tree over SHA-256, and its proofs (RFC 9162, section 2.1)."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

from recorder.seal.refusals import ProofError

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()
_LEAF = sha256(b"\0")
"""Begun once: copying it is faster than hashing the prefix with each leaf."""
_NODE = b"\1"


def leaf_hash(data: bytes) -> bytes:
    state = _LEAF.copy()
    state.update(data)
    return state.digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(_NODE + left + right).digest()


class Frontier:
    """The O(log n) state that an append-only tree needs to grow and to give its root."""

    __slots__ = ("_stack", "size")

    def __init__(self) -> None:
        self.size = 0
        self._stack: list[bytes] = []
        """Roots of the perfect subtrees, one per bit set in `size`, largest first."""

    def add(self, leaf: bytes) -> None:
        """Append a leaf by its hash."""
        stack = self._stack
        size = self.size
        self.size = size + 1
        while size & 1:
            leaf = sha256(_NODE + stack.pop() + leaf).digest()
            size >>= 1
        stack.append(leaf)

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Append many leaves by their hashes: `add` for each, level by level and so twice as fast."""
        nodes = list(leaves)
        size = self.size
        self.size += len(nodes)
        unpaired: list[bytes] = []
        while nodes:
            if size & 1:
                nodes.insert(0, self._stack.pop())
            if len(nodes) & 1:
                unpaired.append(nodes.pop())
            nodes = [
                sha256(_NODE + left + right).digest()
                for left, right in zip(nodes[::2], nodes[1::2], strict=True)
            ]
            size >>= 1
        self._stack.extend(reversed(unpaired))

    def root(self) -> bytes:
        if not self._stack:
            return EMPTY_ROOT
        *larger, root = self._stack
        for left in reversed(larger):
            root = node_hash(left, root)
        return root

    def copy(self) -> "Frontier":
        other = Frontier()
        other.size = self.size
        other._stack = self._stack.copy()
        return other


def root_of(hashes: Iterable[bytes]) -> bytes:
    """The root over these leaf hashes."""
    frontier = Frontier()
    frontier.extend(hashes)
    return frontier.root()


def _left_size(size: int) -> int:
    """The largest power of two below `size`, for size > 1."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(index: int, hashes: Sequence[bytes]) -> list[bytes]:
    """The proof, leaf to root, that leaf `index` stands in the tree over `hashes`."""
    if not 0 <= index < len(hashes):
        raise ProofError(f"no leaf {index} in a tree of {len(hashes)}")
    proof: list[bytes] = []
    start, end = 0, len(hashes)
    while end - start > 1:
        middle = start + _left_size(end - start)
        if index < middle:
            proof.append(root_of(hashes[middle:end]))
            end = middle
        else:
            proof.append(root_of(hashes[start:middle]))
            start = middle
    return proof[::-1]


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """The root that the proof leads to (RFC 9162, 2.1.3.2); ProofError where it cannot be one."""
    if not 0 <= index < size:
        raise ProofError(f"no leaf {index} in a tree of {size}")
    _check_hashes([leaf, *proof])
    node, last, root = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofError("the proof is too long")
        if node & 1 or node == last:
            root = node_hash(sibling, root)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise ProofError("the proof is too short")
    return root


def consistency_proof(old: int, hashes: Sequence[bytes]) -> list[bytes]:
    """The proof that the tree over the first `old` hashes is a prefix of the tree over all of them."""
    if not 0 < old <= len(hashes):
        raise ProofError(f"no tree of {old} in a tree of {len(hashes)}")
    proof: list[bytes] = []
    start, end = 0, len(hashes)
    while end != old:
        middle = start + _left_size(end - start)
        if old <= middle:
            proof.append(root_of(hashes[middle:end]))
            end = middle
        else:
            proof.append(root_of(hashes[start:middle]))
            start = middle
    if start:
        proof.append(root_of(hashes[start:end]))
    return proof[::-1]


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """ProofError unless the proof joins the two roots (RFC 9162, 2.1.4.2); an empty tree proves nothing."""
    if not 0 < old <= new:
        raise ProofError(f"cannot compare a tree of {old} with one of {new}")
    _check_hashes(proof)
    if old == new:
        if proof or old_root != new_root:
            raise ProofError("two roots for one size")
        return
    if not proof:
        raise ProofError("the proof is empty")
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if _climb(old - 1, new - 1, path) != (old_root, new_root):
        raise ProofError("the proof leads to other roots")


def _climb(node: int, last: int, path: list[bytes]) -> tuple[bytes, bytes]:
    while node & 1:
        node, last = node >> 1, last >> 1
    old_root = new_root = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("the proof is too long")
        if node & 1 or node == last:
            old_root, new_root = node_hash(sibling, old_root), node_hash(sibling, new_root)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            new_root = node_hash(new_root, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise ProofError("the proof is too short")
    return old_root, new_root


def _check_hashes(hashes: Iterable[bytes]) -> None:
    if any(len(item) != HASH_SIZE for item in hashes):
        raise ProofError("a hash is not 32 bytes long")
