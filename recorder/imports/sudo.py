"""sudo's I/O logs: a directory with `log` or `log.json`, `timing`, and a file for each stream logged."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

from recorder.cast.events import ERROR, EXIT, INPUT, MARKER, OUTPUT, RESIZE
from recorder.cast.fields import Fields
from recorder.cast.strict_json import loads
from recorder.errors import FormatError
from recorder.imports.moments import Clock, Facts, Moment, blocks, decimal, terminal_size, whole

TIMING, LOG, LOG_JSON = "timing", "log", "log.json"
STREAMS = ("stdin", "stdout", "stderr", "ttyin", "ttyout")
"""In the order of their numbers in `timing`."""
MEMBERS = (LOG, LOG_JSON, TIMING, *STREAMS)
_WINDOW, _OLD_OUTPUT, _SUSPENDED = 5, 6, 7
_CODES = {"stdin": INPUT, "stdout": OUTPUT, "stderr": ERROR, "ttyin": INPUT, "ttyout": OUTPUT}
_PIPES = {"stdout", "stderr"}
_MAX_LINE = 4096
_MAX_EXIT = 255


class Ended(NamedTuple):
    """How the command ended, where log.json says so."""

    status: int | None


def read_old_facts(data: bytes, name: str) -> Facts:
    """`log`: a line of facts between colons, the directory, the command."""
    lines = data.decode("utf-8", "replace").split("\n")
    words = lines[0].split(":")
    if len(words) < 5 or len(lines) < 3:
        raise FormatError("is no log of sudo", name)
    start = whole(words[0], "the time", name)
    size = None
    if len(words) >= 7:
        rows, columns = (whole(word, "the size", name) for word in words[-2:])
        size = terminal_size(columns, rows, name)
    return Facts("sudo", user=words[1] or None, start_ms=start * 1000, size=size, command=lines[2] or None)


def read_json_facts(data: bytes, name: str) -> tuple[Facts, Ended]:
    """`log.json`, which says more."""
    fields = Fields(loads(data.rstrip(b"\n"), name), name)
    stamp = fields.inner("timestamp")
    seconds = stamp.needed_integer("seconds", 0, 2**40) if stamp else None
    nanoseconds = (stamp.integer("nanoseconds", 0, 999_999_999) or 0) if stamp else 0
    columns, rows = (fields.integer(key, 0, 2**31) or 0 for key in ("columns", "lines"))
    facts = Facts(
        "sudo",
        user=fields.text("submituser", 255),
        host=fields.text("submithost", 255),
        start_ms=None if seconds is None else seconds * 1000 + nanoseconds // 1_000_000,
        size=terminal_size(columns, rows, name),
        command=_command(fields),
    )
    return facts, Ended(fields.integer("exit_value", 0, 2**31))


def _command(fields: Fields) -> str | None:
    argv: Any = fields.values.get("runargv")
    if isinstance(argv, list) and argv and all(isinstance(word, str) for word in argv):
        return " ".join([fields.text("command") or argv[0], *argv[1:]])
    return fields.text("command")


def read_moments(
    timing: Iterable[bytes], streams: Mapping[str, BinaryIO], ended: Ended, name: str
) -> Iterator[Moment]:
    """The lines of `timing`, with the bytes they speak of; `name` is the directory."""
    clock = Clock()
    for number, line in enumerate(timing, 1):
        where = f"{name}/{TIMING}:{number}"
        if len(line) > _MAX_LINE or not line.endswith(b"\n"):
            raise FormatError("is cut", where, "it was cut: look for a whole copy")
        words = line.decode("utf-8", "replace").split()
        if len(words) < 3:
            raise FormatError("is no line of sudo's times", where)
        kind = whole(words[0], "the event", where)
        time = clock.wait(decimal(words[1], "the delay", where), where)
        yield from _event(kind, time, words[2:], streams, where)
    if ended.status is not None:
        yield Moment(clock.now, EXIT, b"%d" % min(ended.status, _MAX_EXIT))


def _event(
    kind: int, time: float, words: list[str], streams: Mapping[str, BinaryIO], where: str
) -> Iterator[Moment]:
    if kind == _WINDOW and len(words) >= 2:
        rows, columns = (whole(word, "the size", where) for word in words[:2])
        size = terminal_size(columns, rows, where)
        if size is not None:
            yield Moment(time, RESIZE, b"%dx%d" % size)
    elif kind == _SUSPENDED:
        yield Moment(time, MARKER, f"signal {words[0][:80]}".encode())
    elif kind < len(STREAMS) or kind == _OLD_OUTPUT:
        stream = "ttyout" if kind == _OLD_OUTPUT else STREAMS[kind]
        yield from _bytes(time, stream, whole(words[0], "the number of bytes", where), streams, where)
    else:
        raise FormatError(f"event {kind} is not known", where)


def _bytes(
    time: float, stream: str, count: int, streams: Mapping[str, BinaryIO], where: str
) -> Iterator[Moment]:
    file = streams.get(stream)
    if file is None:
        raise FormatError(f"speaks of {stream}, which is not there", where)
    for data in blocks(file, count, f"{where}, {stream}"):
        # no terminal stood between: its line feeds have to become line ends
        yield Moment(time, _CODES[stream], data.replace(b"\n", b"\r\n") if stream in _PIPES else data)
