"""Recordings made by the real parts, without a terminal."""

import os
from collections.abc import Callable
from pathlib import Path

from recorder.cast.header import Header, encode_header
from recorder.cast.session_header import SessionHeader
from recorder.cast.v2 import encode_event
from recorder.log.notary import Admission, SessionRequest
from recorder.seal import certificate
from recorder.seal.keys import generate_key, public_bytes
from recorder.seal.sealer import Sealer
from recorder.store.checking import Checker, Verdict, check
from recorder.store.compression import compressed
from recorder.store.layout import Store
from recorder.store.reading import open_stored
from recorder.store.targets import Target, resolve

SEAL_EVERY = 5
REQUEST = SessionRequest("alice", 1000, "local", (80, 24), command="bash -l", title="a title")


def header_of(admission: Admission, request: SessionRequest = REQUEST) -> Header:
    """The header that `sealcast rec` would write."""
    session = SessionHeader(
        format=1,
        session=admission.session_id,
        number=admission.number,
        host=admission.host,
        user=request.user,
        uid=request.uid,
        origin=request.origin,
        source=None,
        authentication=None,
        command=request.command,
        reason=None,
        terminal=request.terminal,
        boot_id="boot",
        monotonic=1.0,
        recorder="sealcast 0.1.0",
        policy=None,
        certificate=admission.certificate,
    )
    return Header(2, 80, 24, timestamp=admission.start_ms // 1000, title=request.title, session=session)


class Worker:
    """Writes one live file as a worker does; `close` lets go of it."""

    def __init__(self, store: Store) -> None:
        store.prepare()
        self._store = store
        self._key = generate_key()
        self.admission = store.notary.admit(REQUEST, public_bytes(self._key))
        self.id = self.admission.session_id
        self._sealer = Sealer(self.admission.origin, self._key)
        self._descriptor = store.create_live(self.id)
        self._time = 0.0
        self.put(encode_header(header_of(self.admission)))

    def put(self, line: bytes) -> None:
        self._sealer.add(line)
        os.write(self._descriptor, line)

    def show(self, text: str) -> None:
        self._time += 0.1
        self.put(encode_event(self._time, "o", text))

    def seal(self, final: bool = False) -> None:
        note = self._sealer.seal(self.admission.start_ms + int(self._time * 1000), final)
        self.put(encode_event(self._time, "S", note))

    def finish(self, status: int = 0) -> None:
        """The exit status, the final seal and the closing signature."""
        self.put(encode_event(self._time, "X", str(status)))
        self.seal(final=True)
        self._store.write_signature(self.id, self.file_signature())

    def file_signature(self) -> str:
        blob = certificate.parse(self.admission.certificate, "certificate").blob
        return self._sealer.file_signature(blob)

    def write_raw(self, data: bytes) -> None:
        """Bytes that the worker did not get to count: a line cut by its death."""
        os.write(self._descriptor, data)

    def close(self) -> None:
        self._store.release(self.id)
        os.close(self._descriptor)


def record(
    store: Store, lines: int = 20, *, finished: bool = True, text: Callable[[int], str] = "line {}\r\n".format
) -> str:
    """A recording in `live/` whose worker is gone: `lines` of output, a seal after every fifth."""
    worker = Worker(store)
    for number in range(lines):
        worker.show(text(number))
        if number % SEAL_EVERY == SEAL_EVERY - 1:
            worker.seal()
    if finished:
        worker.finish()
    worker.close()
    return worker.id


def text_of(store: Store, session_id: str) -> bytes:
    """The plain text of a sealed recording."""
    with open_stored(store.sealed_path(session_id)) as file:
        return file.read()


def rewrite(store: Store, session_id: str, text: bytes) -> None:
    """Exchange a sealed recording, as someone with write access to the store could."""
    store.sealed_path(session_id).write_bytes(b"".join(compressed([text])))


def verdict_of(store: Store, name: str) -> Verdict:
    """Check as the command line does; with one reading of the log for every session it is the same."""
    target = resolve(store, name)
    assert target == resolve(store, name, Checker(store).sessions)
    verdict = check(store, target)
    assert verdict == Checker(store).check(target)
    return verdict


def verdict_of_file(store: Store, path: Path) -> Verdict:
    return check(store, Target(path, None))
