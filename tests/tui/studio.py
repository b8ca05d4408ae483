"""Stores with real recordings, made through the product's own notary, sealer and store, at set times."""

import fcntl
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from recorder.cast.events import EXIT, OUTPUT, RESIZE, SEAL
from recorder.cast.v2 import Header, SessionHeader, encode_event, encode_header
from recorder.log.notary import Admission, SessionRequest
from recorder.seal import certificate, keys
from recorder.seal.sealer import Sealer
from recorder.store.compression import compressed
from recorder.store.layout import Store
from recorder.store.reading import open_stored
from recorder.store.sealing import seal

START_MS = 1_789_221_731_084
"""2026-09-12T14:02:11.084Z"""
NS_PER_MS = 1_000_000

Event = tuple[float, str, str]


@dataclass
class Studio:
    """A store and a clock."""

    store: Store
    patch: pytest.MonkeyPatch
    made: list[str] = field(default_factory=list)

    def record(
        self,
        events: Iterable[Event],
        *,
        user: str = "alice",
        start_ms: int = START_MS,
        size: tuple[int, int] = (80, 24),
        exit_status: int | None = 0,
        title: str | None = None,
        marks: str | None = None,
        closed: bool = True,
        sealed: bool = True,
    ) -> str:
        """Record, and seal unless told otherwise; the session id. Not closed: as after a kill -9."""
        request = SessionRequest(
            user, 1004, "local", size, title=title, source={"ip": "10.9.1.22", "port": 50022}, marks=marks
        )
        key = Ed25519PrivateKey.generate()
        admission = self._admit(request, key, start_ms)
        descriptor = self.store.create_live(admission.session_id)
        try:
            sealer = Sealer(admission.origin, key)
            for line in _lines(sealer, admission, request, list(events), exit_status if closed else None):
                os.write(descriptor, line)
            if closed:
                blob = certificate.parse(admission.certificate, "test").blob
                self.store.write_signature(admission.session_id, sealer.file_signature(blob))
        finally:
            os.close(descriptor)
        if sealed:
            seal(self.store, admission.session_id)
        return admission.session_id

    def hold(self, session_id: str) -> IO[bytes]:
        """Stand in for the worker of a session that is not sealed: as long as this is open, it is live."""
        file = self.store.live_path(session_id).open("ab")
        fcntl.flock(file, fcntl.LOCK_EX)
        return file

    def _admit(self, request: SessionRequest, key: Ed25519PrivateKey, start_ms: int) -> Admission:
        number = len(self.made) + 1
        with self.patch.context() as patch:
            patch.setattr("time.time_ns", lambda: start_ms * NS_PER_MS)
            patch.setattr("recorder.log.notary.new_session_id", lambda start: _session_id(start, number))
            admission = self.store.notary.admit(request, keys.public_bytes(key))
        self.made.append(admission.session_id)
        return admission


def _session_id(start_ms: int, number: int) -> str:
    """`20260912T140211-11111111` for the first one."""
    start = datetime.fromtimestamp(start_ms // 1000, UTC)
    return f"{start:%Y%m%dT%H%M%S}-{str(number % 10) * 8}"


def _lines(
    sealer: Sealer,
    admission: Admission,
    request: SessionRequest,
    events: list[Event],
    exit_status: int | None,
) -> Iterable[bytes]:
    session = SessionHeader(
        format=1,
        session=admission.session_id,
        number=admission.number,
        host=admission.host,
        user=request.user,
        uid=request.uid,
        origin=request.origin,
        source=request.source,
        authentication=None,
        command=None,
        reason=None,
        terminal=request.terminal,
        boot_id="5b1e4f0a-6c1d-4e0b-9a39-0c6d8b1f2e44",
        monotonic=1234.5,
        recorder="sealcast test",
        policy=None,
        certificate=admission.certificate,
        marks=request.marks,
    )
    cols, rows = request.terminal
    header = Header(2, cols, rows, admission.start_ms // 1000, title=request.title, session=session)
    lines = [encode_header(header)]
    sealer.add(lines[0])
    unsealed: float | None = 0.0
    for time, code, data in events:
        if unsealed is not None and time - unsealed > 1:
            lines.append(_seal(sealer, admission, unsealed + 1))
            unsealed = None
        lines.append(encode_event(time, code, data))
        sealer.add(lines[-1])
        unsealed = time if unsealed is None else unsealed
    if exit_status is not None:
        end = events[-1][0] if events else 0.0
        lines.append(encode_event(end, EXIT, str(exit_status)))
        sealer.add(lines[-1])
        lines.append(_seal(sealer, admission, end, final=True))
    return lines


def _seal(sealer: Sealer, admission: Admission, time: float, final: bool = False) -> bytes:
    note = sealer.seal(admission.start_ms + int(time * 1000), final)
    line = encode_event(time, SEAL, note)
    sealer.add(line)
    return line


def demo_events() -> list[Event]:
    """Six minutes: prompts, colours, idle from 01:44 to 03:56, a full-screen program, a resize, a mark."""
    events: list[Event] = [(0.5, OUTPUT, "alice@web-03:~$ ")]
    for number, command in enumerate(("uptime", "kubectl -n shop get pods", "psql -h db-main.prod")):
        start = 3.0 + number * 30
        events += [(start + i * 0.11, OUTPUT, letter) for i, letter in enumerate(command)]
        events.append(
            (start + 4, OUTPUT, f"\r\n\x1b[1;3{number + 1}manswer {number}\x1b[0m to {command}\r\n")
        )
        events.append((start + 4.005, OUTPUT, "alice@web-03:~$ "))
    events += [(72 + i * 0.4, OUTPUT, f"line {i}\r\n") for i in range(81)]
    events.append((236.0, OUTPUT, "back again\r\n"))
    events.append((300.0, "m", "restart"))
    events.append((301.0, OUTPUT, "\x1b[?1049h\x1b[H\x1b[2Ja full-screen program\x1b[5;5H日本語 e\u0301"))
    events.append((320.0, RESIZE, "100x30"))
    events.append((330.0, OUTPUT, "\x1b[?1049l"))
    events.append((340.0, OUTPUT, "alice@web-03:~$ exit\r\n"))
    return sorted(events)


def make_store(root: Path, patch: pytest.MonkeyPatch) -> Studio:
    """An empty store."""
    store = Store(root)
    patch.setattr("socket.gethostname", lambda: "web-03.prod")
    key = Ed25519PrivateKey.from_private_bytes(b"\x07" * keys.KEY_SIZE)
    patch.setattr("recorder.store.hostkey.generate_key", lambda: key)
    store.prepare()
    return Studio(store, patch)


def change_line(store: Store, session_id: str, old: bytes, new: bytes) -> None:
    """Tamper with a sealed recording."""
    path = store.sealed_path(session_id)
    with open_stored(path) as file:
        text = file.read()
    assert old in text
    path.chmod(0o600)
    path.write_bytes(b"".join(compressed([text.replace(old, new)])))
