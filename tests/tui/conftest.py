"""A store with a demo session, and one with everything that can go wrong."""

import os
from pathlib import Path

import pytest

from tests.tui.studio import START_MS, Studio, change_line, demo_events, make_store

HOUR_MS = 3_600_000


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
