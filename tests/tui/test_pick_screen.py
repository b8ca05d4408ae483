"""`sealcast pick`: what is chosen is handed out."""

from datetime import UTC

import pytest

from tests.tui.screens import shown
from tests.tui.studio import Studio
from tui.screens.pick import PickScreen
from tui.screens.player import PlayerScreen
from tui.source import Source
from tui.widgets.session_list import SessionList

pytestmark = pytest.mark.slow


def picking(studio: Studio, query: str = "") -> tuple[PickScreen, list[str]]:
    taken: list[str] = []
    return PickScreen(Source(studio.store), UTC, query, taken.extend), taken


async def test_enter_takes_the_session_under_the_cursor(demo: Studio) -> None:
    screen_of, taken = picking(demo, "user:bob")
    async with shown(screen_of) as screen:
        await screen.see("1 of 1 (4 in all)")
        bob = screen_of.query_one(SessionList).sessions[0]
        await screen.keys("enter")
        await screen.until(lambda: not screen.app.is_running)
    assert taken == [bob.id]


async def test_marked_sessions_are_taken_in_the_order_of_the_list(demo: Studio) -> None:
    screen_of, taken = picking(demo)
    async with shown(screen_of) as screen:
        await screen.until(lambda: len(screen_of.query_one(SessionList).sessions) == 4)
        sessions = list(screen_of.query_one(SessionList).sessions)
        await screen.keys("end", "space", "home", "space", "space", "space")
        await screen.see("▪")
        await screen.keys("home", "space", "enter")
        await screen.until(lambda: not screen.app.is_running)
    assert taken == [session.id for session in sessions[1:]]


async def test_q_takes_nothing_and_v_plays(demo: Studio) -> None:
    screen_of, taken = picking(demo)
    async with shown(screen_of) as screen:
        await screen.see("Space mark")
        await screen.until(lambda: len(screen_of.query_one(SessionList).sessions) == 4)
        await screen.keys("v")
        await screen.until(lambda: isinstance(screen.app.screen, PlayerScreen))
        await screen.see("verified  carol")
        await screen.keys("q")
        await screen.until(lambda: screen.app.screen is screen_of)
        await screen.keys("q")
        await screen.until(lambda: not screen.app.is_running)
    assert taken == []
