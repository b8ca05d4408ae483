"""Timelines: building in slices, growing recordings, bounded memory."""

from collections.abc import Sequence

from recorder.terminal import Playhead, Screen, Step, Timeline
from recorder.terminal.keyframes import BATCH, play


def recording(events: int, size: int = 400) -> list[Step]:
    """Events one second apart, each with a number in it."""
    return [Step(float(n), b"\x1b[H%d " % n + b"x" * size + b"\r\n") for n in range(events)]


def played(steps: list[Step], time: float) -> str:
    """The text after straight replay."""
    screen = Screen(40, 10)
    for step in steps:
        if step.time <= time:
            play(screen, step)
    return screen.text()


def test_slices_build_the_same_timeline_as_one_go() -> None:
    steps = recording(1000)
    timeline = Timeline(40, 10, lambda i, j: steps[i:j])
    slices = 0
    while timeline.build(10_000):
        slices += 1
    assert slices > 30
    assert (timeline.built_events, timeline.built_until) == (1000, 999.0)
    assert timeline.keyframe_count >= 5
    assert timeline.seek(500.5).text() == played(steps, 500.5)


def test_only_a_few_events_are_read_for_a_seek() -> None:
    steps = recording(4000)
    asked: list[int] = []

    def between(start: int, end: int) -> Sequence[Step]:
        asked.append(end - start)
        return steps[start:end]

    timeline = Timeline(40, 10, between)
    timeline.build_all()
    asked.clear()
    timeline.seek(3100.0)
    assert sum(asked) <= 2 * BATCH


def test_seeking_builds_no_more_than_it_needs() -> None:
    steps = recording(20_000)
    timeline = Timeline(40, 10, lambda i, j: steps[i:j])
    assert timeline.seek(-1.0).text() == ""
    assert timeline.seek(3.0).text() == played(steps, 3.0)
    assert timeline.built_events < 5000


def test_a_growing_recording_can_be_followed() -> None:
    timeline = Timeline(40, 10)
    playhead = Playhead(timeline)
    timeline.append(1.0, b"one ")
    assert playhead.move_to(1.0).text() == "one"
    timeline.append(2.0, (20, 5))
    timeline.append(2.0, b"two")
    assert playhead.move_to(2.0).text() == "one two"
    assert playhead.screen.size == (20, 5)
    assert timeline.seek(1.5).size == (40, 10)


def test_events_at_the_same_time_belong_together() -> None:
    timeline = Timeline(40, 10, spacing=1)
    for text in (b"a", b"b", b"c"):
        timeline.append(1.0, text)
    timeline.append(2.0, b"d")
    assert timeline.seek(1.0).text() == "abc"
    assert timeline.seek(0.99).text() == ""


def test_screens_of_different_seeks_are_independent() -> None:
    timeline = Timeline(40, 10)
    timeline.append(1.0, b"text")
    first, second = timeline.seek(1.0), timeline.seek(1.0)
    first.feed(b" more")
    assert second.text() == "text"


def test_memory_is_bounded_by_fewer_keyframes() -> None:
    steps = [Step(float(n), b"line %d\r\n" % n * 2000) for n in range(300)]
    free = Timeline(40, 10, lambda i, j: steps[i:j])
    tight = Timeline(40, 10, lambda i, j: steps[i:j], memory=300_000)
    free.build_all()
    tight.build_all()
    assert tight.memory <= 300_000 < free.memory
    assert tight.keyframe_count < free.keyframe_count
    assert tight.seek(123.0).text() == free.seek(123.0).text()


def test_a_playhead_plays_on_or_seeks_whichever_is_shorter() -> None:
    steps = recording(2000)
    timeline = Timeline(40, 10, lambda i, j: steps[i:j])
    timeline.build_all()
    playhead = Playhead(timeline)
    screen = playhead.move_to(3.0)
    assert playhead.move_to(5.0) is screen
    assert playhead.move_to(1500.0) is not screen
    assert playhead.screen.text() == played(steps, 1500.0)
    assert playhead.move_to(2.0).text() == played(steps, 2.0)


def test_a_slice_without_time_reads_one_event() -> None:
    steps = recording(10)
    timeline = Timeline(40, 10, lambda i, j: steps[i:j])
    assert timeline.build(seconds=0.0)
    assert timeline.built_events == 1
