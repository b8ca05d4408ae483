"""Keys that matter are found in any split of the input, and only they."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.capture.keystrokes import Keystrokes


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        (b"ls -la\r", ["enter"]),
        (b"\x03\x04", ["ctrl-c", "ctrl-d"]),
        (b"\x1b[200~a\nb\r\x03\x1b[201~\r", ["paste-begin", "paste-end", "enter"]),
        (b"\x1b[A\x1b[200", []),
        (b"plain text", []),
        (b"one\ntwo\n", ["enter", "enter"]),
    ],
)
def test_keys_by_name(typed: bytes, keys: list[str]) -> None:
    assert Keystrokes().feed(typed) == keys


@given(
    st.lists(st.sampled_from([b"\x1b[200~", b"\x1b[201~", b"\r", b"\n", b"\x03", b"a", b"\x1b[20", b"\x1b"])),
    st.data(),
)
def test_any_split_gives_the_same_keys(parts: list[bytes], data: st.DataObject) -> None:
    typed = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(typed)), max_size=6)))
    whole, split = Keystrokes().feed(typed), Keystrokes()
    pieces = [typed[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(typed)], strict=True)]
    assert [key for piece in pieces for key in split.feed(piece)] == whole
