"""How fast recordings are verified, against SHA-256 over the same bytes."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from recorder.capture.recording import Recording
from recorder.cast.reader import iter_lines
from recorder.cast.v2 import encode_header
from recorder.log.notary import SessionRequest
from recorder.seal.certificate import parse
from recorder.seal.keys import generate_key, public_bytes
from recorder.seal.sealer import Sealer
from recorder.seal.verify import check_recording
from recorder.store import trust
from recorder.store.checking import check
from recorder.store.layout import Store
from recorder.store.opening import recording_header
from recorder.store.sealing import seal
from recorder.store.state import State
from recorder.store.targets import resolve
from scripts.benchmarks.data import log_lines
from scripts.benchmarks.errors import BenchError
from scripts.benchmarks.results import OURS, Measure, Results

_GROUP = "verification"
SHA256 = "sha256"
WHOLE = "sealcast, sealed file"
_BULK_EVENT = 16 * 1024
_READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Prepared:
    """A recording as text in a file of its own, and sealed in a store."""

    name: str
    store: Store
    session: str
    plain: Path
    size: int
    lines: int

    @classmethod
    def make(cls, name: str, root: Path, size: int) -> "Prepared":
        """Record `size` bytes of a log: `bulk` in events of 16 KiB, `short lines` line by line."""
        store = Store(root / name.replace(" ", "-"))
        store.prepare()
        session = _record(store, first_bytes(_PIECES[name](), size))
        plain = root / f"{session}.cast"
        plain.write_bytes(store.live_path(session).read_bytes())
        seal(store, session)
        text = plain.read_bytes()
        return cls(name, store, session, plain, len(text), text.count(b"\n"))


def first_bytes(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Pieces until they make `size` bytes."""
    while size > 0:
        piece = next(pieces)
        size -= len(piece)
        yield piece


def _large() -> Iterator[bytes]:
    for chunk in log_lines():
        for start in range(0, len(chunk), _BULK_EVENT):
            yield chunk[start : start + _BULK_EVENT]


def _short() -> Iterator[bytes]:
    for chunk in log_lines():
        yield from chunk.splitlines(keepends=True)


_PIECES: dict[str, Callable[[], Iterator[bytes]]] = {"bulk": _large, "short lines": _short}
KINDS = tuple(_PIECES)


def _record(store: Store, pieces: Iterator[bytes]) -> str:
    key = generate_key()
    request = SessionRequest("bench", os.getuid(), "local", (120, 40))
    admission = store.notary.admit(request, public_bytes(key))
    started = time.monotonic()
    session = admission.session_id
    recording = Recording(store.create_live(session), Sealer(f"{admission.host}/{session}", key), started)
    recording.begin(encode_header(recording_header(admission, request, started)))
    for piece in pieces:
        recording.output(piece)
    blob = parse(admission.certificate, "the notary's certificate").blob
    store.write_signature(session, recording.finish(0, blob))
    recording.close()
    return session


def measure(results: Results, prepared: Prepared) -> None:
    """One round: SHA-256, the verifier on the plain text, and all that the command does, log included."""
    works: dict[str, Callable[[], object]] = {
        SHA256: lambda: _hash(prepared.plain),
        OURS: lambda: _verify(prepared),
        WHOLE: lambda: _check(prepared),
    }
    speed = Measure(f"verification: {prepared.name}", "MB/s", more_is_better=True, digits=0, group=_GROUP)
    lines = replace(speed, name=f"{speed.name}, lines", unit="lines/s")
    for name, work in works.items():
        start = time.perf_counter()
        work()
        elapsed = time.perf_counter() - start
        results.add(speed, name, prepared.size / elapsed / 1e6)
        if name != SHA256:
            results.add(lines, name, prepared.lines / elapsed)


def _hash(path: Path) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while data := file.read(_READ_BYTES):
            digest.update(data)
    return digest.digest()


def _verify(prepared: Prepared) -> None:
    certifiers = trust.certifiers(trust.read_keys(prepared.store.trusted_path))
    with prepared.plain.open("rb", buffering=_READ_BYTES) as file:
        integrity = check_recording(iter_lines(file), certifiers)
    if integrity.findings or not integrity.final:
        raise BenchError("the prepared recording does not verify")


def _check(prepared: Prepared) -> None:
    verdict = check(prepared.store, resolve(prepared.store, prepared.session))
    if verdict.state is not State.VERIFIED:
        raise BenchError(f"the prepared recording is {verdict.word}")
