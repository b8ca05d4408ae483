"""asciicast version 1: one JSON object, read only."""

from collections.abc import Iterator

from recorder.cast.events import MAX_LINE, OUTPUT, Event
from recorder.cast.fields import Fields
from recorder.cast.header import Header
from recorder.cast.session_header import MAX_CELLS
from recorder.cast.strict_json import loads
from recorder.errors import FormatError

_MAX_SECONDS = 1e9


def parse_v1(data: bytes, name: str) -> tuple[Header, Iterator[Event]]:
    """The header and all events of a version 1 recording of at most MAX_LINE bytes."""
    if len(data) > MAX_LINE:
        raise FormatError(f"an asciicast version 1 longer than {MAX_LINE} bytes", name)
    fields = Fields(loads(data, name), name)
    fields.needed_integer("version", 1, 1)
    frames = fields.values.get("stdout")
    if not isinstance(frames, list):
        raise fields.refuse("stdout", "is not an array")
    environment = fields.inner("env")
    header = Header(
        version=1,
        width=fields.needed_integer("width", 1, MAX_CELLS),
        height=fields.needed_integer("height", 1, MAX_CELLS),
        duration=fields.number("duration", 0, _MAX_SECONDS),
        title=fields.text("title"),
        env={key: environment.text(key) or "" for key in environment.values} if environment else {},
    )
    return header, iter(_events(frames, name))


def _events(frames: list[object], name: str) -> list[Event]:
    events: list[Event] = []
    now = 0.0
    for number, frame in enumerate(frames, 1):
        delay, text = _frame(frame, f"{name}: frame {number}")
        now += delay
        events.append(Event(now, OUTPUT, text))
    return events


def _frame(frame: object, where: str) -> tuple[float, str]:
    """The delay since the frame before, and what was shown."""
    if not isinstance(frame, list) or len(frame) != 2:
        raise FormatError("a frame is a delay and a text", where)
    pair = Fields({"delay": frame[0], "text": frame[1]}, where)
    return pair.needed_number("delay", 0, _MAX_SECONDS), pair.text("text", MAX_LINE) or ""
