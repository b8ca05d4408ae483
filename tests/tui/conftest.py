"""A store with a demo session, and one with everything that can go wrong."""

import os
import time
from pathlib import Path

import pytest

from tests.tui.studio import START_MS, Studio, change_line, demo_events, make_store

HOUR_MS = 3_600_000


class SteadyClock:
    """Goes as the real one does, but no further than this from one look to the next.

    A player looks thirty times a second. What keeps the whole program waiting, as other tests on the same
    machine do, is no time to it: a moment that lasts two seconds then lasts as many looks as it should.
    """

    MOST_S = 0.05

    def __init__(self) -> None:
        self._seen = self._now = time.monotonic()

    def __call__(self) -> float:
        seen = time.monotonic()
        self._now += min(seen - self._seen, self.MOST_S)
        self._seen = seen
        return self._now


@pytest.fixture(autouse=True)
def steady_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SteadyClock()
    for module in ("player", "player_actions"):
        monkeypatch.setattr(f"tui.screens.{module}.monotonic", clock)


@pytest.fixture
def studio(home: Path, monkeypatch: pytest.MonkeyPatch) -> Studio:
    """An empty store in `SEALCAST_HOME`."""
    return make_store(Path(os.environ["SEALCAST_HOME"]), monkeypatch)


@pytest.fixture
def demo(studio: Studio) -> Studio:
    """Four sessions; the first one, 11111111, is the demo."""
    studio.record(demo_events(), title="fix checkout", closed=True)
    studio.record(demo_events()[:60], user="bob", start_ms=START_MS + HOUR_MS, exit_status=2)
    studio.record(demo_events()[:60], user="mallory", start_ms=START_MS + 2 * HOUR_MS, closed=False)
    studio.record([], user="carol", start_ms=START_MS + 3 * HOUR_MS)
    return studio


@pytest.fixture
def zoo(demo: Studio) -> Studio:
    """The demo store with 22222222 changed from its middle on and 44444444 taken away."""
    change_line(demo.store, demo.made[1], b"psql", b"pSQL")
    demo.store.sealed_path(demo.made[3]).unlink()
    return demo
