"""The screen model and the player, over recordings made of real terminal output."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.cast.events import Event
from recorder.cast.v2 import Header
from recorder.terminal import Screen
from tests.tui.studio import demo_events
from tui.loading import PIECE, fill, recording_for
from tui.player import DIRECT_BYTES, Player, ScreenModel
from tui.recording import Recording, Size


def demo() -> Recording:
    recording = recording_for(Header(2, 80, 24))
    for _ in fill(recording, (Event(*event) for event in demo_events()), lambda: False):
        pass
    return recording


def bulk(count: int = 3000) -> Recording:
    """Far more output than is fed directly, with sizes that change now and then."""
    random, recording = Random(7), Recording(Size(80, 24))
    for number in range(count):
        text = "".join(random.choices("abc \x1b[31m\x1b[7mé日\r\n\x1b[H", k=200))
        recording.add_output(number / 10, text.encode())
        if number % 700 == 699:
            recording.add_resize(number / 10, Size(60 + number % 50, 20 + number % 9))
    recording.finish()
    return recording


DEMO, BULK = demo(), bulk()
ROWS = range(500)


def built(recording: Recording) -> ScreenModel:
    model = ScreenModel(recording)
    while model.build():
        pass
    return model


BUILT = built(BULK)


def picture_by_playing(recording: Recording, position: float) -> object:
    """From the first byte on, in order, without keyframes."""
    model = ScreenModel(recording)
    for time in recording.times:
        if time > position:
            break
        assert model.show(time)
    return model.picture(ROWS)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 300), min_size=1, max_size=6))
def test_the_picture_does_not_depend_on_the_way_there(positions: list[float]) -> None:
    for position in positions:
        assert BUILT.show(position)
    assert BUILT.picture(ROWS) == picture_by_playing(BULK, positions[-1])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 341), min_size=1, max_size=8))
def test_seeking_around_the_demo_equals_playing_it(positions: list[float]) -> None:
    player = Player(DEMO)
    for position in positions:
        player.seek(position)
    assert player.model.picture(ROWS) == picture_by_playing(DEMO, positions[-1])


def test_far_positions_wait_for_the_keyframes() -> None:
    player = Player(BULK)
    assert BULK.totals[-1] > 2 * DIRECT_BYTES
    player.seek(299)
    assert player.waiting
    while player.model.build():
        pass
    assert player.refresh()
    assert player.model.picture(ROWS) == picture_by_playing(BULK, 299)


def test_the_clock_waits_with_the_picture() -> None:
    player = Player(BULK)
    player.seek(250)
    player.toggle(0.0)
    player.tick(5.0)
    assert player.position == 250
    while player.model.build():
        pass
    player.refresh()
    player.tick(6.0)
    assert player.position == pytest.approx(251)


def test_dirty_rows_are_enough_to_redraw() -> None:
    player = Player(DEMO)
    shown: dict[int, object] = {}
    for position in (0, 1, 5, 7.1, 90, 310, 321, 335, 5, 200, 341):
        player.seek(position)
        screen = player.model.screen
        for y in player.model.take_dirty():
            shown[y] = screen.line(y).runs
        assert {y: shown[y] for y in range(screen.size[1])} == {
            y: screen.line(y).runs for y in range(screen.size[1])
        }


def test_two_changes_back_and_two_forward_show_the_same_picture() -> None:
    player = Player(DEMO)
    player.seek(100)
    rows = range(24)
    before = player.model.picture(rows)
    assert [player.step(-1, rows), player.step(-1, rows)] == [True, True]
    assert player.model.picture(rows) != before
    assert [player.step(1, rows), player.step(1, rows)] == [True, True]
    assert player.model.picture(rows) == before


def test_a_step_pauses_and_merges_what_came_within_ten_milliseconds() -> None:
    player = Player(DEMO)
    player.toggle(0.0)
    player.seek(6.9)
    assert player.step(1, range(24))
    assert not player.clock.playing
    assert player.position == pytest.approx(7.005)


def test_steps_end_at_both_ends() -> None:
    player = Player(DEMO)
    assert not player.step(-1, range(24))
    player.seek(0.5)
    assert player.step(-1, range(24))
    assert player.position == 0
    player.seek(341)
    assert not player.step(1, range(24))


def test_changes_out_of_sight_are_passed_over() -> None:
    recording = Recording(Size(80, 24))
    for number in range(20):
        recording.add_output(number, f"\x1b7\x1b[20;1H{number}\x1b8".encode())
    recording.add_output(20, b"\x1b[1;1Hhere\x1b[1;1H")
    recording.finish()
    player = Player(recording)
    player.seek(0)
    player.step(1, range(10))
    assert player.position == 20


def test_the_size_is_part_of_the_picture() -> None:
    player = Player(DEMO)
    player.seek(325)
    assert player.model.screen.size == (100, 30)
    player.seek(310)
    assert player.model.screen.size == (80, 24)
    assert DEMO.size_at(325) == Size(100, 30)


def test_what_cannot_be_read_is_counted_and_a_mark_is_kept() -> None:
    recording = recording_for(Header(2, 80, 24))
    events = [Event(1, "r", "wide"), Event(2, "m", "here"), Event(3, "X", "0"), Event(2.5, "o", "late")]
    for _ in fill(recording, events, lambda: False):
        pass
    assert recording.skipped == 1
    assert [(mark.time, mark.label) for mark in recording.marks] == [(2, "here")]
    assert recording.duration == 3
    assert recording.complete


def test_reading_stops_when_it_is_told_to() -> None:
    recording = recording_for(Header(2, 80, 24))
    for _ in fill(recording, (Event(n, "o", "x") for n in range(100_000)), lambda: True):
        pass
    assert not recording.complete
    assert len(recording.times) < 2000


def test_one_giant_event_is_taken_in_slices() -> None:
    """3 MB in one event: no step of reading, seeking or playing takes more than two slices of it."""
    data = "abc \x1b[31mé日\r\n" * 150_000
    events = (Event(0.0, "o", "first"), Event(1.0, "o", data), Event(2.0, "o", "\r\nlast"))
    recording = recording_for(Header(2, 80, 24))
    for _ in fill(recording, events, lambda: False):
        pass
    assert max(len(part) for part in recording.payloads if isinstance(part, bytes)) <= PIECE
    assert b"".join(part for part in recording.payloads if isinstance(part, bytes))[5:-6] == data.encode()
    model = ScreenModel(recording)
    assert model.show(0.5)
    assert not model.show(1.0)
    built = 0
    while model.build():
        assert recording.output_bytes(built, model.built) <= 2 * PIECE
        built = model.built
        if built < len(recording.times) - 1:
            assert not model.show(1.0)
    assert model.show(1.5)
    at_once = Screen(80, 24)
    at_once.feed(b"first" + data.encode())
    assert model.screen.text() == at_once.text()
    assert recording.frames.tolist() == [0.0, 1.0, 2.0]
