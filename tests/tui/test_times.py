from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.errors import SealcastError
from recorder.store.targets import parse_time
from tui.times import length_label, moment, offset_label, parse_moment, wall_label

START = datetime(2026, 9, 12, 14, 2, 11, tzinfo=UTC)


def parsed(text: str, position: float = 60.0, duration: float = 1061.0) -> float:
    return parse_moment(text, position=position, duration=duration, start=START, zone=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12:34", 754.0),
        ("12m34s", 754.0),
        ("754.2", 754.2),
        ("50%", 530.5),
        ("+30s", 90.0),
        ("-2m", 0.0),
        ("-10", 50.0),
        ("end", 1061.0),
        ("start", 0.0),
        ("14:08:31", 380.0),
        ("14:08:31Z", 380.0),
        ("k7f3q9xw@15m05s", 905.0),
        (" 01:44 ", 104.0),
    ],
)
def test_a_typed_moment_is_found(text: str, seconds: float) -> None:
    assert parsed(text) == pytest.approx(seconds)


def test_hours_within_the_length_are_an_offset_and_z_makes_them_a_wall_time() -> None:
    ten_hours = 36_000.0
    assert parsed("5:30:00", duration=ten_hours) == 19_800
    assert parsed("15:02:11", duration=ten_hours) == 3600
    assert parsed("14:02:12Z", duration=60_000) == 1


def test_a_wall_time_after_midnight_belongs_to_the_next_day() -> None:
    assert parsed("00:02:11", duration=40_000.0) == pytest.approx(131)
    assert parsed("00:02:11Z", duration=40_000.0) == pytest.approx(35_880 + 120)


def test_a_wall_time_is_read_in_the_zone_that_is_shown() -> None:
    zone = timezone(timedelta(hours=2))
    found = parse_moment("16:08:31", position=0, duration=1061, start=START, zone=zone)
    assert found == pytest.approx(380)


@pytest.mark.parametrize("text", ["", "x", "99:99:99", "20:00", "-", "+", "1e9", "12:34:56:78", "9" * 400])
def test_what_is_no_moment_of_the_recording_is_refused(text: str) -> None:
    with pytest.raises(SealcastError):
        parsed(text)


@given(st.text(max_size=30))
def test_any_text_gives_a_moment_within_the_length_or_an_error(text: str) -> None:
    with suppress(SealcastError):
        assert 0 <= parsed(text) <= 1061


@given(st.floats(0, 1e6))
def test_the_time_of_a_link_is_read_back_to_the_tenth(seconds: float) -> None:
    assert parse_time(moment(seconds)) == pytest.approx(seconds, abs=0.051)


@pytest.mark.parametrize(
    ("seconds", "label"),
    [(0, "00:00"), (905.29, "15:05"), (3900, "1:05:00"), (59.999, "00:59"), (-1, "00:00")],
)
def test_offsets_are_cut_not_rounded(seconds: float, label: str) -> None:
    assert offset_label(seconds) == label


def test_tenths_are_shown_where_wanted() -> None:
    assert offset_label(905.29, tenths=True) == "15:05.2"
    assert offset_label(0.3, tenths=True) == "00:00.3"


@pytest.mark.parametrize(
    ("seconds", "label"), [(0.4, "0.4s"), (35, "35s"), (1061.2, "17m41s"), (3725, "1h02m")]
)
def test_lengths(seconds: float, label: str) -> None:
    assert length_label(seconds) == label


def test_wall_times_name_their_zone() -> None:
    assert wall_label(START, UTC) == "14:02:11 UTC"
