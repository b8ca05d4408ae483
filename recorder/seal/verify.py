"""Is a recording what was signed? One pass over its lines, in bounded memory, ending in findings."""

import re
from collections.abc import Callable, Iterator

from recorder.cast.events import EXIT, RESIZE, SEAL
from recorder.cast.header import Header, parse_header
from recorder.cast.v2 import parse_event
from recorder.errors import FormatError
from recorder.seal.chain import SealChain
from recorder.seal.file_digest import FileDigest
from recorder.seal.findings import Finding, Kind, Repeated, clock, counted, line_span
from recorder.seal.identity import Identity, KeyState, Trust, identify
from recorder.seal.integrity import Integrity
from recorder.seal.keys import KEY_SIZE

__all__ = ["Finding", "Integrity", "KeyState", "Kind", "Progress", "Trust", "check_recording"]

Progress = Callable[[int], None]
"""Called now and then with the number of bytes checked so far."""

_FRAME = re.compile(rb'\[((?:0|[1-9][0-9]{0,9})\.[0-9]{6}), "([A-Za-z])", ".*"\]\n', re.DOTALL)
"""How a line of ours begins and ends; what is between is the seals' business."""
_SEAL, _EXIT, _RESIZE = SEAL.encode(), EXIT.encode(), RESIZE.encode()
_PARSED = {_SEAL, _EXIT, _RESIZE}
_EXIT_STATUS = re.compile("0|[1-9][0-9]{0,9}")
_SIZE = re.compile("[0-9]{1,5}x[0-9]{1,5}")
_NOTE_MARK = "\\n\\n— ".encode()
_BATCH_LINES = 1024
_BATCH_BYTES = 256 * 1024


def check_recording(
    lines: Iterator[bytes], trust: Trust, progress: Progress | None = None, *, whole: bool = True
) -> Integrity:
    """The verdict on a plain recording's lines, newlines included, as `iter_lines` gives them.

    Never raises for what is in them: a FormatError from the iterator becomes a finding too. Without `whole`
    the file's SHA-256 is left out, which takes about as long as all the rest: who has the root over all lines
    from a trusted source needs no second hash of the same bytes.
    """
    with FileDigest() as digest:
        check = _Check(trust, digest if whole else None)
        try:
            for batch, size in _batches(lines):
                check.take(batch, size)
                if progress is not None:
                    progress(check.size)
        except FormatError as error:
            check.stop(error)
        return check.result()


def _batches(lines: Iterator[bytes]) -> Iterator[tuple[list[bytes], int]]:
    """Lines in handfuls, with their size in bytes; those read before an error are handed out before it."""
    batch: list[bytes] = []
    size = 0
    error: FormatError | None = None
    try:
        for line in lines:
            batch.append(line)
            size += len(line)
            if size >= _BATCH_BYTES or len(batch) >= _BATCH_LINES:
                yield batch, size
                batch, size = [], 0
    except FormatError as raised:
        error = raised
    if batch:
        yield batch, size
    if error is not None:
        raise error


class _Check:
    """The state of one pass."""

    def __init__(self, trust: Trust, digest: FileDigest | None) -> None:
        self.size = 0
        self._trust = trust
        self._digest = digest
        self._header: Header | None = None
        self._identity = Identity(KeyState.NONE)
        self._chain = SealChain("", bytes(KEY_SIZE))
        self._findings: list[Finding] = []
        self._malformed = Repeated()
        self._times_back = Repeated()
        self._lines = 0
        self._cut = 0
        self._time = 0.0
        self._duration = 0.0
        self._exit_status: int | None = None
        self._read_to_end = True

    def take(self, batch: list[bytes], size: int) -> None:
        """The next lines of the file; only its very last one may lack a newline."""
        if self._digest is not None:
            self._digest.update(batch, size)
        self.size += size
        if not batch[-1].endswith(b"\n"):
            self._cut = len(batch.pop())
        if self._lines == 0 and batch:
            self._read_header(batch[0])
        if self._header is not None and self._header.session is not None:
            self._scan(batch, self._lines + 1)
        else:
            self._scan_foreign(batch, self._lines + 1)
        self._lines += len(batch)

    def stop(self, error: FormatError) -> None:
        """What follows cannot be read."""
        self._read_to_end = False
        number = self._lines + 1
        self._findings.append(
            Finding(Kind.MALFORMED, f"not read on: {error.message}", number, number, self._time)
        )

    def _read_header(self, line: bytes) -> None:
        try:
            self._header = parse_header(line, "the recording")
        except FormatError as error:
            self._findings.append(Finding(Kind.HEADER, error.message, 1, 1, 0.0))
            return
        session = self._header.session
        if session is None:
            return
        self._identity = identify(session, self._trust)
        if self._identity.finding is not None:
            self._findings.append(self._identity.finding)
        if self._identity.certificate is not None:
            origin = f"{session.host}/{session.session}"
            self._chain = SealChain(origin, self._identity.certificate.public_key)

    def _scan(self, batch: list[bytes], first: int) -> None:
        """Lines of a recording of ours, numbered from `first`."""
        grown = 0
        frame = _FRAME.fullmatch
        for index, line in enumerate(batch):
            match = frame(line)
            if match is None:
                self._not_an_event(first + index)
                continue
            stamp, code = match.groups()
            before = self._time
            self._time = time = float(stamp)
            if time < before:
                self._goes_back(first + index, before, time)
            if code in _PARSED:
                self._chain.grow(batch[grown:index])
                grown = index
                self._read_event(code, line, first + index, before)
            if code != _SEAL:
                self._duration = time
        self._chain.grow(batch[grown:])

    def _not_an_event(self, number: int, problem: str = "not an event as this program writes them") -> None:
        if number > 1:
            sentence = f"line {number} is {problem}"
            self._malformed.add(Finding(Kind.MALFORMED, sentence, number, number, self._time))

    def _goes_back(self, number: int, before: float, time: float) -> None:
        sentence = f"the time goes back at line {number}, from {clock(before)} to {clock(time)}"
        self._times_back.add(Finding(Kind.TIME_BACK, sentence, number, number, time, before))

    def _read_event(self, code: bytes, line: bytes, number: int, before: float) -> None:
        """A line whose data has a meaning here: a seal, the exit status, a resize."""
        if code == _SEAL:
            self._check_seal(line, number, before)
            return
        try:
            data = parse_event(line, f"line {number}").data
        except FormatError:
            self._not_an_event(number)
            return
        if not (_EXIT_STATUS if code == _EXIT else _SIZE).fullmatch(data):
            self._not_an_event(number, "not an exit status" if code == _EXIT else "not a terminal size")
        elif code == _EXIT:
            self._exit_status = int(data)

    def _check_seal(self, line: bytes, number: int, before: float) -> None:
        if self._identity.certificate is None:
            return
        finding = self._chain.check(line, number, before, self._time)
        if finding is not None:
            self._findings.append(finding)

    def _scan_foreign(self, batch: list[bytes], first: int) -> None:
        """Lines under a header that names no key: seals in them show that it was another once."""
        self._chain.grow(batch)
        for number, line in enumerate(batch, first):
            match = _FRAME.fullmatch(line)
            if match is None:
                continue
            stamp, code = match.groups()
            self._time = self._duration = float(stamp)
            if code == _SEAL and _NOTE_MARK in line and not self._malformed.count:
                sentence = (
                    f"line {number} is a seal, but the header names no key for it: the header was replaced"
                )
                self._malformed.add(Finding(Kind.HEADER, sentence, 1, 1, 0.0))

    def _tail(self) -> Iterator[Finding]:
        """What the end of the file says."""
        last = self._lines + bool(self._cut)
        if self._cut:
            sentence = f"the last line is incomplete: {counted(self._cut, 'byte')} without a newline"
            yield Finding(Kind.CUT_TAIL, sentence, last, last, self._time, self._time)
        chain = self._chain
        if self._identity.certificate is None or chain.broken:
            return
        unsealed = chain.sealed_lines + (2 if chain.seals else 1)
        if chain.final and unsealed <= last:
            sentence = f"{line_span(unsealed, last)} after the final seal"
            yield Finding(Kind.AFTER_FINAL, sentence, unsealed, last, chain.sealed_until, self._time)
        elif not chain.final:
            yield from self._open_end(chain, unsealed)

    def _open_end(self, chain: SealChain, unsealed: int) -> Iterator[Finding]:
        if unsealed <= self._lines:
            sentence = f"{line_span(unsealed, self._lines)} under no seal"
            yield Finding(Kind.UNSEALED_TAIL, sentence, unsealed, self._lines, chain.sealed_until, self._time)
        sentence = (
            f"no final seal: it ends at {clock(self._time)}, and the file alone cannot say if more followed"
        )
        yield Finding(Kind.NO_FINAL, sentence, self._lines, self._lines, self._time, self._time)

    def _whole(self) -> Iterator[Finding]:
        """What only shows once everything was read."""
        unproved = self._chain.settle()
        if unproved is not None:
            yield unproved
        if self._lines == 0:
            yield Finding(Kind.HEADER, "the file holds no complete line", 1, 1, 0.0)
        elif self._header is not None and self._header.session is None:
            sentence = "there is nothing to check: this program did not make it"
            yield Finding(Kind.UNSIGNED, sentence, 1, 1, 0.0)
        yield from self._malformed.summary()
        yield from self._times_back.summary()
        yield from self._tail()

    def result(self) -> Integrity:
        found = [*self._findings, *self._whole()]
        chain = self._chain
        return Integrity(
            header=self._header,
            key=self._identity.key,
            certificate=self._identity.certificate,
            findings=tuple(sorted(found, key=lambda finding: finding.first_line)),
            seals=chain.seals,
            lines=self._lines,
            size_bytes=self.size,
            sealed_lines=chain.sealed_lines,
            sealed_until=chain.sealed_until,
            last_root=chain.last_root,
            root=chain.root,
            final=chain.final,
            exit_status=self._exit_status,
            duration=self._duration,
            sha256=self._digest.digest() if self._digest is not None else b"",
            wall_start=chain.wall_start,
            wall_end=chain.wall_end,
            clock_notes=tuple(chain.clock_notes),
            read_to_end=self._read_to_end,
        )
