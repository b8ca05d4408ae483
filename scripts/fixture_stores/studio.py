"""A store, and sessions recorded into it by the real recorder, notary and sealer, at any speed."""

import os
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from recorder.capture.recording import Recording
from recorder.cast.events import ERROR, OUTPUT
from recorder.cast.v2 import encode_header
from recorder.log import notary
from recorder.log.entries import CROCKFORD
from recorder.log.notary import Admission, SessionRequest
from recorder.seal import certificate
from recorder.seal.keys import generate_key, public_bytes
from recorder.seal.sealer import Sealer
from recorder.store.layout import Store
from recorder.store.opening import recording_header
from recorder.store.sealing import seal_all
from scripts.fixture_stores.clock import FOUNDED_MS, Clock, told

Step = tuple[float, str, str]
"""Seconds since the start, an event's code, its data. `ERROR` here is output on standard error."""

_SEAL_MARGIN: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Take:
    """One session as it is to be recorded."""

    name: str
    """The second half of its id: 8 characters."""
    start_ms: int
    request: SessionRequest
    steps: Sequence[Step]
    end_s: float
    exit_status: int | None = 0
    closed: bool = True
    """False: its worker is killed at `end_s`."""


class Studio:
    """Records into one store."""

    def __init__(self, root: Path, host: str) -> None:
        """Makes the store, with a host key of that name, unless it is there."""
        self.clock = Clock(FOUNDED_MS)
        self.store = Store(root)
        with self._telling(host):
            self.store.prepare()

    def record(self, *takes: Take, sealed: bool = True) -> list[str]:
        """Record sessions, opened together and sealed together; their ids."""
        with told(self.clock):
            opened = self._open(takes)
            for take, admission, key in opened:
                self._perform(take, admission, key)
            session_ids = [admission.session_id for _, admission, _ in opened]
            if sealed:
                seal_all(self.store, session_ids)
            self.store.close()
        return session_ids

    @contextmanager
    def _telling(self, host: str) -> Iterator[None]:
        with told(self.clock), patch("recorder.store.hostkey.own_name", lambda: host):
            yield

    def _open(self, takes: Sequence[Take]) -> list[tuple[Take, Admission, Ed25519PrivateKey]]:
        """The notary's word on each, under one checkpoint."""
        opened = []
        with self.store.notary.batch() as batch:
            for take in takes:
                self.clock.set(take.start_ms)
                key = generate_key()
                with _named(take.name):
                    opened.append((take, batch.admit(take.request, public_bytes(key)), key))
        return opened

    def _perform(self, take: Take, admission: Admission, key: Ed25519PrivateKey) -> None:
        self.clock.set(take.start_ms)
        descriptor = self.store.create_live(admission.session_id)
        recording = Recording(descriptor, Sealer(admission.origin, key), 0.0, ImmediateSync)
        try:
            recording.begin(encode_header(recording_header(admission, take.request, 0.0)))
            play(recording, self.clock, take.steps)
            until(recording, self.clock, take.end_s)
            if take.closed:
                blob = certificate.parse(admission.certificate, "fixture").blob
                armor = recording.finish(take.exit_status, blob)
                self.store.write_signature(admission.session_id, armor)
        finally:
            recording.close()


class ImmediateSync:
    """Nobody waits for the output of these sessions; a thread for each took a tenth of the time."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def request(self) -> None:
        """Sync now."""
        os.fdatasync(self._fd)

    def stop(self) -> None:
        """Nothing is running."""


def play(recording: Recording, clock: Clock, steps: Sequence[Step]) -> None:
    """Let the steps happen at their times, and the seals when they are due."""
    for time, code, data in steps:
        until(recording, clock, time)
        if code in {OUTPUT, ERROR}:
            recording.output(data.encode("utf-8", "surrogateescape"), error=code == ERROR)
        else:
            recording.event(code, data)


def until(recording: Recording, clock: Clock, seconds: float) -> None:
    """Nothing happens until then, but for the seal that falls due."""
    left = recording.seconds_to_seal()
    if left is not None and clock.monotonic() + left <= seconds:
        clock.pass_to(clock.monotonic() + left + _SEAL_MARGIN)
        recording.seal()
    clock.pass_to(max(seconds, clock.monotonic()))


@contextmanager
def _named(name: str) -> Iterator[None]:
    """The next session's id ends with this name."""
    made: Callable[[int], str] = notary.new_session_id

    def named(start_ms: int) -> str:
        return made(start_ms)[:-8] + name

    with patch("recorder.log.notary.new_session_id", named):
        yield


def random_name(source: random.Random) -> str:
    """8 characters as in a session id."""
    return "".join(source.choices(CROCKFORD, k=8))


def in_memory(room_bytes: int) -> Path | None:
    """A directory in memory with so much room: there an fsync costs nothing."""
    try:
        found = os.statvfs("/dev/shm")
    except OSError:
        return None
    enough = found.f_bavail * found.f_frsize > room_bytes and os.access("/dev/shm", os.W_OK | os.X_OK)
    return Path("/dev/shm") if enough else None
