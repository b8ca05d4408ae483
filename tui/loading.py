"""From the events of a file to a `Recording`. No Textual; the caller brings the thread."""

import re
from collections.abc import Callable, Iterable, Iterator

from recorder.cast import events as codes
from recorder.cast.events import Event
from recorder.cast.reader import merge_bytes
from recorder.cast.v2 import Header
from recorder.errors import ExitCode, SealcastError
from tui.player import LARGEST
from tui.recording import Recording, Size

_SIZE_FORM = re.compile(r"(\d{1,6})x(\d{1,6})", re.ASCII)
PIECE = 64 * 1024
"""Bytes of output in one payload at most: an event of a foreign recording may hold 16 MiB, and each payload
goes through the terminal engine in one go."""
_SLICE = 512
"""Events between two looks at `stop`."""


def recording_for(header: Header) -> Recording:
    """An empty recording of the header's size; SealcastError for one no grid can be made of."""
    if header.width > LARGEST.cols or header.height > LARGEST.rows:
        raise SealcastError(
            f"recorded size {header.width}×{header.height} is over the limit {LARGEST}", code=ExitCode.FORMAT
        )
    return Recording(Size(max(2, header.width), max(2, header.height)))


def fill(recording: Recording, events: Iterable[Event], stop: Callable[[], bool]) -> Iterator[int]:
    """Read the events in, yielding their number after every slice; ends early when `stop()` says so."""
    count = 0
    for count, event in enumerate(merge_bytes(events), 1):
        _add(recording, event)
        if count % _SLICE == 0:
            if stop():
                return
            yield count
    recording.finish()
    yield count


def _add(recording: Recording, found: tuple[Event, bytes]) -> None:
    event, data = found
    time = max(event.time, recording.times[-1] if recording.times else 0.0)
    if event.code == codes.OUTPUT:
        for start in range(0, len(data) or 1, PIECE):
            recording.add_output(time, data[start : start + PIECE])
    elif event.code == codes.RESIZE:
        _add_resize(recording, time, event.data)
    elif event.code in (codes.INPUT, codes.KEY):
        recording.add_activity(time)
    elif event.code == codes.MARKER:
        recording.add_mark(time, event.data)
    else:
        recording.reach(time)


def _add_resize(recording: Recording, time: float, data: str) -> None:
    match = _SIZE_FORM.fullmatch(data)
    if match is None:
        recording.skipped += 1
        return
    cols, rows = int(match[1]), int(match[2])
    recording.add_resize(time, Size(min(max(2, cols), LARGEST.cols), min(max(2, rows), LARGEST.rows)))
