"""The commands beside the picture: keys, mouse, sizes; on the session of the acceptance list."""

from pathlib import Path

import pytest
from textual.events import MouseScrollDown

from recorder.cast.events import OUTPUT
from recorder.store.layout import Store
from scripts.fixture_stores import demo as fixture
from scripts.fixture_stores.demo import NAME
from scripts.fixture_stores.studio import Studio as Workshop
from tests.commands.typing import Session as Typing
from tests.tui.screens import Shown, is_settled, player, shown
from tests.tui.studio import Studio
from tui.widgets.command_list import CommandSidebar

pytestmark = pytest.mark.slow

MID, WIDE = (120, 40), (200, 60)


@pytest.fixture(scope="module")
def acceptance(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """17m41s, 15 commands, failed at 04:11 and 06:20."""
    root: Path = tmp_path_factory.mktemp("acceptance") / "store"
    workshop = Workshop(root, "web-03.prod")
    fixture.build(workshop)
    return workshop.store


async def settled(screen: Shown) -> None:
    first = screen.player
    await screen.until(lambda: is_settled(first))


def sidebar(screen: Shown) -> CommandSidebar:
    return screen.app.screen.query_one(CommandSidebar)


async def test_commands_and_failed_ones_from_key_to_key(acceptance: Store) -> None:
    """18, 20"""
    async with shown(player(acceptance, NAME), MID) as screen:
        await settled(screen)
        for key, time, text in (
            ("e", "04:11.0", "exit 1"),
            ("e", "06:20.0", "cmd 10/15  kubectl -n shop rollout sta"),
            ("E", "04:11.0", "cmd 7/15  psql"),
            ("up", "04:00.0", "cmd 6/15  sudo -i"),
            ("k", "01:37.0", "cmd 5/15  echo"),
            ("j", "04:00.0", "cmd 6/15"),
        ):
            await screen.keys(key)
            await screen.until(lambda time=time, text=text: time in screen.status and text in screen.status)  # type: ignore[misc]
        await screen.keys("home", "down", "down", "down")
        await screen.until(lambda: "cmd 3/15" in screen.status)
        await screen.keys("up")
        await screen.until(lambda: "cmd 2/15" in screen.status)
        assert sidebar(screen).current == 1


async def test_there_is_none_before_the_first_and_after_the_last(acceptance: Store) -> None:
    async with shown(player(acceptance, NAME), MID) as screen:
        await settled(screen)
        assert "cmd 0/15" in screen.status
        await screen.keys("up")
        await screen.see("no earlier command")
        await screen.keys("G", "down")
        await screen.see("no later command")
        await screen.keys("e")
        await screen.see("no later failed command")


async def test_while_it_plays_a_jump_goes_on_from_there(acceptance: Store) -> None:
    async with shown(player(acceptance, f"{NAME}@6m20s"), MID) as screen:
        await settled(screen)
        await screen.keys("space")
        await screen.until(lambda: "06:21" in screen.status)
        await screen.keys("up")
        await screen.until(lambda: "▶ 06:11" in screen.status and "cmd 9/15" in screen.status)


async def test_a_typed_number_is_gone_to(acceptance: Store) -> None:
    async with shown(player(acceptance, NAME)) as screen:
        await settled(screen)
        await screen.keys("g")
        await screen.type("cmd 11")
        await screen.keys("enter")
        await screen.until(lambda: "15:05.0" in screen.status and "cmd 11/15" in screen.status)
        await screen.keys("g")
        await screen.type("cmd 16")
        await screen.keys("enter")
        await screen.see("no cmd 16: the last is cmd 15")


@pytest.mark.parametrize(
    ("size", "cells"),
    [((80, 24), 0), ((99, 60), 0), ((100, 29), 0), ((100, 30), 46), ((159, 40), 46), ((160, 40), 64)],
)
async def test_the_sidebar_is_where_there_is_room(
    acceptance: Store, size: tuple[int, int], cells: int
) -> None:
    async with shown(player(acceptance, f"{NAME}@6m20s"), size) as screen:
        await settled(screen)
        await screen.see("cmd 10/15")
        await screen.until(lambda: (sidebar(screen).size.width if sidebar(screen).display else 0) == cells)
        assert ("14:08:31  kubectl -n shop" in screen.text) is bool(cells)
        await screen.keys("s")
        await screen.until(lambda: not sidebar(screen).display)
        assert ("the sidebar needs 100×30" in screen.text) is not bool(cells)


async def test_a_click_goes_there_and_a_second_plays(acceptance: Store) -> None:
    async with shown(player(acceptance, NAME), MID) as screen:
        await settled(screen)
        await screen.pilot.click(CommandSidebar, offset=(12, 6))
        await screen.until(lambda: "‖ 04:11.0" in screen.status)
        assert sidebar(screen).current == 6
        await screen.pilot.click(CommandSidebar, offset=(12, 30))
        assert "04:11.0" in screen.status
        await screen.pilot.click(CommandSidebar, offset=(12, 10), times=2)
        await screen.until(lambda: "▶ 15:05" in screen.status)


async def test_the_wheel_looks_around_and_the_next_key_snaps_back(studio: Studio) -> None:
    person = Typing()
    for number in range(60):
        person.run(f"echo {number}", f"{number}\r\n")
    studio.record([(event.time, event.code, event.data) for event in person.events])
    async with shown(player(studio.store, "11111111"), MID) as screen:
        await settled(screen)
        bar = sidebar(screen)
        await screen.until(lambda: bar.count == 60)
        await screen.keys("down")
        for _ in range(5):
            bar.post_message(MouseScrollDown(bar, 1, 1, 0, 1, 0, False, False, False))
        await screen.until(lambda: bar.top == 15)
        assert (bar.current, "cmd 1/60" in screen.status) == (0, True)
        await screen.keys("down")
        await screen.until(lambda: (bar.top, bar.current) == (1, 1))
        await screen.keys("G")
        await screen.until(lambda: (bar.top, bar.current) == (60 - bar.size.height, 59))


async def test_the_timeline_shows_commands_and_failed_ones(acceptance: Store) -> None:
    async with shown(player(acceptance, NAME), MID) as screen:
        await settled(screen)
        await screen.until(lambda: any(row.startswith("╵╵ ╵     ╵╵") for row in screen.rows))
        (events,) = (row for row in screen.rows if row.startswith("╵╵ ╵     ╵╵"))
        assert events.count("✗") == 2


async def test_a_recording_without_commands_says_so_and_lists_its_marks(studio: Studio) -> None:
    studio.record([(0.5, OUTPUT, "a picture\r\n"), (3.0, "m", "here\x1b[2J"), (9.0, OUTPUT, "x")])
    async with shown(player(studio.store, "11111111"), MID) as screen:
        await settled(screen)
        await screen.see("No commands in this recording")
        await screen.see("14:02:14  ◆ here␛[2J")
        assert "cmd" not in screen.status
        await screen.keys("down")
        await screen.see("no commands in this recording")
        await screen.pilot.click(CommandSidebar, offset=(12, 3))
        await screen.until(lambda: "00:03.0" in screen.status)


async def test_a_status_that_nobody_knows_is_no_success(studio: Studio) -> None:
    studio.record([(event.time, event.code, event.data) for event in Typing().run("false").ask().events])
    async with shown(player(studio.store, "11111111"), MID) as screen:
        await settled(screen)
        await screen.see("false                      ?")
        await screen.keys("e")
        await screen.see("no command is known to have failed")


async def test_without_a_picture_there_is_no_sidebar(studio: Studio) -> None:
    studio.record([])
    async with shown(player(studio.store, "11111111"), MID) as screen:
        await screen.see("No terminal output")
        await screen.until(lambda: not sidebar(screen).display)


async def test_full_screen_is_the_picture_alone(acceptance: Store) -> None:
    async with shown(player(acceptance, NAME), WIDE) as screen:
        await settled(screen)
        await screen.keys("f")
        await screen.until(lambda: not sidebar(screen).display)
        await screen.keys("f")
        await screen.until(lambda: sidebar(screen).display)
