"""The Search screen: matches stream in, and Enter plays from them."""

import re

import pytest

from recorder.cast.events import KEY, OUTPUT
from recorder.index.indexing import Wish, build
from recorder.store.targets import parse_time
from tests.tui.screens import library, shown
from tests.tui.studio import START_MS, Event, Studio
from tui.messages import Found
from tui.screens.player import PlayerScreen
from tui.screens.search import SearchScreen
from tui.widgets.match_list import MatchList
from tui.widgets.session_list import SessionList

pytestmark = pytest.mark.slow


PROMPT = "\x1b[?2004halice@web-03:~$ "


def typed(*commands: tuple[str, str]) -> list[Event]:
    """A shell with a line editor, each command with what it writes."""
    events: list[Event] = [(0.5, OUTPUT, PROMPT)]
    for at, (command, wrote) in enumerate(commands, 1):
        events += [
            (at * 10.0, OUTPUT, command),
            (at * 10.0 + 0.5, KEY, "enter noecho raw"),
            (at * 10.0 + 0.51, OUTPUT, f"\r\n\x1b[?2004l\r{wrote}"),
            (at * 10.0 + 1.0, OUTPUT, PROMPT),
        ]
    return events


@pytest.fixture
def indexed(demo: Studio) -> Studio:
    """The demo's four sessions, and two in which commands were typed."""
    commands = (("uptime", "up 4 days\r\n"), ("psql -h db", "psql: error: no route\r\n"), ("exit", ""))
    for number in (5, 6):
        demo.record(typed(*commands), user=f"user{number}", start_ms=START_MS + number * 3_600_000)
    build(demo.store, Wish(with_output=True))
    return demo


async def test_s_searches_and_enter_plays_from_the_match(indexed: Studio) -> None:
    async with shown(library(indexed.store)) as screen:
        await screen.see("of 6")
        await screen.keys("S")
        await screen.until(lambda: isinstance(screen.app.screen, SearchScreen))
        await screen.type("psql out:route")
        await screen.keys("enter")
        await screen.see("2 matches in 2 sessions")
        await screen.see("searched 6 of 6")
        await screen.see("output   psql: error: no route")
        await screen.until(lambda: screen.app.screen.query_one(MatchList).current is not None)
        hit = screen.app.screen.query_one(MatchList).current
        await screen.keys("enter")
        await screen.until(lambda: isinstance(screen.app.screen, PlayerScreen))
        await screen.until(lambda: screen.player.player is not None)
        position = screen.player.player.position if screen.player.player else 0.0
        assert hit is not None
        assert position == pytest.approx(hit.moment_s, abs=0.05)
        await screen.until(lambda: "/psql 0/2" in screen.status)
        await screen.keys("N")
        await screen.until(lambda: re.search(r"/psql [12]/2", screen.status))
        await screen.keys("q")
        await screen.see("searched 6 of 6")


async def test_a_query_that_cannot_be_read_keeps_what_was_found(indexed: Studio) -> None:
    async with shown(library(indexed.store)) as screen:
        await screen.see("of 6")
        await screen.keys("S")
        await screen.type("psql")
        await screen.keys("enter")
        await screen.see("▾")
        await screen.keys("tab")
        await screen.type(" usr:x")
        await screen.keys("enter")
        await screen.see('no field "usr"')
        assert "▾" in screen.text


async def test_moving_folding_and_back(indexed: Studio) -> None:
    async with shown(library(indexed.store)) as screen:
        await screen.see("of 6")
        await screen.keys("S")
        await screen.type("host:*")
        await screen.keys("enter")
        await screen.see("searched 6 of 6")
        listing = screen.app.screen.query_one(MatchList)
        first = listing.current
        await screen.keys("n")
        assert listing.current is not first
        await screen.keys("N")
        assert listing.current is first
        await screen.keys("right_square_bracket")
        assert listing.current is not None
        assert first is not None
        assert listing.current.match.session != first.match.session
        await screen.keys("o")
        await screen.see("▸")
        await screen.keys("q")
        await screen.see("6 sessions")


async def test_without_an_index_it_says_what_makes_one(demo: Studio) -> None:
    async with shown(library(demo.store)) as screen:
        await screen.see("of 4")
        await screen.keys("S")
        await screen.type("psql")
        await screen.keys("enter")
        await screen.see("there is no index")


async def test_the_filter_of_the_library_asks_the_index_about_commands(indexed: Studio) -> None:
    async with shown(library(indexed.store)) as screen:
        await screen.see("of 6")
        await screen.keys("slash")
        await screen.type("cmd:psql out:route user:user5")
        await screen.see("1 of 1 (6 in all)")
        assert [one.user for one in screen.app.screen.query_one(SessionList).sessions] == ["user5"]


async def test_without_an_index_the_filter_says_that_commands_are_not_looked_at(demo: Studio) -> None:
    async with shown(library(demo.store)) as screen:
        await screen.see("of 4")
        await screen.keys("slash")
        await screen.type("cmd:psql")
        await screen.see("asks about commands")
        assert len(screen.app.screen.query_one(SessionList).sessions) == 4


async def test_each_session_in_sight_has_its_sign(indexed: Studio) -> None:
    good, bad = indexed.made[-2:]
    indexed.store.sealed_path(bad).write_bytes(indexed.store.sealed_path(good).read_bytes())
    async with shown(library(indexed.store)) as screen:
        await screen.see("of 6")
        await screen.keys("S")
        await screen.see("searches commands and what they showed")
        await screen.type("psql")
        await screen.keys("enter")
        await screen.see("  BAD SIGNATURE  #")
        await screen.see("▾ ✓")
        heads = [line for line in screen.text.splitlines() if "▾" in line]
        assert ["user6@" in heads[0], "▾ ✗" in heads[0]] == [True, True]
        assert ["user5@" in heads[1], "▾ ✓" in heads[1]] == [True, True]


async def test_how_times_were_understood_stands_beside_the_counts(indexed: Studio) -> None:
    async with shown(library(indexed.store)) as screen:
        await screen.see("of 6")
        await screen.keys("S")
        await screen.type("cmd:psql after:2026-09-01T12:00+02:00")
        await screen.keys("enter")
        await screen.see("after 2026-09-01 10:00 UTC")
        await screen.see("2 matches in 2 sessions")


async def test_what_was_on_its_way_when_esc_was_pressed_does_not_go_on(indexed: Studio) -> None:
    async with shown(library(indexed.store)) as screen:
        await screen.see("of 6")
        await screen.keys("S")
        await screen.type("cmd:psql")
        await screen.keys("enter")
        await screen.see("2 matches in 2 sessions")
        groups = screen.app.screen.query_one(MatchList).groups
        await screen.keys("escape")
        screen.app.screen.post_message(Found(groups, 2, searched=1, total=6))
        await screen.see("searched 2 of 6")
        assert "Esc stops" not in screen.text


async def test_what_is_not_indexed_is_counted(indexed: Studio) -> None:
    indexed.record(typed(("uptime", "")), user="user7", start_ms=START_MS + 9 * 3_600_000)
    async with shown(library(indexed.store)) as screen:
        await screen.see("of 7")
        await screen.keys("S")
        await screen.type("psql")
        await screen.keys("enter")
        await screen.see("searched 6 of 6 · 1 not indexed")


async def test_a_copied_link_leads_to_the_moment_and_not_before_it(indexed: Studio) -> None:
    async with shown(library(indexed.store)) as screen:
        await screen.see("of 6")
        await screen.keys("S")
        await screen.type("cmd:psql")
        await screen.keys("enter")
        await screen.see("2 matches in 2 sessions")
        hit = screen.app.screen.query_one(MatchList).current
        await screen.keys("y")
        await screen.see("copied ")
        assert hit is not None
        session_id, _, moment = screen.app.clipboard.partition("@")
        assert hit.match.session.endswith(f"-{session_id}")
        assert 0 <= parse_time(moment) - hit.moment_s < 0.1
