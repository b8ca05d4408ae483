"""The app under Pilot: started over a store, read as plain text, waited for by condition."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC

from textual.pilot import Pilot

from recorder.store.layout import Store
from recorder.store.state import State
from recorder.store.targets import resolve
from tui.app import SealcastApp
from tui.demo import DemoMaker
from tui.look import Look, choose
from tui.options import PlayOptions
from tui.screens.base import RoomyScreen
from tui.screens.library import LibraryScreen
from tui.screens.player import PlayerScreen
from tui.source import Source, Subject

DEADLINE = 120.0
"""Seconds after which a condition that is not met is a failure."""


@dataclass
class Shown:
    """A running app and its keys."""

    app: SealcastApp
    pilot: Pilot[None]

    @property
    def text(self) -> str:
        """What is on the screen, without blanks at the ends of rows."""
        rows = self.app.screen._compositor.render_strips()
        return "\n".join("".join(strip.text for strip in row).rstrip() for row in rows)

    @property
    def rows(self) -> list[str]:
        return self.text.split("\n")

    @property
    def status(self) -> str:
        """The status row of the player; empty while there is none."""
        rows = (row for row in reversed(self.rows) if row[1:2] in "▶‖>=…" and " / " in row)
        return next(rows, "")

    @property
    def player(self) -> PlayerScreen:
        screen = self.app.screen
        assert isinstance(screen, PlayerScreen)
        return screen

    async def keys(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        for letter in text:
            await self.pilot.press(letter)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for something to become true; the screen is part of the failure."""
        try:
            async with asyncio.timeout(DEADLINE):
                while not condition():
                    await self.pilot.pause(0.01)
        except TimeoutError:
            raise AssertionError(f"not seen in {DEADLINE} s:\n{self.text}") from None

    async def see(self, text: str) -> None:
        await self.until(lambda: text in self.text)


@asynccontextmanager
async def shown(
    first: RoomyScreen, size: tuple[int, int] = (80, 24), look: Look | None = None
) -> AsyncIterator[Shown]:
    app = SealcastApp(first, look or choose("dark"))
    async with app.run_test(size=size) as pilot:
        yield Shown(app, pilot)


def library(store: Store, query: str = "", demo: DemoMaker | None = None) -> LibraryScreen:
    return LibraryScreen(Source(store), PlayOptions(), UTC, query, demo)


def player(store: Store, target: str, options: PlayOptions | None = None) -> PlayerScreen:
    """Paused at the start unless told otherwise."""
    found = resolve(store, target)
    options = options or PlayOptions(at=found.at or 0.0, paused=True)
    return PlayerScreen(Source(store), Subject.of_target(found), options, UTC)


def is_settled(screen: RoomyScreen) -> bool:
    """Everything is read and checked, or it is plain that nothing can be."""
    if screen.has_class("too-small"):
        return True
    if isinstance(screen, PlayerScreen):
        player = screen.player
        if screen.verdict is not None and screen.verdict.state is State.MISSING:
            return bool(screen.query_one("#sorry").display)
        return (
            screen.verdict is not None
            and player is not None
            and player.recording.complete
            and screen._start_at is None
            and not player.waiting
            and screen.commands.complete
        )
    if isinstance(screen, LibraryScreen):
        return screen._listed and len(screen.states) == len(screen.everything)
    return True
