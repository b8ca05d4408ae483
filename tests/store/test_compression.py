import io
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.errors import FormatError
from recorder.store.compression import FRAME_BYTES, MAGIC, compressed, decompressed
from recorder.store.layout import Store
from recorder.store.reading import open_file, open_stored
from recorder.store.sealing import seal
from tests.marks import needs
from tests.store.recordings import record, text_of


def read(data: bytes) -> bytes:
    with decompressed(io.BytesIO(data), "x.zst") as stream:
        return stream.read()


@given(st.lists(st.binary(max_size=5000), max_size=20))
def test_text_comes_back(parts: list[bytes]) -> None:
    assert read(b"".join(compressed(parts))) == b"".join(parts)


def test_every_frame_is_readable_alone() -> None:
    text = b"".join(b"line %d\n" % number for number in range(100_000))
    frames = list(compressed([text]))
    assert len(frames) == -(-len(text) // FRAME_BYTES) > 3
    for index, frame in enumerate(frames):
        assert frame.startswith(MAGIC)
        assert read(frame) == text[index * FRAME_BYTES : (index + 1) * FRAME_BYTES]


@needs("zstd")
def test_the_stock_tool_reads_it(store: Store, tmp_path: Path) -> None:
    session_id = record(store, 20_000)
    plain = store.live_path(session_id).read_bytes()
    seal(store, session_id)
    shown = subprocess.run(["zstd", "-dc", store.sealed_path(session_id)], capture_output=True, check=True)
    assert shown.stdout == plain == text_of(store, session_id)
    listed = subprocess.run(
        ["zstd", "-l", store.sealed_path(session_id)], capture_output=True, text=True, check=True
    )
    assert int(listed.stdout.splitlines()[1].split()[0]) == -(-len(plain) // FRAME_BYTES)
    assert "XXH64" in listed.stdout


@needs("zstd")
def test_what_the_stock_tool_compressed_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.cast"
    path.write_bytes(b"text\n" * 1000)
    subprocess.run(["zstd", "-q", "-19", path], check=True)
    with open_file(tmp_path / "x.cast.zst") as file:
        assert file.read() == b"text\n" * 1000


@pytest.mark.parametrize("where", [6, 100, -3])
def test_damage_is_a_format_error(where: int) -> None:
    data = bytearray(b"".join(compressed([bytes(range(256)) * 3000])))
    data[where] ^= 0xFF
    with pytest.raises(FormatError, match=r"x\.zst: the compressed file is damaged"):
        read(bytes(data))


def test_a_cut_file_gives_what_is_left_and_then_an_error() -> None:
    frames = list(compressed([b"x" * FRAME_BYTES * 2]))
    with decompressed(io.BytesIO(frames[0] + frames[1][:-5]), "x.zst") as stream:
        assert stream.read(FRAME_BYTES) == b"x" * FRAME_BYTES
        with pytest.raises(FormatError):
            stream.read()


def test_links_in_the_store_are_refused(store: Store, tmp_path: Path) -> None:
    session_id = record(store)
    link = tmp_path / "link.cast"
    link.symlink_to(store.live_path(session_id))
    with open_file(link) as file:
        assert file.readline().startswith(b'{"version": 2')
    with pytest.raises(Exception, match="the store has no links"):
        open_stored(link)
