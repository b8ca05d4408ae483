"""Terminal bytes as text: at once, and every byte comes back."""

from hypothesis import given
from hypothesis import strategies as st

from recorder.cast.utf8 import Piece, Utf8Stream

CHUNKS = st.lists(
    st.binary(max_size=12)
    | st.text(st.characters(codec="utf-8"), max_size=6).map(str.encode)
    | st.sampled_from(
        [b"\xe6", b"\x97\xa5", b"\xf0\x9f", b"\x98", b"\x80", b"\xff", b"\xed\xa0", b"\xc0\xaf"]
    ),
    max_size=12,
)


def feed(chunks: list[bytes]) -> list[Piece]:
    stream = Utf8Stream()
    return [piece for chunk in chunks for piece in stream.feed(chunk)]


def restored(pieces: list[Piece]) -> bytes:
    return b"".join(raw or text.encode() for text, raw in pieces)


@given(CHUNKS)
def test_every_byte_comes_back_at_once(chunks: list[bytes]) -> None:
    stream = Utf8Stream()
    for chunk in chunks:
        assert restored(stream.feed(chunk)) == chunk


@given(CHUNKS)
def test_the_text_is_that_of_one_decoding(chunks: list[bytes]) -> None:
    whole = b"".join(chunks)
    text = "".join(piece[0] for piece in feed([*chunks, b"."]))
    assert text == (whole + b".").decode(errors="replace")


@given(CHUNKS)
def test_pieces_hold_something_and_raw_bytes_only_where_needed(chunks: list[bytes]) -> None:
    for text, raw in feed(chunks):
        assert text or raw
        assert raw != b""
        assert raw is None or raw != text.encode()


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.data())
def test_a_split_character_costs_two_tiny_pieces(text: str, data: st.DataObject) -> None:
    encoded = text.encode()
    at = data.draw(st.integers(0, len(encoded)))
    pieces = feed([encoded[:at], encoded[at:]])
    assert "".join(piece[0] for piece in pieces) == text
    assert sum(len(raw) for _, raw in pieces if raw is not None) <= 4
    assert len(pieces) <= 4


def test_valid_reads_stay_whole() -> None:
    assert feed(["日本語".encode(), b"abc"]) == [("日本語", None), ("abc", None)]
    assert feed([b""]) == []


def test_the_character_stands_in_the_piece_that_completes_it() -> None:
    assert feed([b"a\xe6", b"\x97", b"\xa5b"]) == [
        ("a", None), ("", b"\xe6"), ("", b"\x97"), ("日", b"\xa5"), ("b", None)
    ]  # fmt: skip


def test_a_sequence_that_is_broken_off_is_replaced() -> None:
    assert feed([b"\xe6", b"ab"]) == [("", b"\xe6"), ("\ufffda", b"a"), ("b", None)]
