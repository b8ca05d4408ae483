"""The RFC 6962 tree against public vectors, and against the RFC's own recursion for every small size."""

import json
import os
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.seal import merkle
from recorder.seal.merkle import Frontier, leaf_hash
from recorder.seal.refusals import ProofError
from tests.seal import naive_merkle

PROJECT = Path(__file__).parents[2]
PUBLIC = Path(os.environ.get("SEALCAST_VECTORS", PROJECT / "../shared/vectors")) / "rfc6962"
OWN = PROJECT / "tests" / "vectors" / "rfc6962"
VECTORS = PUBLIC if PUBLIC.is_dir() else OWN
LARGEST = 40
DATA = [bytes([number]) * (number % 5) for number in range(LARGEST)]
LEAVES = [leaf_hash(data) for data in DATA]


def cases(kind: str) -> list[Any]:
    """Our own few, and the public ones where they are at hand."""
    paths = [
        (folder, path)
        for folder in dict.fromkeys((OWN, VECTORS))
        for path in sorted((folder / kind).rglob("*.json"))
    ]
    return [
        pytest.param(json.loads(path.read_text()), id=str(path.relative_to(folder))) for folder, path in paths
    ]


def decoded(hashes: list[str] | None) -> list[bytes]:
    return [b64decode(item) for item in hashes or []]


@pytest.mark.parametrize("case", cases("inclusion"))
def test_inclusion_vectors(case: dict[str, Any]) -> None:
    def verify() -> bytes:
        leaf, proof = b64decode(case["leafHash"] or ""), decoded(case["proof"])
        return merkle.root_from_inclusion(case["leafIdx"], case["treeSize"], leaf, proof)

    try:
        holds = verify() == b64decode(case["root"] or "")
    except ProofError:
        holds = False
    assert holds != case["wantErr"], case["desc"]


@pytest.mark.parametrize("case", cases("consistency"))
def test_consistency_vectors(case: dict[str, Any]) -> None:
    try:
        merkle.verify_consistency(
            case["size1"],
            case["size2"],
            decoded(case["proof"]),
            b64decode(case["root1"] or ""),
            b64decode(case["root2"] or ""),
        )
        holds = True
    except ProofError:
        holds = False
    assert holds != case["wantErr"], case["desc"]


def test_the_vectors_are_there() -> None:
    assert len(cases("inclusion")) >= 10
    assert len(cases("consistency")) >= 10


def test_the_empty_tree() -> None:
    assert merkle.root_of([]) == merkle.EMPTY_ROOT == naive_merkle.root([])


@pytest.mark.parametrize("size", range(LARGEST + 1))
def test_every_root_is_the_recursive_one(size: int) -> None:
    assert merkle.root_of(LEAVES[:size]) == naive_merkle.root(DATA[:size])


@pytest.mark.parametrize("size", range(1, 18))
def test_every_inclusion_proof_is_the_recursive_one_and_holds(size: int) -> None:
    root = naive_merkle.root(DATA[:size])
    for index in range(size):
        proof = merkle.inclusion_proof(index, LEAVES[:size])
        assert proof == naive_merkle.path(index, DATA[:size])
        assert merkle.root_from_inclusion(index, size, LEAVES[index], proof) == root


@pytest.mark.parametrize("size", range(1, 18))
def test_every_consistency_proof_is_the_recursive_one_and_holds(size: int) -> None:
    new_root = naive_merkle.root(DATA[:size])
    for old in range(1, size + 1):
        proof = merkle.consistency_proof(old, LEAVES[:size])
        old_root = naive_merkle.root(DATA[:old])
        assert proof == naive_merkle.subproof(old, DATA[:size])
        merkle.verify_consistency(old, size, proof, old_root, new_root)
        with pytest.raises(ProofError):
            merkle.verify_consistency(old, size, proof, merkle.EMPTY_ROOT, new_root)


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(0, 2000))
def test_adding_one_by_one_or_many_at_once_is_the_same(steps: list[int], start: int) -> None:
    one, many = Frontier(), Frontier()
    hashes = [leaf_hash(str(number).encode()) for number in range(start % 70)]
    for step in [len(hashes), *steps]:
        batch = (hashes * 2)[:step]
        many.extend(batch)
        for leaf in batch:
            one.add(leaf)
        assert (one.size, one.root()) == (many.size, many.root())


def test_a_copy_grows_by_itself() -> None:
    tree = Frontier()
    tree.extend(LEAVES[:5])
    copy = tree.copy()
    copy.add(LEAVES[5])
    assert tree.root() == naive_merkle.root(DATA[:5])
    assert copy.root() == naive_merkle.root(DATA[:6])


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_no_proof_for_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ProofError):
        merkle.inclusion_proof(index, LEAVES[:size])
    with pytest.raises(ProofError):
        merkle.root_from_inclusion(index, size, LEAVES[0], [])


@pytest.mark.parametrize("old", [0, 4, -1])
def test_no_proof_from_a_tree_that_is_not_there(old: int) -> None:
    with pytest.raises(ProofError):
        merkle.consistency_proof(old, LEAVES[:3])


def test_hashes_of_another_length_are_refused() -> None:
    with pytest.raises(ProofError, match="32 bytes"):
        merkle.root_from_inclusion(0, 2, LEAVES[0], [b"short"])
    with pytest.raises(ProofError, match="32 bytes"):
        merkle.verify_consistency(1, 2, [b"short"], LEAVES[0], LEAVES[0])
