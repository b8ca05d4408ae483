import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.errors import FormatError
from recorder.log.tiles import (
    WIDTH,
    edges,
    entries_path,
    pack_entries,
    root_of_edges,
    tile_path,
    unpack_entries,
    unpack_hashes,
)
from recorder.seal.merkle import EMPTY_ROOT, leaf_hash, root_of


def test_paths_are_those_of_the_specification() -> None:
    assert tile_path(0, 0) == "tile/0/000"
    assert tile_path(1, 273, 17) == "tile/1/273.p/17"
    assert entries_path(1234067) == "tile/entries/x001/x234/067"
    assert entries_path(1000, 1) == "tile/entries/x001/000.p/1"


@given(st.lists(st.binary(max_size=300), max_size=40))
def test_bundles_come_back(entries: list[bytes]) -> None:
    packed = pack_entries(entries)
    for count in range(len(entries) + 1):
        assert unpack_entries(packed, count, "bundle") == entries[:count]
    with pytest.raises(FormatError, match=f"ends after {len(entries)} of {len(entries) + 1}"):
        unpack_entries(packed, len(entries) + 1, "bundle")


@given(st.binary(max_size=600), st.integers(0, 300))
def test_any_bytes_are_a_bundle_or_a_format_error(data: bytes, count: int) -> None:
    try:
        entries = unpack_entries(data, count, "bundle")
    except FormatError:
        return
    assert data.startswith(pack_entries(entries))
    assert len(entries) == count


@pytest.mark.parametrize("data", [b"", bytes(31), bytes(33)])
def test_hashes_are_whole(data: bytes) -> None:
    with pytest.raises(FormatError):
        unpack_hashes(data, 1, "tile")


@pytest.mark.parametrize("size", [0, 1, 2, 3, 255, 256, 257, 511, 512, 700, 65_535, 65_536, 65_537, 66_000])
def test_the_unfull_tiles_lead_to_the_root(size: int) -> None:
    level = [leaf_hash(number.to_bytes(4, "big")) for number in range(size)]
    root = root_of(level)
    tiles: list[list[bytes]] = []
    while level:
        full = len(level) // WIDTH
        tiles.insert(0, level[full * WIDTH :])
        level = [root_of(level[tile * WIDTH : (tile + 1) * WIDTH]) for tile in range(full)]
    assert root_of_edges(tiles) == root
    assert [edge.width for edge in edges(size)] == [len(tile) for tile in reversed(tiles) if tile]


def test_an_empty_tree_has_no_tiles() -> None:
    assert edges(0) == []
    assert root_of_edges([]) == EMPTY_ROOT
