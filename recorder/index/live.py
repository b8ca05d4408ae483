"""Reading a recording while it is written."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from recorder.cast.events import MAX_LINE, OUTPUT, Event
from recorder.cast.header import parse_header
from recorder.cast.reader import EventReader, merge_bytes
from recorder.errors import FormatError
from recorder.index.extraction import Extracted, RecordingReader
from recorder.store.reading import open_stored

_READ_BYTES = 1024 * 1024


class _Lines(Iterator[bytes]):
    """The whole lines of a growing file. It may be asked again after its end."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._lines: deque[bytes] = deque()
        self._rest = b""
        self.size = 0
        """Bytes read so far, of whole lines."""

    def read(self) -> bool:
        """Looks for more, up to a mebibyte; whether there was any."""
        data = self._file.read(_READ_BYTES)
        if not data:
            return False
        *whole, self._rest = (self._rest + data).split(b"\n")
        self._lines += [line + b"\n" for line in whole]
        if len(self._rest) > MAX_LINE:
            raise FormatError(f"line longer than {MAX_LINE} bytes", self._name)
        return True

    def __next__(self) -> bytes:
        if not self._lines:
            raise StopIteration
        line = self._lines.popleft()
        self.size += len(line)
        return line


class LiveRecording:
    """A recording that grows. `SealcastError` and `OSError` from `poll` say that it cannot be read."""

    def __init__(self, path: Path, *, with_output: bool) -> None:
        """The file need not be there yet."""
        self._path = path
        self._with_output = with_output
        self._file: BinaryIO | None = None
        self._lines: _Lines | None = None
        self._events: EventReader | None = None
        self._reader: RecordingReader | None = None
        self._held: Event | None = None
        """An `o`, whose exact bytes may come in the next line."""

    @property
    def size(self) -> int:
        """Bytes of it that were read."""
        return self._lines.size if self._lines is not None else 0

    @property
    def skipped(self) -> int:
        """Lines that could not be read."""
        return self._events.skipped if self._events is not None else 0

    def poll(self) -> Extracted | None:
        """What has come since the last call, with what runs now; None if nothing has."""
        if self._read_on() and self._reader is not None:
            return self._reader.snapshot()
        return None

    def finish(self) -> Extracted:
        """The rest of it, and the end of what ran. The file may have been unlinked."""
        while self._read_on():
            pass
        if self._reader is None:
            raise FormatError("it ended before its header was written", self._path.name)
        self._reader.end()
        return self._reader.take()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _read_on(self) -> bool:
        """Reads the next events; whether anything was new."""
        if self._file is None and not self._open():
            return False
        if self._lines is None:
            return False
        grown = self._lines.read()
        if self._reader is None and not self._begin():
            return False
        return self._feed(hold=grown) or grown

    def _open(self) -> bool:
        if not self._path.exists():
            return False
        self._file = open_stored(self._path)
        self._lines = _Lines(self._file, self._path.name)
        return True

    def _begin(self) -> bool:
        """Whether the header is there."""
        first = next(self._lines, None) if self._lines is not None else None
        if first is None or self._lines is None:
            return False
        header = parse_header(first, self._path.name)
        self._events = EventReader(self._lines, header, self._path.name, lenient=True)
        self._reader = RecordingReader(header, with_output=self._with_output)
        return True

    def _feed(self, *, hold: bool) -> bool:
        if self._events is None or self._reader is None:
            return False
        events = ([self._held] if self._held is not None else []) + list(self._events)
        self._held = None
        if hold and events and events[-1].code == OUTPUT:
            self._held = events.pop()
        for event, data in merge_bytes(events):
            self._reader.read(event, data)
        return bool(events)
