"""Whole screens as text. A file `tests/golden/tui/<scene>.<columns>x<rows>.txt` is a case.

`UPDATE_GOLDEN=1 pytest tests/tui/test_golden_screens.py` writes what is drawn now; read the difference.
"""

import os
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.tui.screens import DEADLINE, Shown, is_settled, library, player, shown
from tests.tui.studio import Studio
from tui.look import choose
from tui.screens.base import RoomyScreen

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parent.parent / "golden" / "tui"
CASES = sorted(path.name.removesuffix(".txt") for path in GOLDEN.glob("*.txt"))

_LAST_STROKES_S = 5.0

Scene = Callable[[Shown], Awaitable[None]]


async def as_it_opens(_: Shown) -> None:
    """Nothing is pressed."""


async def halfway(screen: Shown) -> None:
    await screen.keys("g")
    await screen.type("5m10s")
    await screen.keys("enter")
    await screen.see("05:10.0")


async def after_the_change(screen: Shown) -> None:
    await screen.keys("g")
    await screen.type("50s")
    await screen.keys("enter")
    await screen.see("00:50.0")


async def details(screen: Shown) -> None:
    await screen.keys("d")
    await screen.see("Verification: ")


async def help_page(screen: Shown) -> None:
    await screen.keys("question_mark")
    await screen.see("Keys: ")


async def go_to(screen: Shown) -> None:
    await screen.keys("g")
    await screen.see("go to")


async def full(screen: Shown) -> None:
    await halfway(screen)
    await screen.keys("f")


async def filtered(screen: Shown) -> None:
    await screen.keys("slash")
    await screen.type("user:bob exit:!=0")
    await screen.see("1 of 1 (4 in all)")


async def bad_query(screen: Shown) -> None:
    await screen.keys("slash")
    await screen.type("usr:alice")
    await screen.see("usr")
    await screen.until(lambda: "query:" in screen.text)


SCENES: dict[str, tuple[str, Scene]] = {
    "library": ("library", as_it_opens),
    "library-filtered": ("library", filtered),
    "library-bad-query": ("library", bad_query),
    "library-help": ("library", help_page),
    "library-ascii": ("library", as_it_opens),
    "player": ("11111111", halfway),
    "player-full": ("11111111", full),
    "player-goto": ("11111111", go_to),
    "player-help": ("11111111", help_page),
    "player-ascii": ("11111111", halfway),
    "player-truncated": ("33333333", as_it_opens),
    "details": ("11111111", details),
    "empty": ("empty", as_it_opens),
    "bad": ("bad", after_the_change),
    "missing": ("missing", as_it_opens),
}


def fixture_for(scene: str) -> str:
    return {"empty": "studio", "bad": "zoo", "missing": "zoo"}.get(scene, "demo")


@pytest.mark.parametrize("case", CASES)
async def test_the_screen_looks_as_agreed(case: str, request: pytest.FixtureRequest) -> None:
    scene, _, size = case.rpartition(".")
    cols, rows = map(int, size.split("x"))
    studio: Studio = request.getfixturevalue(fixture_for(scene))
    place, script = SCENES[scene]
    first = _first(studio, place)
    look = choose("dark", ascii_only=scene.endswith("-ascii"))
    async with shown(first, (cols, rows), look) as screen:
        await screen.until(lambda: is_settled(first))
        await script(screen)
        path = GOLDEN / f"{case}.txt"
        agreed = path.read_text() if path.exists() else ""
        is_update = bool(os.environ.get("UPDATE_GOLDEN"))
        seen = await _drawn(screen, "" if is_update else agreed, _LAST_STROKES_S if is_update else DEADLINE)
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(seen)
    assert seen == path.read_text()


async def _drawn(screen: Shown, agreed: str, seconds: float) -> str:
    """The screen as soon as it is as agreed, else after a while: the last strokes take a moment."""
    deadline = time.monotonic() + seconds
    while True:
        await screen.pilot.pause(0.15)
        seen = _without_chance(screen.text) + "\n"
        if seen == agreed or time.monotonic() > deadline:
            return seen


def _first(studio: Studio, place: str) -> RoomyScreen:
    if place in ("library", "empty"):
        return library(studio.store)
    target = {"bad": "22222222", "missing": "44444444"}.get(place, place)
    return player(studio.store, target)


def _without_chance(text: str) -> str:
    """Names of temporary folders differ from run to run, at the same length."""
    return re.sub(r"/(dev/shm|var/tmp)/sc-[a-z0-9_]{8}", "/dev/shm/sc-00000000", text)


def test_every_scene_has_a_golden_screen_and_is_drawn_at_three_sizes() -> None:
    scenes = {case.rpartition(".")[0] for case in CASES}
    assert scenes == set(SCENES)
    for scene in ("library", "player"):
        assert {f"{scene}.80x24", f"{scene}.120x40", f"{scene}.200x60"} <= set(CASES)
