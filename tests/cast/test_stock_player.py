"""A sealed recording plays in stock asciinema as if nothing of ours were in it."""

from pathlib import Path

import pexpect

from recorder.cast.events import OUTPUT
from recorder.cast.reader import open_events
from tests.marks import needs
from tests.seal.format_examples import recording


@needs("asciinema")
def test_asciinema_plays_what_was_shown_and_nothing_else(home: Path) -> None:
    path = home / "example.cast"
    path.write_bytes(recording().bytes)
    with path.open("rb") as file:
        shown = "".join(event.data for event in open_events(file, "example.cast")[1] if event.code == OUTPUT)
    player = pexpect.spawn("asciinema", ["play", "-s", "100", str(path)], encoding="utf-8", timeout=120)
    try:
        assert player.read() == shown
    finally:
        player.close()
    assert player.exitstatus == 0
