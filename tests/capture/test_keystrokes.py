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
        (b"\x1b[13u\x1b[13;1u\x1b[57414u\x1b[57414;129:1u", ["enter"] * 4),
        (b"\x1b[99;5u\x1b[99::99;5u\x1b[99;69u\x1b[27;5;99~", ["ctrl-c"] * 4),
        (b"\x1b[100;5u\x1b[100:68:100;5:1u\x1b[27;5;100~", ["ctrl-d"] * 3),
        (b"\x1b[99;5:3u\x1b[99u\x1b[99;6u\x1b[13;2u\x1b[27;2;13~\x1b[100;999u", []),
        (b"\x1b[200~\x1b[13u\x1b[99;5u\x1b[201~", ["paste-begin", "paste-end"]),
    ],
)
def test_keys_by_name(typed: bytes, keys: list[str]) -> None:
    assert Keystrokes().feed(typed) == keys


_PARTS = [b"\x1b[200~", b"\x1b[201~", b"\r", b"\n", b"\x03", b"a", b"\x1b[20", b"\x1b"]
_PARTS += [b"\x1b[57414:123456:123456;129:1u", b"\x1b[27;5;99~", b"\x1b[99;5u", b"[13", b";5:1u"]


@given(
    st.lists(st.sampled_from(_PARTS)),
    st.data(),
)
def test_any_split_gives_the_same_keys(parts: list[bytes], data: st.DataObject) -> None:
    typed = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(typed)), max_size=6)))
    whole, split = Keystrokes().feed(typed), Keystrokes()
    pieces = [typed[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(typed)], strict=True)]
    assert [key for piece in pieces for key in split.feed(piece)] == whole
