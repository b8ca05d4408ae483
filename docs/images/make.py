"""Draws the pictures of the README from the real program over a store made for the purpose.

Run from the top of the checkout: `.venv/bin/python -m docs.images.make`. Writes library.svg and player.svg.
"""

import asyncio
import tempfile
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

import pytest

from docs.images.story import MOMENT, SECRET, SIZE, story
from recorder.shell.secret import digest
from tests.tui.studio import START_MS, Studio, demo_events, make_store
from tui.app import SealcastApp
from tui.look import choose
from tui.options import PlayOptions
from tui.screens.base import RoomyScreen
from tui.screens.library import LibraryScreen
from tui.screens.player import PlayerScreen
from tui.source import Source, Subject

HERE = Path(__file__).parent
PEOPLE = ("alice", "bob", "carol", "deploy", "erin", "svc-backup", "yuki", "mallory")
TITLES = (
    "fix checkout rollout",
    "",
    "psql on db-main",
    "release 4.18.3",
    "",
    "",
    "disk alarm",
    "log rotation",
)
HOUR_MS = 3_600_000
SETTLED = 5.0
"""Seconds after which a picture that is not complete counts as a failure."""


def fill_store(studio: Studio) -> None:
    """A morning's sessions of several people, the newest one that of the story."""
    for number, (user, title) in enumerate(zip(PEOPLE, TITLES, strict=True)):
        events = demo_events()[: 40 + number * 17]
        start = START_MS - (9 - number) * HOUR_MS // 2
        studio.record(
            events,
            user=user,
            title=title or None,
            start_ms=start,
            exit_status=number % 3 and number,
            closed=number != 4,
        )
    studio.record(story(), title="release shop 4.18.3", size=SIZE, marks=digest(SECRET))


async def picture(screen: RoomyScreen, size: tuple[int, int], ready: Callable[[RoomyScreen], bool]) -> str:
    """The SVG of a screen once it is complete."""
    app = SealcastApp(screen, choose("dark"))
    async with app.run_test(size=size) as pilot:
        async with asyncio.timeout(SETTLED):
            while not ready(screen):
                await pilot.pause(0.02)
        await pilot.pause(0.2)
        return app.export_screenshot(title="sealcast")


def library_is_ready(screen: RoomyScreen) -> bool:
    """Every row is checked."""
    return isinstance(screen, LibraryScreen) and len(screen.verdicts) == len(PEOPLE) + 1


def player_is_ready(screen: RoomyScreen) -> bool:
    """The picture is there and the recording is verified."""
    return (
        isinstance(screen, PlayerScreen)
        and screen.verdict is not None
        and screen.player is not None
        and screen.player.position > 0
        and screen.commands.complete
    )


async def main() -> None:
    """Both pictures."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        studio = make_store(Path(folder) / "store", patch)
        fill_store(studio)
        source = Source(studio.store)
        library = LibraryScreen(source, PlayOptions(), UTC)
        (HERE / "library.svg").write_text(await picture(library, (120, 36), library_is_ready))
        subject = Subject.of_session(source.sessions()[0])
        player = PlayerScreen(source, subject, PlayOptions(at=MOMENT), UTC)
        (HERE / "player.svg").write_text(await picture(player, (150, 36), player_is_ready))


if __name__ == "__main__":
    asyncio.run(main())
