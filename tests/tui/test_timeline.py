import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.recording import Recording, Size
from tui.timeline import Happened, Window, activity_row, deepest_zoom, event_row, ruler_row, window


def recording(*outputs: tuple[float, int], duration: float) -> Recording:
    made = Recording(Size(80, 24))
    for time, count in outputs:
        made.add_output(time, b"x" * count)
    made.finish(duration)
    return made


def row(made: Recording, width: int, bad_from: float | None = None, ascii_only: bool = False) -> str:
    view = window(made.duration, width, 0, 0)
    return activity_row(made, view, idle=2.0, bad_from=bad_from, ascii_only=ascii_only)


def test_volume_is_on_a_log_scale_of_the_sessions_own_maximum() -> None:
    made = recording((0.5, 1), (1.5, 100), (2.5, 10_000), duration=4)
    assert row(made, 4) == "▂▅█ "


def test_idle_is_drawn_from_two_cells_and_short_gaps_stay_blank() -> None:
    made = recording((0.5, 9), (1.5, 9), (9.5, 9), duration=10)
    assert row(made, 10) == "██·······█"
    assert row(recording((0.5, 9), (2.4, 9), (3.5, 9), duration=4), 4) == "█ ██"


def test_what_no_signature_covers_and_what_is_not_read() -> None:
    made = recording((0.5, 9), (9.5, 9), duration=10)
    assert row(made, 10, bad_from=5.0) == "█····╳╳╳╳╳"
    made.complete = False
    view = Window(0, 20, 10)
    assert activity_row(made, view, idle=2).endswith("░░░░░")


def test_ascii_has_no_other_signs() -> None:
    made = recording((0.5, 9), (9.5, 9), duration=10)
    assert row(made, 10, bad_from=8.0, ascii_only=True).isascii()


def test_a_mark_counts_more_than_a_resize_and_many_are_told() -> None:
    view = Window(0, 10, 10)
    cells = event_row(view, Happened([3.2], [3.4, 7.0]))
    assert [(cell.sign, cell.many) for cell in (cells[3], cells[7], cells[5])] == [
        ("◆", True),
        ("↔", False),
        (" ", False),
    ]


def test_the_ruler_labels_round_times() -> None:
    assert ruler_row(Window(0, 1061, 120), 1061).startswith("00:00        02:00         04:00")
    zoomed = ruler_row(Window(100, 200, 60), 1061)
    assert (zoomed[0], zoomed[-1]) == ("‹", "›")


@given(
    st.lists(st.floats(0, 5000), max_size=50).map(sorted),
    st.integers(1, 300),
    st.floats(0, 5000),
    st.integers(0, 9),
)
def test_every_event_is_in_exactly_one_cell(
    times: list[float], width: int, position: float, zoom: int
) -> None:
    made = recording(*((time, 7) for time in times), duration=5000)
    view = window(5000, width, zoom, position)
    slices = [view.slice(cell) for cell in range(width)]
    counted = sum(made.output_between(*span) for span in slices)
    assert counted == 7 * sum(view.start <= time < slices[-1][1] for time in times)
    for time in times:
        cell = view.cell(time)
        if cell is not None:
            assert slices[cell][0] <= time < slices[cell][1]
    assert len(activity_row(made, view, idle=2)) == width
    assert len(ruler_row(view, 5000)) == width


@pytest.mark.parametrize("duration", [0.0, 0.3, 10.0, 36_000.0])
def test_windows_of_any_length_hold_the_position(duration: float) -> None:
    for zoom in range(deepest_zoom(duration) + 1):
        view = window(duration, 80, zoom, duration)
        assert view.start <= duration <= view.end
        assert view.cell(duration) is not None
        assert len(ruler_row(view, duration)) == 80
