"""The interface of a screen."""

from recorder.terminal import AltScreen, Bell, Cursor, Cwd, Line, LogicalLine, PromptMark, Run, Screen, Title
from recorder.terminal.attributes import BOLD, DEFAULT, Attr


def screen_of(output: str, cols: int = 20, rows: int = 5) -> Screen:
    """A screen that shows `output`."""
    screen = Screen(cols, rows)
    screen.feed(output.encode())
    return screen


def test_row_runs_cover_the_row() -> None:
    runs = screen_of("a\x1b[1;31mbc\x1b[m d", cols=8).row_runs(0)
    assert runs == [Run("a", DEFAULT), Run("bc", Attr(1, None, BOLD)), Run(" d   ", DEFAULT)]


def test_cursor_tells_that_a_wrap_is_due() -> None:
    assert screen_of("x" * 20).cursor == Cursor(19, 0, True, True)
    assert screen_of("x" * 20 + "\x1b[?25l").cursor == Cursor(19, 0, False, True)


def test_logical_line_joins_what_the_width_broke() -> None:
    screen = screen_of("$ " + "word " * 6 + "\x1b[3D")
    assert screen.row_wrapped(0)
    expected = "$ " + "word " * 6
    assert screen.logical_line(1) == LogicalLine(expected.rstrip(), 0, 1, 29)
    assert screen.logical_line(0) == screen.logical_line(1)


def test_logical_line_is_as_long_as_the_cursor_is_far() -> None:
    assert screen_of("$ ").logical_line(0) == LogicalLine("$ ", 0, 0, 2)
    assert screen_of("$\x1b[7G").logical_line(0) == LogicalLine("$     ", 0, 0, 6)


def test_logical_line_counts_wide_characters_once() -> None:
    assert screen_of("日本x\x1b[5G").logical_line(0).cursor_offset == 2


def test_logical_line_reaches_above_the_screen() -> None:
    line = screen_of("a" * 110).logical_line(0)
    assert (line.text, line.first_row, line.last_row) == ("a" * 110, -1, 4)


def test_logical_line_follows_what_scrolls_and_what_comes_back() -> None:
    screen = screen_of("a" * 110)
    assert screen.logical_line(0).text == "a" * 110
    screen.feed(b"b" * 30)
    assert screen.logical_line(4).text == "a" * 110 + "b" * 30
    screen.resize(20, 7)
    screen.feed(b"\x1b[HX")
    screen.resize(20, 5)
    screen.feed(b"\x1b[5;20H" + b"c" * 21)
    text = screen.logical_line(4).text
    assert (text.count("X"), text[-21:]) == (1, "c" * 21)
    screen.feed(b"\x1b[?1049h\x1b[H" + b"d" * 110)
    assert screen.logical_line(0).text == "d" * 90


def test_rows_above_the_screen() -> None:
    screen = screen_of("one\r\ntwo\r\n" + "\r\n" * 4)
    first, second = screen.line_above(2), screen.line_above(1)
    assert first is not None
    assert second is not None
    assert (first.text, second.text) == ("one", "two")
    assert screen.line_above(1) is second
    assert screen.line_above(0) is screen.line_above(3) is None


def test_text_can_be_unwrapped() -> None:
    screen = screen_of("a" * 25 + "\r\nb\r\n")
    assert screen.text() == "a" * 20 + "\n" + "a" * 5 + "\nb"
    assert screen.text(unwrap=True) == "a" * 25 + "\nb"


def test_feed_until_stops_before_the_bytes_asked_for() -> None:
    screen = Screen(20, 5)
    assert screen.feed_until(b"$ ls\r\nfile", b"\n") == 5
    assert screen.text() == "$ ls"
    assert screen.feed_until(b"rest", b"\n") == 4


def test_dirty_rows() -> None:
    screen = Screen(20, 5)
    assert screen.take_dirty() == {0, 1, 2, 3, 4}
    screen.feed(b"\x1b[2Hx\x1b[4Hy")
    assert screen.take_dirty() == {1, 3}
    screen.feed(b"\x1b[?1049h")
    assert screen.take_dirty() == {0, 1, 2, 3, 4}
    screen.resize(21, 5)
    assert screen.take_dirty() == {0, 1, 2, 3, 4}


def test_lines_that_leave_the_top_go_to_the_sink_once() -> None:
    lines: list[Line] = []
    screen = Screen(10, 3, scrollback_sink=lines.append)
    screen.feed("".join(f"line {n}\r\n" for n in range(6)).encode())
    screen.resize(10, 6)
    screen.resize(10, 3)
    assert [line.text.rstrip() for line in lines] == ["line 0", "line 1", "line 2", "line 3"]


def test_the_alternate_screen_feeds_no_sink() -> None:
    lines: list[Line] = []
    screen = Screen(10, 3, scrollback_sink=lines.append)
    screen.feed(b"\x1b[?1049h" + b"x\r\n" * 9)
    assert screen.alt_screen
    assert lines == []


def test_events_tell_what_is_not_in_the_picture() -> None:
    screen = screen_of(
        "\x1b]2;a\u202et\x1b\\\x1b]7;file://h/tmp\x07\x1b]133;A\x07$ \x1b]633;E;ls;n\x07"
        "\x07\x07\x1b[?1049h\x1b[?1049l"
    )
    assert screen.events() == [
        Title("at"),
        Cwd("file://h/tmp"),
        PromptMark(133, "A", 0, 0),
        PromptMark(633, "E;ls;n", 2, 0),
        Bell(),
        AltScreen(True),
        AltScreen(False),
    ]
    assert screen.events() == []
    assert screen.title == "at"


def test_links_and_unknown_strings_leave_no_trace() -> None:
    assert screen_of("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\x1bPq#0\x1b\\\x1b_G\x1b\\.").text() == "link."


def test_a_title_is_bounded() -> None:
    assert len(screen_of(f"\x1b]0;{'t' * 5000}\x07").title) == 1024
    assert screen_of(f"\x1b]0;{'t' * 70_000}\x07").title == ""


def test_modes() -> None:
    modes = screen_of("\x1b[?2004;1;1002;2026h\x1b=").modes
    assert modes.bracketed_paste
    assert modes.app_cursor
    assert modes.app_keypad
    assert modes.mouse
    assert modes.sync_output
    assert not screen_of("").modes.bracketed_paste


def test_graphemes_take_the_cells_they_show() -> None:
    for cluster, cells in [
        ("👨\u200d👩\u200d👧", 2),
        ("🇫🇷", 2),
        ("e\u0301", 1),
        ("❤\ufe0f", 2),
        ("❤", 1),
        ("👍🏽", 2),
    ]:
        screen = screen_of(cluster)
        assert (screen.cursor.x, screen.line(0).cells[0]) == (cells, cluster)


def test_without_graphemes_every_character_has_its_own_cells() -> None:
    screen = Screen(20, 2, graphemes=False)
    screen.feed("👩\u200d💻🇫🇷".encode())
    assert screen.cursor.x == 8


def test_nothing_that_reorders_text_gets_into_a_cell() -> None:
    assert screen_of("a\u202eb\u2066c\ufeffd\u200fe").row_text(0).rstrip() == "abcde"


def test_a_character_may_come_in_pieces() -> None:
    screen = Screen(20, 2)
    for byte in "日€".encode():
        screen.feed(bytes([byte]))
    assert screen.at_ground
    assert screen.text() == "日€"


def test_bytes_that_are_not_utf8_show_as_replacement() -> None:
    screen = Screen(20, 2)
    screen.feed(b"a\xff\xfe\xe6b")
    assert screen.text() == "a\ufffd\ufffd\ufffdb"


def test_close_lets_go() -> None:
    screen = screen_of("text")
    screen.close()
    assert (screen.text(), screen.size) == ("", (20, 5))


def test_what_was_no_control_sequence_once_may_be_the_beginning_of_one() -> None:
    screen = Screen(20, 4)
    screen.feed(b"\x1b[2\x18\x1b[\x18")
    screen.feed(b"\x1b[2")
    screen.feed(b";5Hx\x1b[")
    screen.feed(b"3;5Hy")
    assert (screen.row_text(1).rstrip(), screen.row_text(2).rstrip()) == ("    x", "    y")


def test_a_control_sequence_that_comes_alone_is_carried_out_each_time() -> None:
    screen = Screen(20, 4)
    for _ in range(3):
        screen.feed(b"\x1b[2C")
        screen.feed(b"x")
        screen.feed(b"\x1b[2b")
    screen.feed(b"\x1b[2b")
    assert screen.row_text(0).rstrip() == "  xxx  xxx  xxx"


def test_nothing_is_repeated_behind_a_string_that_was_passed_over() -> None:
    screen = Screen(20, 4)
    screen.feed(b"x")
    screen.skip_string()
    screen.feed(b"\x1b[2b")
    assert screen.row_text(0).rstrip() == "x"
