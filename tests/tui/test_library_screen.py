"""The Library: list, filter, views, what is checked in sight."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from recorder.errors import SealcastError
from recorder.index.indexing import Wish, build
from recorder.store.catalog import Session
from recorder.store.layout import Store
from recorder.store.sealing import seal
from recorder.store.targets import Target, resolve
from tests.tui.screens import DEADLINE, Shown, is_settled, library, shown
from tests.tui.studio import START_MS, Studio, demo_events
from tui.screens.library import LibraryScreen
from tui.screens.player import PlayerScreen
from tui.source import Source
from tui.widgets.session_list import SessionList

pytestmark = pytest.mark.slow


async def settled(screen: Shown) -> None:
    first = screen.app.screen
    assert isinstance(first, LibraryScreen)
    await screen.until(lambda: is_settled(first))


def demo_of(folder: Path, studio: Studio) -> tuple[Store, Target]:
    """A store beside the empty one, with one session."""
    store = Store(folder / "demo")
    store.prepare()
    made = Studio(store, studio.patch)
    made.record(demo_events(), title="demo")
    return store, resolve(store, "11111111")


def listed(screen: Shown) -> list[str]:
    return [session.user for session in screen.app.screen.query_one(SessionList).sessions]


async def test_enter_plays_and_q_comes_back(demo: Studio) -> None:
    async with shown(library(demo.store)) as screen:
        await settled(screen)
        await screen.keys("end", "enter")
        await screen.until(lambda: isinstance(screen.app.screen, PlayerScreen))
        await screen.see("✓ verified  alice@web-03.prod")
        await screen.keys("q")
        await screen.see("4 sessions")
        assert screen.app.screen.query_one(SessionList).cursor == 3


async def test_the_filter_narrows_while_typing_and_escape_restores(demo: Studio) -> None:
    """5"""
    async with shown(library(demo.store)) as screen:
        await settled(screen)
        await screen.keys("slash")
        await screen.type("user:bob host:web-0*")
        await screen.until(lambda: listed(screen) == ["bob"])
        await screen.keys("enter")
        await screen.see("1 of 1 (4 in all)")
        await screen.keys("escape", "escape")
        await screen.until(lambda: len(listed(screen)) == 4)


async def test_a_query_that_cannot_be_read_leaves_the_list_alone(demo: Studio) -> None:
    """6"""
    async with shown(library(demo.store)) as screen:
        await settled(screen)
        await screen.keys("slash")
        await screen.type("usr:alice")
        await screen.see('no field "usr"')
        await screen.see("user:")
        assert len(listed(screen)) == 4


async def test_a_query_can_be_brought_along(demo: Studio) -> None:
    async with shown(library(demo.store, "exit:!=0 user:b*")) as screen:
        await screen.until(lambda: listed(screen) == ["bob"])
        assert isinstance(screen.app.focused, SessionList)
        await screen.keys("q")
        await screen.until(lambda: not screen.app.is_running)


async def test_the_newest_sessions_are_there_before_the_others_are_read(
    demo: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(demo.store, Wish())
    go_on, read = Event(), Source.sessions

    def slowly(source: Source) -> list[Session]:
        assert go_on.wait(DEADLINE)
        return read(source)

    monkeypatch.setattr(Source, "sessions", slowly)
    monkeypatch.setattr("tui.screens.library.FIRST", 2)
    async with shown(library(demo.store)) as screen:
        await screen.until(lambda: len(listed(screen)) == 2)
        await screen.see("4 sessions")
        await screen.see("reading …")
        newest = listed(screen)
        await screen.keys("O", "S")
        await screen.see("the list of sessions is still being read")
        assert listed(screen) == newest
        go_on.set()
        await settled(screen)
        await screen.until(lambda: listed(screen)[-2:] == newest[::-1])
        assert len(listed(screen)) == 4


async def test_a_query_that_is_brought_along_waits_for_all_sessions(
    demo: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(demo.store, Wish())
    monkeypatch.setattr("tui.screens.library.FIRST", 1)
    async with shown(library(demo.store, "user:bob")) as screen:
        await screen.until(lambda: listed(screen) == ["bob"])
        await screen.see("1 of 1 (4 in all)")


async def test_views_and_signs(zoo: Studio) -> None:
    async with shown(library(zoo.store)) as screen:
        await settled(screen)
        await screen.see("2 failed checks")
        assert [row[1] for row in screen.rows[4:8]] == ["∅", "~", "✗", "✓"]
        await screen.keys("5")
        await screen.until(lambda: listed(screen) == ["carol", "bob"])
        await screen.keys("1")
        await screen.until(lambda: len(listed(screen)) == 4)


async def test_order(demo: Studio) -> None:
    async with shown(library(demo.store)) as screen:
        await settled(screen)
        await screen.keys("o")
        await screen.see("LENGTH▼"[:6])
        await screen.until(lambda: listed(screen)[0] == "alice")
        await screen.keys("o")
        await screen.until(lambda: listed(screen) == ["alice", "bob", "carol", "mallory"])
        await screen.keys("O")
        await screen.until(lambda: listed(screen) == ["mallory", "carol", "bob", "alice"])


async def test_a_live_session_is_listed_as_such(demo: Studio) -> None:
    session = demo.record(demo_events()[:3], user="erin", start_ms=START_MS + 9, sealed=False)
    live = demo.hold(session)
    try:
        async with shown(library(demo.store)) as screen:
            await settled(screen)
            await screen.see("● live")
            await screen.see("1 live")
            await screen.keys("2")
            await screen.until(lambda: listed(screen) == ["erin"])
            await screen.keys("enter")
            await screen.see("… partial")
    finally:
        live.close()
    seal(demo.store, session)


async def test_details_show_every_check_at_80_by_24(demo: Studio) -> None:
    """30"""
    async with shown(library(demo.store)) as screen:
        await settled(screen)
        await screen.keys("end", "d")
        await screen.see("Verification: VERIFIED")
        assert sum(row.startswith("   ✓ ") for row in screen.rows) == 5
        await screen.keys("V")
        await screen.see("Verification: VERIFIED")


async def test_help_lists_the_keys_of_this_screen_and_closes(demo: Studio) -> None:
    """29"""
    async with shown(library(demo.store)) as screen:
        await settled(screen)
        await screen.keys("question_mark")
        await screen.see("Keys: library")
        assert "Enter" in screen.text
        assert "half / double speed" not in screen.text
        await screen.keys("q")
        await screen.see("4 sessions")


async def test_an_empty_store_says_where_it_looked(studio: Studio) -> None:
    """1"""
    async with shown(library(studio.store)) as screen:
        await screen.see("No recordings found.")
        await screen.see(str(studio.store.root)[:30])
        await screen.see("sealcast demo")


async def test_the_demo_is_made_while_the_interface_goes_on(studio: Studio, tmp_path: Path) -> None:
    """1, 2"""
    gate = Event()
    demo_store, target = demo_of(tmp_path, studio)

    def make(said: Callable[[str], None]) -> tuple[Store, Target]:
        assert gate.wait(DEADLINE)
        return demo_store, target

    empty = library(Store(tmp_path / "none"), demo=make)
    async with shown(empty) as screen:
        await screen.see("folder does not exist")
        await screen.see("D  ")
        await screen.keys("D")
        await screen.until(
            lambda: re.search("recording the demo session, once: [1-9][0-9]? of about 12 s", screen.text)
        )
        await screen.keys("question_mark")
        await screen.see("Keys: library")
        await screen.keys("q", "D")
        gate.set()
        await screen.see("✓ verified (demo key)")
        for name in ("Space", "← →", "[ ]", "? all keys"):
            assert name in screen.text
        assert screen.status.startswith(" ‖")
        await screen.keys("right")
        assert "all keys" not in screen.text
        await screen.keys("q")
        await screen.see("1 session · the demo")
        await screen.until(lambda: listed(screen) == ["alice"])
        await screen.keys("enter")
        await screen.see("✓ verified (demo key)")
        await screen.keys("q")
        await screen.see("1 session")


async def test_a_demo_that_cannot_be_made_is_told(studio: Studio) -> None:
    def make(said: Callable[[str], None]) -> tuple[Store, Target]:
        raise SealcastError("the demo session could not be recorded", "no pty")

    async with shown(library(studio.store, demo=make)) as screen:
        await screen.see("No recordings found.")
        await screen.keys("D")
        await screen.see("the demo session could not be recorded: no pty")


async def test_rescan_finds_what_came_later(demo: Studio) -> None:
    async with shown(library(demo.store)) as screen:
        await settled(screen)
        demo.record(demo_events()[:3], user="zoe", start_ms=START_MS + 60_000)
        await screen.keys("R")
        await screen.until(lambda: "zoe" in listed(screen))
        assert screen.app.screen.query_one(SessionList).current is not None


async def test_no_size_breaks_it(demo: Studio) -> None:
    async with shown(library(demo.store)) as screen:
        await settled(screen)
        for size in ((1, 1), (300, 100), (2, 100), (300, 1), (61, 17), (159, 29), (160, 30), (80, 24)):
            await screen.pilot.resize_terminal(*size)
            for key in ("down", "p", "p", "d", "q", "question_mark", "q", "end", "home"):
                await screen.keys(key)
        await screen.see("4 sessions")


async def test_too_small_and_large_again(demo: Studio) -> None:
    """7"""
    async with shown(library(demo.store)) as screen:
        await settled(screen)
        before = screen.text
        await screen.pilot.resize_terminal(59, 15)
        await screen.see("Terminal is 59×15")
        await screen.pilot.resize_terminal(80, 24)
        await screen.until(lambda: screen.text == before)


def test_the_list_does_not_wait_for_what_only_other_screens_need() -> None:
    code = "import sys, tui.app\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=DEADLINE
    )
    loaded = set(done.stdout.split())
    assert "tui.screens.library" in loaded
    others = {f"tui.screens.{name}" for name in ("player", "details", "search", "pick")}
    assert not loaded & (others | {"recorder.terminal", "recorder.commands", "recorder.store.checking"})
