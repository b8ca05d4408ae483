"""What holds for any output whatever."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.terminal import Playhead, Screen, Snapshot, Step, Timeline
from recorder.terminal.keyframes import play
from recorder.terminal.widths import MAX_CLUSTER, text_width
from tests.terminal.strategies import CHANGES, OUTPUT, recordings


def state(screen: Screen) -> tuple[object, ...]:
    """Everything a screen can tell, and everything it holds."""
    snapshot = screen.snapshot()
    return (
        *(picture(snapshot)),
        screen.cursor,
        screen.modes,
        screen.title,
        [screen.row_runs(y) for y in range(screen.size[1])],
        [screen.row_wrapped(y) for y in range(screen.size[1])],
    )


def picture(snapshot: Snapshot) -> tuple[object, ...]:
    """A snapshot as plain values; of a control string only the whole matters, not the pieces it came in."""
    lines = [(line.cells, line.attrs, line.wrapped) for line in snapshot.lines()]
    string = snapshot.flags.string
    joined = string and (string.kind, "".join(string.parts), string.length)
    flags = snapshot.flags._replace(string=None)
    return (lines, joined, flags, snapshot._replace(primary=(), alternate=None, history=(), flags=flags))


def check(screen: Screen) -> None:
    """The invariants of a screen."""
    cols, rows = screen.size
    assert 2 <= cols <= 1000
    assert 2 <= rows <= 500
    assert 0 <= screen.cursor.x < cols
    assert 0 <= screen.cursor.y < rows
    snapshot = screen.snapshot()
    shown = snapshot.alternate if snapshot.alternate is not None else snapshot.primary
    assert len(shown) == rows
    for y, line in enumerate(shown):
        cells = line.cells
        assert len(cells) == len(line.attrs) == line.used <= cols
        assert "".join(cells) + " " * (cols - line.used) == screen.row_text(y)
        assert all(len(cell) <= MAX_CLUSTER for cell in cells)
        assert all(cell or (x and cells[x - 1]) for x, cell in enumerate(cells)), cells


@given(OUTPUT, st.lists(st.integers(0, 2000), max_size=8))
@settings(max_examples=300, deadline=None)
def test_a_feed_split_anywhere_gives_the_same_screen(output: bytes, cuts: list[int]) -> None:
    whole, split = Screen(20, 8), Screen(20, 8)
    whole.feed(output)
    places = sorted({0, len(output), *(cut % (len(output) + 1) for cut in cuts)})
    for start, end in pairwise(places):
        split.feed(output[start:end])
    assert state(split) == state(whole)
    assert split.events() == whole.events()


@given(OUTPUT)
@settings(max_examples=150, deadline=None)
def test_a_feed_byte_by_byte_gives_the_same_screen(output: bytes) -> None:
    whole, split = Screen(20, 8), Screen(20, 8)
    whole.feed(output)
    for byte in output:
        split.feed(bytes([byte]))
    assert state(split) == state(whole)


@given(st.lists(CHANGES, max_size=6), st.lists(CHANGES, max_size=6))
@settings(max_examples=300, deadline=None)
def test_snapshot_and_restore_equal_straight_replay(
    before: list[bytes | tuple[int, int]], behind: list[bytes | tuple[int, int]]
) -> None:
    straight = Screen(20, 8)
    for change in before:
        play(straight, Step(0, change))
    snapshot = straight.snapshot()
    restored = Screen.restore(snapshot)
    assert state(restored) == state(straight)
    for change in behind:
        play(straight, Step(0, change))
        play(restored, Step(0, change))
    assert state(restored) == state(straight)
    assert state(Screen.restore(snapshot)) == state(Screen.restore(snapshot))


@given(st.lists(CHANGES, max_size=8))
@settings(max_examples=300, deadline=None)
def test_rows_keep_their_length_and_the_cursor_stays_inside(changes: list[bytes | tuple[int, int]]) -> None:
    screen = Screen(20, 8)
    for change in changes:
        play(screen, Step(0, change))
        check(screen)


@given(st.lists(OUTPUT, max_size=6))
@settings(max_examples=150, deadline=None)
def test_dirty_rows_are_those_that_look_different(outputs: list[bytes]) -> None:
    screen = Screen(20, 8)
    screen.take_dirty()
    before = [screen.row_runs(y) for y in range(8)]
    for output in outputs:
        screen.feed(output)
        now = [screen.row_runs(y) for y in range(8)]
        assert {y for y in range(8) if now[y] != before[y]} <= screen.take_dirty()
        assert screen.take_dirty() == set()
        before = now


@given(recordings(), st.lists(st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0, 2.5, 4.0, 99.0]), max_size=6))
@settings(max_examples=150, deadline=None)
def test_seek_shows_what_playing_shows(steps: list[Step], times: list[float]) -> None:
    timeline = Timeline(20, 8, lambda i, j: steps[i:j], spacing=200)
    playhead = Playhead(timeline)
    for time in times:
        expected = Screen(20, 8)
        for step in steps:
            if step.time <= time:
                play(expected, step)
        assert state(timeline.seek(time)) == state(expected)
        assert state(playhead.move_to(time)) == state(expected)


@given(OUTPUT)
@settings(max_examples=100, deadline=None)
def test_the_width_of_a_row_is_the_width_of_its_text(output: bytes) -> None:
    screen = Screen(20, 8)
    screen.feed(output)
    for y in range(8):
        line = screen.line(y)
        if not line.mixed:
            assert text_width(line.text) == 20
