"""Recordings of real programs, and the commands that were checked against what those said they ran.

`python -m tests.commands.test_golden` writes the answers anew, to be read in the difference.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from recorder.cast.events import KEY
from recorder.cast.reader import open_events
from recorder.commands import Command, extract

FOLDER = Path(__file__).parents[1] / "golden" / "commands"
RECORDINGS = sorted(FOLDER.glob("*.cast"))


def _facts(command: Command) -> dict[str, Any]:
    reported = {
        "evidence": command.evidence,
        "exit_status": command.exit_status,
        "seen": command.seen,
    }
    return (reported if command.evidence != "screen" else {}) | {
        "text": command.text,
        "start_s": command.start_s,
        "end_s": command.end_s,
        "output": list(command.output),
        "cwd": command.cwd,
        "level": command.level,
        "inside": command.inside,
        "flags": list(command.flags),
    }


def answer(path: Path) -> dict[str, Any]:
    """The commands, and their texts where the keys are not told, as in recordings of other programs."""
    with path.open("rb") as file:
        header, events = open_events(file, path.name)
        found = sorted(extract(header, list(events)), key=lambda command: command.start_s)
    with path.open("rb") as file:
        header, events = open_events(file, path.name)
        foreign = extract(header, [event for event in events if event.code != KEY])
        texts = [command.text for command in sorted(foreign, key=lambda command: command.start_s)]
    return {"commands": [_facts(command) for command in found], "without_keys": texts}


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_golden(path: Path) -> None:
    assert answer(path) == json.loads(path.with_suffix(".json").read_text())


def test_there_are_recordings() -> None:
    assert len(RECORDINGS) >= 20


if __name__ == "__main__":
    for recording in RECORDINGS:
        text = json.dumps(answer(recording), indent=1, ensure_ascii=False)
        recording.with_suffix(".json").write_text(text + "\n")
