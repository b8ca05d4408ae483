"""Durations and sizes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.policy.quantities import duration_text, parse_duration, parse_size, size_text


@pytest.mark.parametrize(
    ("text", "seconds"), [("0s", 0), ("90s", 90), ("30m", 1800), ("12h", 43200), ("2d", 172800), ("5 m", 300)]
)
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0B", 0),
        ("512B", 512),
        ("64KiB", 65536),
        ("1GiB", 2**30),
        ("1GB", 10**9),
        ("2kB", 2000),
    ],
)
def test_sizes(text: str, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize(
    "text", ["", "5", "m", "-5m", "1.5h", "5 minutes", "1h30m", "٣m", "5m\n", "9" * 16 + "s"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="must be a duration, such as"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["", "5", "5K", "5gib", "5 GiB ", "1e3B"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="must be a size, such as"):
        parse_size(text)


@given(st.integers(0, 10**14))
def test_what_is_written_reads_back(number: int) -> None:
    assert parse_duration(duration_text(number)) == number
    assert parse_size(size_text(number)) == number


def test_the_largest_unit_is_written() -> None:
    assert (duration_text(1800), duration_text(0), duration_text(61)) == ("30m", "0s", "61s")
    assert (size_text(2**30), size_text(0), size_text(1000)) == ("1GiB", "0B", "1000B")
