"""Finds out what the files are that somebody wants to import, and which of them belong together."""

import gzip
import hashlib
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from recorder.cast.reader import iter_lines
from recorder.errors import ExitCode, FormatError, SealcastError
from recorder.imports import asciicast, script, sudo, tlog, ttyrec
from recorder.imports.moments import Facts, Moment
from recorder.safe_text import safe
from recorder.store.compression import MAGIC as ZSTD
from recorder.store.importing import Source
from recorder.store.reading import open_file

FORMATS = ("tlog", "ttyrec", "script", "sudo", "asciicast")
MAX_BYTES = 4 * 1024**3
"""Of a file when it is unpacked: what is larger is no recording of a terminal."""

_GZIP = b"\x1f\x8b"
_PACKED = {
    b"BZh": "bunzip2 -k",
    b"\xfd7zXZ\0": "unxz -k",
    b"PK\x03\x04": "unzip",
    b"7z\xbc\xaf\x27\x1c": "7z x",
    b"\x04\x22\x4d\x18": "unlz4",
}
"""How files begin that are packed in ways that are not read here, and what unpacks them."""
_HEAD = 64 * 1024
_CHUNK = 1024 * 1024
_MAX_LOG = 1024 * 1024
_TIMES_BESIDE = (".timing", ".tm", ".time", ".times", ".tim")
_SCRIPTS_BESIDE = ("", ".ts", ".typescript", ".script", ".log", ".out")
_WHAT = "a tlog, ttyrec or script recording, a sudo I/O log directory or a plain asciicast"

Found = Iterator[Source | SealcastError]
Reader = Callable[[BinaryIO, str], Iterator[Moment]]


def find_sources(names: Sequence[str], form: str | None) -> Found:
    """The recordings in these files and directories, in their order, or why there are none in one of them.

    `form` is one of `FORMATS`; None tells it from the content. Files of times of script go with their
    typescript, whether they are named or lie beside it.
    """
    pairs = _Pairs(names, form)
    for name in names:
        try:
            yield from _sources(name, form, pairs)
        except SealcastError as error:
            yield error
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            yield SealcastError(f"cannot read {safe(name)}: {reason}", None, ExitCode.TARGET)


def _sources(name: str, form: str | None, pairs: "_Pairs") -> Iterator[Source]:
    path = Path(name)
    if name == "-" and not path.exists():
        hint = "write it into a file first: a recording is read more than once"
        raise SealcastError("import reads files, not standard input", hint, ExitCode.TARGET)
    if path.is_dir():
        yield _sudo(path)
        return
    with opened(path) as file:
        size = file.seek(0, os.SEEK_END)
        kind = form or pairs.kind(path) or _kind(file, size)
    if kind is None:
        raise _unknown(path, size)
    if kind == "sudo":
        raise FormatError(
            "is a file; a sudo I/O log is a directory", safe(name), f"name {safe(str(path.parent))}"
        )
    if kind == "script":
        yield from _script(path, pairs)
    elif kind == "tlog":
        yield from _tlog(path)
    else:
        yield _single(path, kind)


def _unknown(path: Path, size: int) -> FormatError:
    name = safe(str(path))
    if not size:
        return FormatError("is empty", name)
    with opened(path) as file:
        head = file.read(max(map(len, _PACKED)))
    tool = next((tool for start, tool in _PACKED.items() if head.startswith(start)), None)
    if tool is not None:
        return FormatError("is packed in a way that is not read here", name, f"unpack it: {tool} {name}")
    return FormatError(
        f"is not {_WHAT}", name, "if you know what it is: --format tlog, ttyrec, script or sudo"
    )


def _kind(file: BinaryIO, size: int) -> str | None:
    file.seek(0)
    head = file.read(_HEAD)
    if tlog.looks_like(head):
        return "tlog"
    if head.lstrip().startswith(b"{") and b'"version"' in head:
        return "asciicast"
    if head.startswith(script.STARTED) or script.is_timing(head):
        return "script"
    return "ttyrec" if ttyrec.looks_like(file, size) else None


def _single(path: Path, kind: str) -> Source:
    room = ttyrec if kind == "ttyrec" else asciicast
    name = safe(str(path))
    with opened(path) as file:
        facts = room.read_facts(file, name)
    return _source(path, [path], facts, partial(_read, path, room.read_moments))


def _read(path: Path, reader: Reader) -> Iterator[Moment]:
    with opened(path) as file:
        yield from reader(file, safe(str(path)))


def _source(  # noqa: PLR0913, PLR0917  a source is made of them
    path: Path,
    members: Sequence[Path],
    facts: Facts,
    moments: Callable[[], Iterator[Moment]],
    part: str | None = None,
    digest: "tuple[bytes, int] | None" = None,
) -> Source:
    sha256, size = digest or _digest(members)
    modified_ms = os.stat(members[0]).st_mtime_ns // 1_000_000
    return Source(str(path), sha256, size, facts, moments, modified_ms, part)


# ── tlog ──────────────────────────────────────────────────────────────────────


def _tlog(path: Path) -> Iterator[Source]:
    """One for each recording in the file."""
    name = safe(str(path))
    with opened(path) as file:
        recordings = tlog.find_recordings(file, name)
        facts = [tlog.read_facts(file, recording, name) for recording in recordings]
    digest = _digest([path])
    for recording, known in zip(recordings, facts, strict=True):
        moments = partial(_read, path, partial(_tlog_moments, recording))
        yield _source(path, [path], known, moments, recording.rec, digest)


def _tlog_moments(recording: tlog.Recording, file: BinaryIO, name: str) -> Iterator[Moment]:
    return tlog.read_moments(file, recording, name)


# ── script ────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Script:
    """Files that make up one recording of script."""

    output: Path
    times: Path | None
    typed: Path | None

    @property
    def members(self) -> list[Path]:
        return list(dict.fromkeys(path for path in (self.output, self.times, self.typed) if path))


class _Pairs:
    """Which typescripts and files of times among the named ones, and beside them, belong together."""

    def __init__(self, names: Sequence[str], form: str | None) -> None:
        self._kinds: dict[Path, str] = {}
        self._scripts: dict[Path, _Script] = {}
        self._taken: set[Path] = set()
        if form in {None, "script"}:
            paths = [Path(name) for name in names]
            self._kinds = {path: kind for path in paths if (kind := _script_kind(path))}
            for index, path in enumerate(paths):
                if self._kinds.get(path) == "times":
                    self._pair(
                        path, [paths[place] for place in (index - 1, index + 1) if 0 <= place < len(paths)]
                    )

    def kind(self, path: Path) -> str | None:
        return "script" if path in self._kinds else None

    def script_of(self, path: Path) -> _Script | None:
        """What a named file is a part of; None where another part of it was named before."""
        if path in self._taken:
            return None
        if path in self._scripts:
            found = self._scripts[path]
        elif self._kinds.get(path) == "times":
            hint = "name the typescript too: sealcast import TYPESCRIPT TIMES"
            raise FormatError(
                "is a file of times of script, and its typescript is not beside it", safe(str(path)), hint
            )
        else:
            times = next((other for other in _times_beside(path) if _script_kind(other) == "times"), None)
            found = _told(times, _output_of(times, path)) if times else _Script(path, None, None)
        self._taken |= set(found.members)
        return found

    def _pair(self, times: Path, neighbours: Sequence[Path]) -> None:
        """The typescript that the file of times names, or that stands next to it, or lies beside it."""
        named = _named_output(times)
        beside = [named] if named else []
        near = [
            path for path in neighbours if self._kinds.get(path) == "output" and path not in self._scripts
        ]
        stem = times.with_suffix("")
        beside += near + [stem.with_name(f"{stem.name}{end}") for end in _SCRIPTS_BESIDE]
        beside.append(times.with_name("typescript"))
        output = next((path for path in beside if path != times and path.is_file()), None)
        if output is not None:
            found = _told(times, output)
            for member in found.members:
                self._scripts[member] = found


def _named_output(times: Path) -> Path | None:
    """The typescript that a file of times names, where it lies beside it."""
    name = os.path.basename(_logs_if_readable(times).get("OUTPUT_LOG", ""))
    return times.with_name(name) if name and times.with_name(name).is_file() else None


def _output_of(times: Path, path: Path) -> Path:
    """What was shown: `path`, unless it is what was typed."""
    typed = os.path.basename(_logs_if_readable(times).get("INPUT_LOG", ""))
    return (_named_output(times) or path) if typed == path.name else path


def _told(times: Path, output: Path) -> _Script:
    """With the log of what was typed, where the file of times names one. Only names beside it count."""
    told = _logs_if_readable(times)
    typed = times.with_name(os.path.basename(told["INPUT_LOG"])) if told.get("INPUT_LOG") else None
    if "OUTPUT_LOG" not in told and typed is not None:
        return _Script(typed, times, typed)
    return _Script(output, times, typed if typed is not None and typed.is_file() else None)


def _script_kind(path: Path) -> str | None:
    """`output` for a typescript, `times` for a file of times."""
    try:
        with opened(path) as file:
            head = file.read(_HEAD)
    except (SealcastError, OSError):
        return None
    if head.startswith(script.STARTED):
        return "output"
    return "times" if script.is_timing(head) else None


def _times_beside(path: Path) -> Iterator[Path]:
    for end in _TIMES_BESIDE:
        yield path.with_name(f"{path.name}{end}")
        if path.suffix != end:
            yield path.with_suffix(end)
    yield path.with_name("timing")


def _named_logs(times: Path) -> dict[str, str]:
    with opened(times) as file:
        name = safe(str(times))
        return script.named_logs(script.read_entries(iter_lines(file, name=name), name))


def _logs_if_readable(times: Path) -> dict[str, str]:
    """What is wrong with a file of times is said when its recording is read."""
    try:
        return _named_logs(times)
    except FormatError:
        return {}


def _script(path: Path, pairs: _Pairs) -> Iterator[Source]:
    found = pairs.script_of(path)
    if found is None:
        return
    told = _named_logs(found.times) if found.times else {}
    with opened(found.output) as file:
        facts = script.read_facts(script.header_of(file), told, safe(str(found.output)))
    facts = replace(facts, timed=found.times is not None)
    yield _source(found.output, found.members, facts, partial(_script_moments, found))


def _script_moments(found: _Script) -> Iterator[Moment]:
    with ExitStack() as stack:
        output = stack.enter_context(opened(found.output))
        if found.times is None:
            yield from script.read_untimed(output)
            return
        typed = output if found.typed == found.output else None
        if found.typed is not None and typed is None:
            typed = stack.enter_context(opened(found.typed))
        times = stack.enter_context(opened(found.times))
        name = safe(str(found.times))
        yield from script.read_moments(
            script.read_entries(iter_lines(times, name=name), name), output, typed, name
        )


# ── sudo ──────────────────────────────────────────────────────────────────────


def _sudo(path: Path) -> Source:
    name = safe(str(path))
    members = [path / member for member in sudo.MEMBERS if (path / member).is_file()]
    present = {member.name for member in members}
    if sudo.TIMING not in present or not present & {sudo.LOG, sudo.LOG_JSON}:
        hint = "name the directories that have a file called timing in them"
        raise FormatError("is a directory, and not a sudo I/O log", name, hint)
    ended = sudo.Ended(None)
    if sudo.LOG_JSON in present:
        facts, ended = sudo.read_json_facts(_whole(path / sudo.LOG_JSON), f"{name}/{sudo.LOG_JSON}")
    else:
        facts = sudo.read_old_facts(_whole(path / sudo.LOG), f"{name}/{sudo.LOG}")
    return _source(path, members, facts, partial(_sudo_moments, path, present, ended))


def _sudo_moments(path: Path, present: set[str], ended: sudo.Ended) -> Iterator[Moment]:
    name = safe(str(path))
    with ExitStack() as stack:
        streams = {
            stream: stack.enter_context(opened(path / stream)) for stream in sudo.STREAMS if stream in present
        }
        timing = stack.enter_context(opened(path / sudo.TIMING))
        yield from sudo.read_moments(iter_lines(timing, name=name), streams, ended, name)


def _whole(path: Path) -> bytes:
    with opened(path) as file:
        data = file.read(_MAX_LOG + 1)
    if len(data) > _MAX_LOG:
        raise FormatError(f"more than {_MAX_LOG:,} bytes of facts", safe(str(path)))
    return data


# ── files ─────────────────────────────────────────────────────────────────────


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, unpacked where they are packed by gzip or zstd; it can be read from any place."""
    with open_file(path) as file:
        if file.seekable():
            head = file.read(len(ZSTD))
            file.seek(0)
            if not head.startswith(_GZIP):
                yield file
                return
        with tempfile.TemporaryFile() as unpacked:
            packed = gzip.GzipFile(fileobj=file) if file.seekable() else file
            _unpack(packed, unpacked, safe(str(path)))
            yield unpacked


def _unpack(
    packed: BinaryIO | gzip.GzipFile, unpacked: "tempfile._TemporaryFileWrapper[bytes] | BinaryIO", name: str
) -> None:
    size = 0
    try:
        while data := packed.read(_CHUNK):
            size += len(data)
            if size > MAX_BYTES:
                raise FormatError(f"more than {MAX_BYTES:,} bytes when unpacked", name)
            unpacked.write(data)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        reason = str(error).rstrip(".").lower()
        raise FormatError(f"the compressed file is damaged ({reason})", name) from None
    unpacked.seek(0)


def _digest(members: Sequence[Path]) -> tuple[bytes, int]:
    """SHA-256 and size of one file, of several of what `sha256sum` prints for them; and bytes in all."""
    digests, total = {}, 0
    for member in members:
        digest = hashlib.sha256()
        with open(member, "rb") as file:
            while data := file.read(_CHUNK):
                digest.update(data)
                total += len(data)
        digests[member.name] = digest
    if len(digests) == 1:
        return next(iter(digests.values())).digest(), total
    text = "".join(f"{digests[name].hexdigest()}  {name}\n" for name in sorted(digests))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest(), total
