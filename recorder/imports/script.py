"""script(1) of util-linux: a typescript, or logs of output and input, and a file of times of two forms.

The classic form has a delay and a number of bytes in each line. The advanced one has a letter in front:
`O` and `I` for output and input, `S` for signals, `H` for facts about the session.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO, NamedTuple

from recorder.cast.events import EXIT, INPUT, MARKER, OUTPUT, RESIZE
from recorder.errors import FormatError
from recorder.imports.moments import CHUNK, Clock, Facts, Moment, blocks, decimal, terminal_size, whole

STARTED = b"Script started on "
_DONE = re.compile(rb"\r?\n?Script done on [^\n]*\n?\Z")
_HEADER = re.compile(r"Script started on ([^\[\n]+?)(?: \[(.*)\])?\s*\Z", re.DOTALL)
_COMMAND = re.compile(r'COMMAND="(.*?)"(?= [A-Z]+="| <|\Z)', re.DOTALL)
_VALUE = re.compile(r'\b(TERM|COLUMNS|LINES)="([^"]*)"')
_CLASSIC = re.compile(rb"\d+\.\d+ \d+\n?")
_ADVANCED = re.compile(rb"[HOIS] \d+\.\d+ ")
_WINDOW = re.compile(r"ROWS=(\d+) COLS=(\d+)")
_CODE = re.compile(r'COMMAND_EXIT_CODE="(\d{1,3})"')
_FORMS = ("%a %b %d %H:%M:%S %Y", "%a %d %b %Y %I:%M:%S %p %Z", "%a %d %b %Y %H:%M:%S %Z")
_MAX_HEADER = 64 * 1024
_MAX_TIMING_LINE = 64 * 1024
_MAX_END = 4096
_MAX_EXIT = 255


class Entry(NamedTuple):
    """One line of times: the delay before it, what it is about, and how much or what."""

    delay: float
    kind: str
    """`O`, `I`, `S` or `H`."""
    text: str
    number: int
    """Of the line."""


def is_timing(head: bytes) -> bool:
    """Whether a file with this beginning is a file of times."""
    return bool(_CLASSIC.match(head) or _ADVANCED.match(head))


def read_entries(lines: Iterable[bytes], name: str) -> Iterator[Entry]:
    """The lines of a file of times, of either form."""
    for number, line in enumerate(lines, 1):
        where = f"{name}:{number}"
        if len(line) > _MAX_TIMING_LINE or not line.endswith(b"\n"):
            raise FormatError("is cut, or no line of times", where, "it was cut: look for a whole copy")
        words = line.decode("utf-8", "replace").rstrip("\r\n").split(" ", 2)
        if len(words) == 2 and words[0][:1].isdigit():
            yield Entry(decimal(words[0], "the delay", where), "O", words[1], number)
        elif len(words) == 3 and words[0] in {"O", "I", "S", "H"}:
            yield Entry(decimal(words[1], "the delay", where), words[0], words[2], number)
        elif len(words) == 2 and words[0] in {"S", "H"}:
            yield Entry(decimal(words[1], "the delay", where), words[0], "", number)
        else:
            raise FormatError("is no line of times of script", where)


def named_logs(entries: Iterable[Entry]) -> dict[str, str]:
    """The facts in the `H` lines: `OUTPUT_LOG`, `INPUT_LOG`, `TERM`, … Files as script was given them."""
    facts = (entry.text.split(" ", 1) for entry in entries if entry.kind == "H")
    return {words[0]: words[1] for words in facts if len(words) == 2}


def read_facts(header: bytes, told: dict[str, str], name: str) -> Facts:
    """From the typescript's first line, and from `H` lines where there are any."""
    found = _HEADER.match(header.decode("utf-8", "replace"))
    started, attributes = (found[1], found[2] or "") if found else ("", "")
    values = dict(_VALUE.findall(attributes)) | told
    command = _COMMAND.search(attributes)
    size = None
    if {"COLUMNS", "LINES"} <= values.keys():
        columns, rows = (whole(values[key], key, name) for key in ("COLUMNS", "LINES"))
        size = terminal_size(columns, rows, name)
    return Facts(
        "script",
        start_ms=_milliseconds(told.get("START_TIME", started)),
        size=size,
        command=told.get("COMMAND") or (command[1] if command else None),
        term=values.get("TERM"),
    )


def header_of(file: BinaryIO) -> bytes:
    """The first line where it is script's own, else nothing; the file stands behind it then."""
    file.seek(0)
    line = file.readline(_MAX_HEADER)
    if line.startswith(STARTED):
        return line
    file.seek(0)
    return b""


def read_moments(
    entries: Iterable[Entry], output: BinaryIO, typed: BinaryIO | None, name: str
) -> Iterator[Moment]:
    """What the entries say of the logs, which may be one and the same file; `name` is the file of times."""
    header_of(output)
    if typed is not None and typed is not output:
        header_of(typed)
    clock, status = Clock(), None
    for entry in entries:
        where = f"{name}:{entry.number}"
        time = clock.wait(entry.delay, where)
        if entry.kind == "O":
            yield from _bytes(time, OUTPUT, entry, output, where)
        elif entry.kind == "I" and typed is not None:
            yield from _bytes(time, INPUT, entry, typed, where)
        elif entry.kind == "S":
            yield _signal(time, entry.text, where)
        elif entry.kind == "H" and entry.text.startswith("EXIT_CODE "):
            status = entry.text.partition(" ")[2]
    code = _refuse_more(output, name)
    if status or code:
        yield Moment(clock.now, EXIT, b"%d" % min(_MAX_EXIT, whole(status or code, "the exit code", name)))


def read_untimed(output: BinaryIO) -> Iterator[Moment]:
    """All of a typescript at once: nothing tells when what was written."""
    header_of(output)
    data = output.read(CHUNK)
    while data:
        more = output.read(CHUNK)
        if len(more) < _MAX_END:
            data, more = data + more, b""
        end = None if more else _DONE.search(data, max(0, len(data) - _MAX_END))
        yield Moment(0.0, OUTPUT, data[: end.start()] if end else data)
        status = _CODE.search(data[end.start() :].decode("utf-8", "replace")) if end else None
        if status:
            yield Moment(0.0, EXIT, status[1].encode())
        data = more


def _bytes(time: float, code: str, entry: Entry, file: BinaryIO, where: str) -> Iterator[Moment]:
    for data in blocks(file, whole(entry.text, "the number of bytes", where), where):
        yield Moment(time, code, data)


def _signal(time: float, text: str, where: str) -> Moment:
    window = _WINDOW.search(text)
    if text.startswith("SIGWINCH") and window:
        rows, columns = (whole(number, "the size", where) for number in window.groups())
        size = terminal_size(columns, rows, where)
        if size is not None:
            return Moment(time, RESIZE, b"%dx%d" % size)
    return Moment(time, MARKER, f"signal {text[:80]}".encode())


def _refuse_more(output: BinaryIO, name: str) -> str:
    """Behind the last timed byte only script's own last line may stand; the exit code in it."""
    rest = output.read(_MAX_END + 1)
    if rest.strip() and not _DONE.fullmatch(rest):
        hint = "the times belong to another typescript, or were cut"
        raise FormatError("the typescript goes on behind the last time", name, hint)
    code = _CODE.search(rest.decode("utf-8", "replace"))
    return code[1] if code else ""


def _milliseconds(text: str) -> int | None:
    """A date as script writes it, in one of its many ways; UTC where it names no zone."""
    for form in ("", *_FORMS):
        try:
            moment = datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007
        except ValueError:
            continue
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0, int(aware.timestamp() * 1000))
    return None
