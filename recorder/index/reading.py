"""Reading one recording for the index: from its file to messages that say what to write."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from recorder.cast.reader import EventReader, merge_bytes, open_events
from recorder.errors import SealcastError
from recorder.index.extraction import CommandRow, Extracted, RecordingReader
from recorder.store.catalog import Session
from recorder.store.reading import open_stored

_PART_BYTES = 1024 * 1024
"""Of output that is handed on together."""


@dataclass(frozen=True, slots=True)
class Task:
    """A recording to be read."""

    session: Session
    path: Path
    size: int
    """Of the file."""
    with_output: bool


class Part(NamedTuple):
    """More of a recording."""

    id: str
    extracted: Extracted

    @property
    def size(self) -> int:
        """Roughly, in bytes."""
        texts = sum(len(block.text) for block in self.extracted.blocks)
        return 200 + 2 * texts + sum(300 + len(row.text) for row in self.extracted.commands)


class Done(NamedTuple):
    """The end of a recording."""

    id: str
    last_s: float
    active_s: float
    skipped: int
    """Lines that could not be read."""
    request: CommandRow | None
    """The command that the session was for, where none was seen in it: all output is its."""
    broken: str | None
    """Why it could not be read to its end."""

    @property
    def size(self) -> int:
        """Roughly, in bytes."""
        return 200


Message = Part | Done


def read_recording(task: Task) -> Iterator[Message]:
    """Everything of a recording, in parts. Whatever is in it, this raises nothing."""
    session_id = task.session.id
    last, count, skipped, broken = Extracted(), 0, 0, None
    try:
        for extracted, skipped in _parts(task):  # noqa: B007  the last one counts
            last = extracted
            count += len(extracted.commands)
            yield Part(session_id, extracted)
    except (SealcastError, OSError) as error:
        broken = str(error)
    except (MemoryError, RecursionError, ValueError, LookupError, TypeError, ArithmeticError) as error:
        broken = f"it cannot be read off: {type(error).__name__}: {error}"
    request = None if count else request_row(task.session, last.last_s)
    yield Done(session_id, last.last_s, last.active_s, skipped, request, broken)


def _parts(task: Task) -> Iterator[tuple[Extracted, int]]:
    """What is found, with the number of lines passed over so far."""
    with open_stored(task.path) as file:
        header, events = open_events(file, task.path.name, lenient=True)
        reader = RecordingReader(header, with_output=task.with_output)
        size = 0
        for event, data in merge_bytes(events):
            reader.read(event, data)
            size += len(data)
            if size > _PART_BYTES:
                yield reader.take(), 0
                size = 0
        reader.end()
        yield reader.take(), events.skipped if isinstance(events, EventReader) else 0


def request_row(session: Session, last_s: float) -> CommandRow | None:
    """The command that the client asked for in place of a shell."""
    if session.command is None:
        return None
    text = session.command.encode("utf-8", "replace").decode()
    user = session.user.encode("utf-8", "replace").decode()
    duration = session.duration_s if session.duration_s is not None else last_s
    status = session.exit_status
    return CommandRow(0, 0.0, duration, text, status, None, 0, user, "request", "")
