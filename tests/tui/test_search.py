"""Search inside one session: what counts as a match, when, and where its cells are."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.terminal import Screen
from tests.tui.test_player import BULK, DEMO
from tui.player import ScreenModel
from tui.recording import Recording, Size
from tui.search import MOST, SLICE_BYTES, Search, found_in, pattern_for


def recorded(*outputs: str) -> Recording:
    """One output a second."""
    recording = Recording(Size(20, 4))
    for time, text in enumerate(outputs):
        recording.add_output(float(time), text.encode())
    recording.finish()
    return recording


def times(recording: Recording, text: str) -> list[float]:
    search = Search(recording, text)
    while search.scan():
        pass
    assert search.complete
    return [hit.time for hit in search.hits]


def test_case_matters_only_where_a_capital_is_asked_for() -> None:
    recording = recorded("Error\r\n", "error\r\n")
    assert times(recording, "error") == [0, 1]
    assert times(recording, "Error") == [0]


def test_nothing_in_the_text_is_special() -> None:
    assert times(recorded("a.c abc\r\n"), "a.c") == [0]


def test_a_match_counts_once_while_it_stays_in_sight_and_scrolls() -> None:
    outputs = ["needle", " and more", *["\r\nline"] * 3, "\r\n", "\r\nneedle"]
    assert times(recorded(*outputs), "needle") == [0, 6]


def test_a_match_counts_when_its_last_letter_is_typed() -> None:
    assert times(recorded(*"a needle", "\r\n"), "needle") == [7]


def test_new_lines_count_although_equal_text_stood_in_their_place() -> None:
    lines = [f"\r\nline {number}" for number in range(8)]
    assert times(recorded(*lines), "line") == list(range(8))


def test_lines_that_replace_the_whole_screen_at_once_count() -> None:
    """Of each write the three lines that stay in sight."""
    first = "".join(f"line {number}\r\n" for number in range(10))
    second = "".join(f"line {number}\r\n" for number in range(10, 20))
    assert times(recorded(first, second), "line") == [0, 0, 0, 1, 1, 1]


def test_a_number_that_counts_up_beside_the_match_is_no_new_match() -> None:
    assert times(recorded(*(f"\rneedle {n}%" for n in range(30))), "needle") == [0]


def test_text_that_the_width_has_broken_is_found_whole() -> None:
    recording = recorded("x" * 18 + "needle")
    assert times(recording, "needle") == [0]
    screen = Screen(20, 4)
    screen.feed(b"x" * 18 + b"needle")
    [found] = found_in(screen, pattern_for("needle"))
    assert found.spans == ((0, (18, 20)), (1, (0, 4)))


def test_cells_of_matches_behind_wide_and_combined_characters() -> None:
    screen = Screen(20, 4)
    screen.feed("日本 e\u0301 needle".encode())
    [found] = found_in(screen, pattern_for("needle"))
    assert found.spans == ((0, (7, 13)),)
    assert found_in(screen, pattern_for("本"))[0].spans == ((0, (2, 4)),)


@pytest.mark.parametrize("text", ["answer", "日本", "line 8", "$ "])
def test_at_the_time_of_every_match_the_text_is_in_the_picture_at_its_place(text: str) -> None:
    search, model = Search(DEMO, text), ScreenModel(DEMO)
    while search.scan():
        pass
    assert search.hits
    for hit in search.hits:
        assert model.show(hit.time)
        places = [(item.row, item.spans[0][1][0]) for item in found_in(model.screen, search.pattern)]
        assert (hit.row, hit.cell) in places


def test_slices_are_bounded_and_so_is_the_number_of_matches() -> None:
    search = Search(BULK, "a")
    assert search.scan()
    assert BULK.totals[search._fed] <= 2 * SLICE_BYTES
    while search.scan():
        pass
    assert search.complete
    assert len(search.hits) < MOST + 80 * 24


def test_next_and_previous() -> None:
    search = Search(recorded("needle\r\n", "\r\n", "needle\r\n"), "needle")
    while search.scan():
        pass
    assert [search.after(time) for time in (-1, 0, 1, 2)] == [0, 1, 1, None]
    assert search.after(0, included=True) == 0
    assert [search.before(time) for time in (0, 1, 2, 3)] == [None, 0, 0, 1]


@settings(max_examples=200, deadline=None)
@given(st.text(min_size=1, max_size=6), st.text(max_size=200), st.integers(2, 30))
def test_cells_are_always_on_the_screen(needle: str, text: str, cols: int) -> None:
    screen = Screen(cols, 5)
    screen.feed((text + needle).encode("utf-8", "replace"))
    for found in found_in(screen, pattern_for(needle)):
        for row, (start, end) in found.spans:
            assert 0 <= row < 5
            assert 0 <= start <= end <= cols
