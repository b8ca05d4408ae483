"""The keys of the player, as numbered in the acceptance list of the interface."""

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from recorder.cast.events import OUTPUT, Event
from recorder.cast.header import Header
from recorder.store.checking import Verdict
from recorder.store.layout import Store
from tests.tui.screens import DEADLINE, Shown, is_settled, player, shown
from tests.tui.studio import Studio, demo_events
from tui.look import choose
from tui.options import PlayOptions
from tui.screens.base import RoomyScreen
from tui.source import Source, Subject
from tui.widgets.grid import Grid
from tui.widgets.timeline import TimelineStrip

pytestmark = pytest.mark.slow


def offset(screen: Shown) -> float:
    """The position that the status row shows."""
    found = re.search(r"(?:(\d+):)?(\d+):(\d+(?:\.\d)?) /", screen.status)
    assert found, screen.status
    return int(found[1] or 0) * 3600 + int(found[2]) * 60 + float(found[3])


async def near(screen: Shown, seconds: float) -> None:
    await screen.until(lambda: abs(offset(screen) - seconds) <= 1)


async def speed_is(screen: Shown, label: str) -> None:
    await screen.until(lambda: f"  {label}" in screen.status)


async def settled(screen: Shown) -> None:
    first = screen.app.screen
    assert isinstance(first, RoomyScreen)
    await screen.until(lambda: is_settled(first))


@pytest.mark.parametrize("size", [(80, 24), (60, 16)])
async def test_a_link_opens_paused_at_its_moment_and_arrows_seek(demo: Studio, size: tuple[int, int]) -> None:
    """8, 9, 10: also where the recording is larger than the pane."""
    async with shown(player(demo.store, "11111111@3m05s"), size) as screen:
        await settled(screen)
        assert "‖ 03:05.0 / 05:40" in screen.status
        assert "14:05:16 UTC" in screen.status
        for key, label in (("left", "03:00.0"), ("right", "03:05.0"), ("shift+right", "04:05.0")):
            await screen.keys(key)
            await screen.see(label)
        await screen.keys("shift+left")
        await screen.see("03:05.0")


async def test_space_plays_and_pauses(demo: Studio) -> None:
    """11"""
    async with shown(player(demo.store, "11111111@1m15s")) as screen:
        await settled(screen)
        await screen.keys("space")
        await screen.until(lambda: "▶" in screen.status)
        await screen.until(lambda: offset(screen) >= 76)
        await screen.keys("space")
        await screen.until(lambda: "‖" in screen.status)
        assert 76 <= offset(screen) < 78


async def test_speed_keys(demo: Studio) -> None:
    """12"""
    async with shown(player(demo.store, "11111111")) as screen:
        await settled(screen)
        for key, label in (
            ("right_curly_bracket", "2×"),
            ("right_curly_bracket", "4×"),
            ("left_curly_bracket", "2×"),
            ("backspace", "1×"),
            ("less_than_sign", "½×"),
        ):
            await screen.keys(key)
            await speed_is(screen, label)


async def test_percents_start_and_end(demo: Studio) -> None:
    """13, 17"""
    async with shown(player(demo.store, "11111111")) as screen:
        await settled(screen)
        for keys, seconds in ((["5"], 170), (["0"], 0), (["G"], 340), (["g", "g"], 0), (["pagedown"], 34)):
            await screen.keys(*keys)
            await near(screen, seconds)


async def test_idle_is_skipped_and_said(demo: Studio) -> None:
    """14"""
    async with shown(player(demo.store, "11111111@01:44")) as screen:
        await settled(screen)
        await screen.keys("space")
        await screen.see("skipped 2m11s idle")
        await screen.until(lambda: offset(screen) > 235)


async def test_idle_is_played_in_full_where_wanted(demo: Studio) -> None:
    """15"""
    async with shown(player(demo.store, "11111111@01:50")) as screen:
        await settled(screen)
        await screen.keys("i", "space")
        await screen.until(lambda: offset(screen) >= 111)
        await screen.keys("space")
        assert offset(screen) < 113
        await screen.until(lambda: "idle in full" in screen.status or "idle plays in full" in screen.status)


async def test_a_wall_time_is_a_moment(demo: Studio) -> None:
    """16"""
    async with shown(player(demo.store, "11111111"), (120, 40)) as screen:
        await settled(screen)
        await screen.keys("g")
        await screen.type("14:07:13")
        await screen.keys("enter")
        await screen.until(lambda: abs(offset(screen) - 302) < 1)
        await screen.see("a full-screen program")


async def test_what_is_no_time_is_said_and_nothing_moves(demo: Studio) -> None:
    async with shown(player(demo.store, "11111111@10s")) as screen:
        await settled(screen)
        await screen.keys("g")
        await screen.type("noon")
        await screen.keys("enter")
        await screen.see('no time "noon"')
        assert offset(screen) == 10


async def test_frames_back_and_forward_show_the_same_picture(demo: Studio) -> None:
    """21"""
    async with shown(player(demo.store, "11111111@100s")) as screen:
        await settled(screen)
        before = screen.rows[:-1]
        await screen.keys("comma", "comma")
        await screen.until(lambda: screen.rows[:-3] != before[:-2])
        await screen.keys("full_stop", "full_stop")
        await screen.until(lambda: screen.rows[:-3] == before[:-2])
        assert "‖" in screen.status


async def test_copying_a_link(demo: Studio) -> None:
    """27, as far as a clipboard can be looked into here."""
    async with shown(player(demo.store, "11111111@65.2")) as screen:
        await settled(screen)
        await screen.keys("Y")
        await screen.see("copied link 11111111@1m05.2s")
        assert screen.app.clipboard == "11111111@1m05.2s"


async def test_full_screen_keeps_the_status_row(demo: Studio) -> None:
    """28"""
    async with shown(player(demo.store, "11111111@100s")) as screen:
        await settled(screen)
        await screen.keys("f")
        await screen.until(lambda: screen.player.query_one(Grid).size.height == 23)
        await screen.until(lambda: "01:40.0" in screen.rows[-1])
        await screen.keys("f")
        await screen.see("verified")


async def test_marks_are_jumped_to(demo: Studio) -> None:
    async with shown(player(demo.store, "11111111")) as screen:
        await settled(screen)
        await screen.keys("right_square_bracket")
        await screen.see("restart")
        assert offset(screen) == 300
        await screen.keys("right_square_bracket")
        await screen.see("no more marks")


async def test_a_changed_recording_says_so_everywhere(zoo: Studio) -> None:
    """32"""
    async with shown(player(zoo.store, "22222222@1m10s")) as screen:
        await settled(screen)
        await screen.see("✗ BAD SIGNATURE")
        await screen.until(lambda: "From 01:05 on" in screen.rows[1])
        await screen.until(lambda: "UNVERIFIED" in screen.status)
        await screen.see("╳╳╳")
        await screen.keys("g", "g")
        await screen.until(lambda: "UNVERIFIED" not in screen.status)
        assert "✗ BAD SIGNATURE" in screen.rows[0]


async def test_larger_recordings_follow_the_cursor_and_can_be_panned(studio: Studio) -> None:
    events = [(1.0, OUTPUT, "top left\x1b[50;200Hfar away"), (2.0, OUTPUT, "\x1b[H")]
    studio.record(events, size=(212, 58))
    async with shown(player(studio.store, "11111111@1s")) as screen:
        await settled(screen)
        await screen.see("far away")
        await screen.see("212×58 at")
        await screen.keys("right")
        await screen.see("top left")
        await screen.keys("J", "J", "L")
        await screen.until(lambda: "212×58 at 8,8" in screen.text)
        await screen.keys("z")
        await screen.see("212×58 at 0,0")


async def test_cut_lines_end_in_a_sign(studio: Studio) -> None:
    studio.record([(1.0, OUTPUT, "x" * 120 + "\x1b[H")], size=(120, 24))
    async with shown(player(studio.store, "11111111@1s")) as screen:
        await settled(screen)
        await screen.until(lambda: screen.rows[1].endswith("x›"))


async def test_the_head_names_what_is_in_sight_when_the_check_is_done_before_the_picture(
    demo: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked, events = threading.Event(), Source.events

    @contextmanager
    def late(source: Source, subject: Subject) -> Iterator[tuple[Header, Iterator[Event]]]:
        assert checked.wait(DEADLINE)
        with events(source, subject) as opened:
            yield opened

    monkeypatch.setattr(Source, "events", late)
    async with shown(player(demo.store, "11111111"), (80, 24)) as screen:
        await screen.see("✓ verified")
        checked.set()
        await screen.see("80×24 at 0,0")


async def test_a_resize_keeps_position_and_picture(demo: Studio) -> None:
    """40, its second half."""
    async with shown(player(demo.store, "11111111@100s"), (100, 35)) as screen:
        await settled(screen)
        await screen.see("line 69")
        await screen.see("No commands in this recording")
        before = screen.text
        await screen.pilot.resize_terminal(40, 12)
        await screen.see("Terminal is 40×12")
        await screen.pilot.resize_terminal(100, 35)
        await screen.until(lambda: screen.text == before)


@pytest.mark.parametrize("look", ["dark", "ansi", "mono"])
async def test_no_size_breaks_it(demo: Studio, look: str) -> None:
    async with shown(player(demo.store, "11111111@100s"), look=choose(look)) as screen:
        await settled(screen)
        for size in ((1, 1), (300, 100), (2, 100), (300, 1), (61, 17), (159, 29), (80, 24)):
            await screen.pilot.resize_terminal(*size)
            for key in ("f", "g", "escape", "H", "J", "plus", "t", "t", "f", "minus"):
                await screen.keys(key)
        await screen.see("01:40.0")


async def test_held_keys_move_once_per_key_and_draw_the_last(demo: Studio) -> None:
    async with shown(player(demo.store, "11111111")) as screen:
        await settled(screen)
        await screen.keys(*["right"] * 40)
        await screen.see("03:20.0")


async def test_the_timeline_is_clicked_and_zoomed(demo: Studio) -> None:
    async with shown(player(demo.store, "11111111")) as screen:
        await settled(screen)
        strip = screen.player.query_one(TimelineStrip)
        await screen.pilot.click(TimelineStrip, offset=(70, 1))
        await screen.see("05:00.0")
        await screen.keys("plus")
        await screen.until(lambda: strip.zoom == 1)


async def test_a_recording_without_output_has_no_picture(demo: Studio) -> None:
    async with shown(player(demo.store, "44444444")) as screen:
        await screen.see("No terminal output in 0.0s.")


async def test_an_absurd_size_is_refused(studio: Studio) -> None:
    studio.record([(1.0, OUTPUT, "x")], size=(10_000, 10_000))
    async with shown(player(studio.store, "11111111")) as screen:
        await screen.see("over the limit 1000×500")


async def test_a_file_from_elsewhere_is_played_and_judged(studio: Studio, home: object) -> None:
    path = studio.store.root.parent / "home" / "notes.cast"
    path.write_text('{"version": 2, "width": 80, "height": 24}\n[0.5, "o", "hello"]\n')
    async with shown(player(studio.store, f"{path}@1")) as screen:
        await screen.see("– unsigned")
        await screen.see("hello")
        path.write_text("nothing\n")
    async with shown(player(studio.store, str(path))) as screen:
        await screen.see("is not an asciicast (first line is not a JSON header)")


async def test_the_word_is_checking_until_the_verdict_is_known(
    demo: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = asyncio.Event()
    loop = asyncio.get_running_loop()
    first = player(demo.store, "11111111")
    check = first.source.check

    def late(subject: Subject, progress: object, *, alone: bool) -> Verdict:
        asyncio.run_coroutine_threadsafe(hold.wait(), loop).result(DEADLINE)
        return check(subject, alone=alone)

    monkeypatch.setattr(first.source, "check", late)
    async with shown(first) as screen:
        await screen.see("… checking")
        hold.set()
        await screen.see("✓ verified")


async def test_what_nobody_foresaw_is_not_swallowed(demo: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Store) -> None:
        raise RuntimeError("broken")

    first = player(demo.store, "11111111")
    monkeypatch.setattr(first.source, "events", broken)
    with pytest.raises(RuntimeError, match="broken"):
        async with shown(first) as screen:
            await screen.until(lambda: not screen.app.is_running)


async def test_playing_to_the_end_pauses_there(studio: Studio) -> None:
    studio.record(demo_events()[:5])
    options = PlayOptions(speed=64)
    async with shown(player(studio.store, "11111111", options)) as screen:
        await screen.until(lambda: "‖" in screen.status)
        assert screen.player.player is not None
        assert screen.player.player.clock.at_end


async def search_for(screen: Shown, text: str) -> None:
    await screen.keys("slash")
    await screen.type(text)
    await screen.keys("enter")


async def test_search_goes_from_match_to_match_and_round_the_end(demo: Studio) -> None:
    """22, 23"""
    async with shown(player(demo.store, "11111111")) as screen:
        await settled(screen)
        await search_for(screen, "answer")
        await screen.see("/answer 1/3 ")
        for key, label, seconds in (("n", "2/3", 37), ("n", "3/3", 67), ("N", "2/3", 37), ("N", "1/3", 7)):
            await screen.keys(key)
            await screen.see(f"/answer {label}")
            await near(screen, seconds)
            assert "answer" in "\n".join(screen.rows[1:20])
        await screen.keys("N")
        await screen.see("search went past the start, now at the end")
        await screen.keys("n")
        await screen.see("search went past the end, now at the start")
        await screen.see("/answer 1/3")
        assert screen.rows[-2].count("▪") == 3
        await screen.keys("escape")
        await screen.until(lambda: "/answer" not in screen.text)
        assert "▪" not in screen.text


async def test_search_begins_at_the_position_and_pauses(demo: Studio) -> None:
    async with shown(player(demo.store, "11111111@40", PlayOptions(at=40.0))) as screen:
        await settled(screen)
        await screen.keys("space")
        await search_for(screen, "ANSWER")
        await screen.see("no match for ANSWER in this session")
        await search_for(screen, "answer")
        await screen.see("/answer 3/3")
        await screen.until(lambda: "‖" in screen.status)
        await screen.keys("5", "N")
        await screen.see("/answer 3/3")
        await screen.keys("0", "n")
        await screen.see("/answer 1/3")


async def test_letters_belong_to_the_prompt_and_the_last_text_is_offered(demo: Studio) -> None:
    async with shown(player(demo.store, "11111111")) as screen:
        await settled(screen)
        await search_for(screen, "g/n")
        await screen.see("no match for g/n in this session")
        await screen.keys("slash")
        await screen.see(" / g/n")
        await screen.type("g")
        await screen.keys("enter")
        await screen.see("/g 1/")
        await screen.keys("slash", "backspace", "enter")
        await screen.until(lambda: "/g " not in screen.text)


async def test_matches_stand_out_without_colour_and_the_current_one_more(demo: Studio) -> None:
    async with shown(player(demo.store, "11111111"), look=choose("mono")) as screen:
        await settled(screen)
        await search_for(screen, "uptime")
        await screen.see("/uptime 1/2")
        await screen.keys("n")
        await screen.see("/uptime 2/2")
        grid = screen.app.screen.query_one(Grid)

        def marked() -> list[tuple[str, bool]]:
            parts = [part for y in range(grid.size.height) for part in grid.render_line(y)]
            styled = [(part.text, part.style) for part in parts if part.style and part.style.underline]
            return [(text, bool(style.bold)) for text, style in styled if style.reverse and "uptime" in text]

        await screen.until(lambda: marked() == [("uptime", False), ("uptime", True)])
