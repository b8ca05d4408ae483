import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.clock import SPEEDS, Clock, nearest_speed, speed_label
from tui.recording import Recording, Size


def spans(*moments: float, duration: float | None = None) -> Recording:
    recording = Recording(Size(80, 24))
    for time in moments:
        recording.add_output(time, b"x")
    recording.finish(duration)
    return recording


def played(clock: Clock, seconds: float, step: float = 1 / 30) -> float:
    """Play for some virtual seconds; what was skipped."""
    now, skipped = 0.0, 0.0
    clock.play(now)
    while now < seconds - 1e-9:
        now += step
        skipped += clock.tick(now)
    return skipped


def test_one_second_is_one_second() -> None:
    clock = Clock(spans(*range(20)))
    played(clock, 2)
    assert clock.position == pytest.approx(2)


def test_speed_multiplies_and_is_limited() -> None:
    clock = Clock(spans(*range(20)), speed=2)
    clock.faster()
    played(clock, 1)
    assert clock.speed == 4
    assert clock.position == pytest.approx(4)
    for _ in range(20):
        clock.slower()
    assert clock.speed == SPEEDS[0]
    clock.normal_speed()
    assert clock.speed == 1


def test_a_long_gap_is_played_half_a_second_at_each_end() -> None:
    clock = Clock(spans(104.0, 236.0, 240.0))
    clock.seek(104)
    skipped = played(clock, 0.9)
    assert skipped == pytest.approx(131)
    assert clock.position == pytest.approx(104 + 0.9 + 131)


def test_a_gap_is_left_at_once_when_one_stands_in_its_middle() -> None:
    clock = Clock(spans(104.0, 236.0))
    clock.seek(150)
    assert played(clock, 0.1) == pytest.approx(85.5)


def test_gaps_within_the_limit_are_played() -> None:
    clock = Clock(spans(0.0, 2.0, 4.0))
    assert played(clock, 3) == 0
    assert clock.position == pytest.approx(3)


def test_without_skipping_every_second_is_played() -> None:
    clock = Clock(spans(104.0, 236.0), idle=None)
    clock.seek(110)
    assert played(clock, 3) == 0
    assert clock.position == pytest.approx(113)


def test_it_stops_at_the_end_and_starts_again_from_there() -> None:
    clock = Clock(spans(0.0, 1.0))
    played(clock, 2)
    assert (clock.position, clock.playing) == (1.0, False)
    clock.play(10.0)
    assert (clock.position, clock.playing) == (0.0, True)


def test_it_waits_at_the_end_of_what_is_read_so_far() -> None:
    recording = spans(0.0, 1.0)
    recording.complete = False
    clock = Clock(recording)
    played(clock, 2)
    assert (clock.position, clock.playing) == (1.0, True)


def test_pausing_costs_no_time() -> None:
    clock = Clock(spans(*range(20)))
    clock.play(0)
    clock.tick(1)
    clock.pause()
    clock.tick(100)
    clock.play(100)
    clock.tick(101)
    assert clock.position == pytest.approx(2)


def test_seeking_stays_inside() -> None:
    clock = Clock(spans(0.0, 9.0))
    clock.seek(100)
    assert clock.position == 9
    clock.seek(-1)
    assert clock.position == 0


@given(
    st.lists(st.floats(0, 500), min_size=1, max_size=30).map(sorted),
    st.lists(st.floats(0.001, 3), min_size=1, max_size=40),
    st.sampled_from(SPEEDS),
)
def test_skipping_changes_the_pace_never_a_position(
    moments: list[float], ticks: list[float], speed: float
) -> None:
    """The position moves forward only, by what was played plus what was skipped, and ends inside."""
    clock = Clock(spans(*moments), speed=speed)
    now = 0.0
    clock.play(now)
    for tick in ticks:
        before = clock.position
        now += tick
        skipped = clock.tick(now)
        gone = clock.position - before
        assert skipped - 1e-6 <= gone <= skipped + tick * speed + 1e-6
        assert clock.position <= clock.span.duration


def test_labels_and_odd_speeds() -> None:
    assert [speed_label(speed) for speed in (0.25, 0.5, 1, 64)] == ["¼×", "½×", "1×", "64×"]
    assert speed_label(0.25, ascii_only=True) == "0.25x"
    assert nearest_speed(3) in (2, 4)
    assert nearest_speed(1000) == 64
