"""Recordings of other programs, put into the store as unsigned sessions.

The host's key vouches for one thing only: that this file was imported, by whom, and from what. Nothing is in
the store before all of the source was read. The log comes first: a crash leaves an entry without its file,
which the next import of the same source puts there.
"""

import hashlib
import time
from binascii import b2a_base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from recorder.cast.events import BYTES, ERROR, EXIT, INPUT, MAX_LINE, OUTPUT
from recorder.cast.header import Header
from recorder.cast.utf8 import Piece, Utf8Stream
from recorder.cast.v2 import encode_event, encode_header
from recorder.errors import ExitCode, FormatError, SealcastError
from recorder.imports.moments import CHUNK, Facts, Moment
from recorder.log import durable, entries
from recorder.log.entries import Import, Occasion
from recorder.log.history import SessionHistory, read_history
from recorder.log.notary import ID_BYTES, session_id_of
from recorder.safe_text import safe
from recorder.seal.merkle import Frontier, leaf_hash
from recorder.seal.verify import Progress
from recorder.store.compression import compressed
from recorder.store.layout import Store
from recorder.store.sealing import digest_of

_USUAL_SIZE = (80, 24)
_NEWEST_MS = 253_402_300_799_000
"""The end of the year 9999: session ids have four digits for it."""
_CLOCKS_DIFFER_MS = 86_400_000
"""A recording that starts later than this from now would stand before all others for ever."""
_LOCK = ".import-lock"
NOT_IMPORTED = "not imported"
"""In place of a session id, of what was only read."""


@dataclass(frozen=True, slots=True)
class Source:
    """One recording in a file, a pair of files or a directory."""

    name: str
    """As the person named it."""
    sha256: bytes
    """Of the file; of several, of what `sha256sum` prints for them in the order of their names."""
    size: int
    """Bytes."""
    facts: Facts
    moments: Callable[[], Iterator[Moment]]
    """Reads it; `FormatError` where it is damaged."""
    modified_ms: int
    """When the file was written last: its start, where nothing else tells."""
    part: str | None = None
    """Which of several recordings in the file."""

    @property
    def key(self) -> bytes:
        """The same for the same recording, wherever it lies."""
        return _key_of(self.sha256.hex(), self.part)


@dataclass(frozen=True, slots=True)
class Imported:
    """A recording that is in the store now, or was before."""

    session_id: str
    source: Source
    new: bool
    start_ms: int
    duration_s: float
    inputs: int
    """Events of what was typed: secrets may be among them."""


@dataclass(slots=True)
class _Totals:
    """What was counted while a recording was written."""

    tree: Frontier
    sha256: "hashlib._Hash"
    size: int = 0
    duration_s: float = 0.0
    exit_status: int | None = None
    inputs: int = 0


class _Written(NamedTuple):
    """A recording that is about to appear in the store."""

    session_id: str
    start_ms: int
    totals: _Totals
    path: str
    """Below the store."""
    stored_size: int


class Importer:
    """Imports into one store. Use within `importing`, which keeps others out."""

    def __init__(self, store: Store, by: Occasion) -> None:
        """`by` tells who imports, and when."""
        self._store = store
        self._by = by
        history = read_history(store.log)
        self._known = {_key(item): item for item in history.sessions.values() if item.imported}

    def take(self, source: Source, progress: Progress | None = None) -> Imported:
        """Import one recording unless it is here. `SealcastError` where it cannot be read to its end.

        `progress` hears the bytes of text written so far.
        """
        known = self._known.get(source.key)
        if known is not None and self._store.sealed_path(known.session).exists():
            return _known(source, known)
        start_ms = _start(source) if known is None else _logged_start(known)
        session_id = known.session if known else session_id_of(start_ms, source.key[:ID_BYTES])
        path = self._store.sealed_path(session_id)
        if known is None and path.exists():
            message = f"{safe(str(path))} is there already, and the log does not know it"
            raise SealcastError(message, f"sealcast verify {session_id}", ExitCode.RECORDING)
        with durable.writing(path):
            self._store.make_sealed_directory(session_id)
            return self._write(source, session_id, start_ms, known, progress)

    def _write(
        self,
        source: Source,
        session_id: str,
        start_ms: int,
        known: SessionHistory | None,
        progress: Progress | None,
    ) -> Imported:
        path = self._store.sealed_path(session_id)
        totals = _Totals(Frontier(), hashlib.sha256())
        lines = _told(_lines(source, start_ms, totals), totals, progress)
        temporary = durable.write_temporary(path, compressed(lines))
        try:
            if digest_of(temporary) != totals.sha256.digest():
                message = f"{safe(str(temporary))} does not read back as written"
                raise SealcastError(message, None, ExitCode.RECORDING)
            if known is None:
                below = str(path.relative_to(self._store.root))
                self._enter(source, _Written(session_id, start_ms, totals, below, temporary.stat().st_size))
            elif known.ending("file", "hash", "sha256") != totals.sha256.hexdigest():
                message = f"session {session_id} was imported from this file by another version, and is gone"
                raise SealcastError(message, "look for it in a backup", ExitCode.RECORDING)
            durable.publish(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return Imported(session_id, source, True, start_ms, totals.duration_s, totals.inputs)

    def _enter(self, source: Source, written: _Written) -> None:
        """The log's entry; from here on the recording is imported."""
        document = entries.recording_imported(self._by, _entry(source, written))
        index = self._store.notary.append(document)
        entry = entries.encode(document)
        self._known[source.key] = SessionHistory(
            written.session_id,
            opened_entry=entry,
            ended_entry=entry,
            opened_index=index,
            ended_index=index,
            imported=True,
        )


@contextmanager
def importing(store: Store, by: Occasion) -> Iterator[Importer]:
    """An importer, and no other at the same time."""
    with durable.writing(store.sealed_directory), durable.locked(store.sealed_directory / _LOCK):
        yield Importer(store, by)


def told_otherwise(source: Source, user: str | None, host: str | None, start_ms: int | None) -> Source:
    """The source with what the importing person knows better than the file."""
    known: dict[str, Any] = {"user": user, "host": host, "start_ms": start_ms}
    changes = {name: value for name, value in known.items() if value is not None}
    return replace(source, facts=replace(source.facts, **changes))


def read(source: Source, progress: Progress | None = None) -> Imported:
    """Read it to its end, and import nothing. Raises what `Importer.take` would raise for its content."""
    totals = _Totals(Frontier(), hashlib.sha256())
    start_ms = _start(source)
    for _ in _told(_lines(source, start_ms, totals), totals, progress):
        pass
    return Imported(NOT_IMPORTED, source, True, start_ms, totals.duration_s, totals.inputs)


def _told(lines: Iterator[bytes], totals: _Totals, progress: Progress | None) -> Iterator[bytes]:
    for line in lines:
        if progress is not None:
            progress(totals.size)
        yield line


def _key(item: SessionHistory) -> bytes:
    """What `Source.key` was."""
    return _key_of(*(item.opening("sealcast", "source", name) for name in ("sha256", "part")))


def _key_of(digest: object, part: object) -> bytes:
    return hashlib.sha256(f"{digest} {part or ''}".encode("utf-8", "replace")).digest()


def _known(source: Source, item: SessionHistory) -> Imported:
    duration = item.ending("event", "duration")
    seconds = duration / 1e9 if isinstance(duration, int) else 0.0
    return Imported(item.session, source, False, 0, seconds, 0)


def _logged_start(item: SessionHistory) -> int:
    """What was said when it was imported first: its bytes depend on it."""
    return round(datetime.fromisoformat(str(item.opening("event", "start"))).timestamp() * 1000)


def _start(source: Source) -> int:
    start = source.facts.start_ms
    start = source.modified_ms if start is None else start
    hint = "say when it was: --start 2026-09-01T14:00"
    if start < 0:
        raise FormatError("starts before 1970", safe(source.name), hint)
    if start > _NEWEST_MS:
        raise FormatError(f"starts {start} ms after 1970, which is no date", safe(source.name), hint)
    if start > time.time_ns() // 1_000_000 + _CLOCKS_DIFFER_MS:
        day = datetime.fromtimestamp(start / 1000, UTC)
        raise FormatError(f"starts on {day:%Y-%m-%d}, which is yet to come", safe(source.name), hint)
    return start


def _lines(source: Source, start_ms: int, totals: _Totals) -> Iterator[bytes]:
    """The recording as this program writes it, counted while it goes by."""
    texts = {code: Utf8Stream() for code in (OUTPUT, ERROR, INPUT)}
    yield _counted(encode_header(_header(source, start_ms)), totals)
    for moment in source.moments():
        totals.duration_s = moment.time
        for line in _event_lines(moment, texts, totals):
            yield _counted(line, totals)


def _counted(line: bytes, totals: _Totals) -> bytes:
    if len(line) > MAX_LINE:
        raise FormatError(f"an event of {len(line):,} bytes")
    totals.tree.add(leaf_hash(line))
    totals.sha256.update(line)
    totals.size += len(line)
    return line


def _event_lines(moment: Moment, texts: dict[str, Utf8Stream], totals: _Totals) -> Iterator[bytes]:
    time, code, data = moment
    if code in texts:
        totals.inputs += code == INPUT
        for start in range(0, len(data), CHUNK):
            yield from _text_lines(moment, texts[code].feed(data[start : start + CHUNK]))
        return
    if code == EXIT:
        totals.exit_status = int(data)
    yield encode_event(time, code, data.decode("utf-8", "replace"))


def _text_lines(moment: Moment, pieces: list[Piece]) -> Iterator[bytes]:
    """What was shown or typed, and the exact bytes where the text alone would not give them back."""
    for text, raw in pieces:
        yield encode_event(moment.time, INPUT if moment.code == INPUT else OUTPUT, text)
        if raw is not None:
            yield encode_event(moment.time, BYTES, _base64(raw))
        if moment.code == ERROR:
            yield encode_event(moment.time, ERROR, "")


def _base64(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode()


def _header(source: Source, start_ms: int) -> Header:
    """Without the part that names a key: nobody vouches for this recording."""
    facts = source.facts
    columns, rows = facts.size or _USUAL_SIZE
    return Header(
        2,
        columns,
        rows,
        timestamp=start_ms // 1000,
        title=facts.title or None,
        env={"TERM": facts.term} if facts.term else {},
        other={"imported": {"format": facts.format, "sha256": source.sha256.hex()}},
    )


def _entry(source: Source, written: _Written) -> Import:
    facts, totals = source.facts, written.totals
    columns, rows = facts.size or _USUAL_SIZE
    return Import(
        session=written.session_id,
        format=facts.format,
        source=source.name,
        source_sha256=source.sha256,
        source_size=source.size,
        part=source.part,
        user=facts.user or "",
        recorded_on=facts.host or "",
        start_ms=written.start_ms,
        duration_s=totals.duration_s,
        columns=columns,
        rows=rows,
        command=facts.command,
        title=facts.title,
        exit_status=totals.exit_status,
        lines=totals.tree.size,
        root=totals.tree.root(),
        sha256=totals.sha256.digest(),
        size=totals.size,
        path=written.path,
        stored_size=written.stored_size,
    )
