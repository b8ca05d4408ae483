"""SGR."""

import pytest

from recorder.terminal import attributes as a
from recorder.terminal.attributes import DEFAULT, Attr, Looks, apply_sgr


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("1;31", Attr(1, None, a.BOLD)),
        ("97;107", Attr(15, 15, 0)),
        ("38;5;99", Attr(99, None, 0)),
        ("38:5:99", Attr(99, None, 0)),
        ("38;5;256", DEFAULT),
        ("48;2;1;2;300", Attr(None, a.RGB | 0x0102FF, 0)),
        ("48:2::1:2:3", Attr(None, a.RGB | 0x010203, 0)),
        ("48:2:1:2:3", Attr(None, a.RGB | 0x010203, 0)),
        ("4:3;58:5:9", Attr(None, None, a.UNDERLINE | a.CURLY, 9)),
        ("4;4:0", DEFAULT),
        ("21", Attr(None, None, a.UNDERLINE | a.DOUBLE)),
        ("1;3;22", Attr(None, None, a.ITALIC)),
        ("31;;1", Attr(None, None, a.BOLD)),
        ("38;5", DEFAULT),
        ("38;2;1;2", DEFAULT),
        ("38:2:x:y:z", DEFAULT),
        ("58;5;9;59", DEFAULT),
        ("99999999999999999999;1", Attr(None, None, a.BOLD)),
    ],
)
def test_sgr(parameters: str, expected: Attr) -> None:
    assert apply_sgr(DEFAULT, parameters) == expected


def test_only_32_parameters_count() -> None:
    assert apply_sgr(DEFAULT, ";".join(["1"] * 31 + ["3", "4"])).flags == a.BOLD | a.ITALIC


def test_steps_are_remembered_and_forgotten() -> None:
    looks = Looks()
    first, steps = looks.step(DEFAULT, "1m")
    assert looks.steps(DEFAULT)["1m"] == (first, steps)
    assert looks.step(DEFAULT, "1m")[0] is first
    for number in range(a.MAX_STEPS):
        looks.step(DEFAULT, f"38;5;{number}m")
    assert looks.count < a.MAX_STEPS
