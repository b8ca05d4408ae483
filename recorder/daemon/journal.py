"""What the recorder says to whoever runs it: one line per event on standard error, for the journal."""

import sys
import time

import orjson

from recorder.safe_text import safe

_MAX_VALUE = 2000


def note(event: str, **fields: str) -> None:
    """To a person as words, to anything else as one JSON object with `time`, `event` and the fields.

    Values are made safe, whoever they came from. A journal that is gone takes nothing along.
    """
    known = {name: safe(value, _MAX_VALUE) for name, value in fields.items() if value}
    try:
        if sys.stderr.isatty():
            words = " ".join(f"{name}={value!r}" for name, value in known.items())
            sys.stderr.write(f"sealcast: {event} {words}".rstrip() + "\n")
        else:
            sys.stderr.write(orjson.dumps({"time": _now(), "event": event} | known).decode() + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return


def _now() -> str:
    moment = time.time_ns() // 1_000_000
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment // 1000)) + f".{moment % 1000:03d}Z"
