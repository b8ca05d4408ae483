"""Recordings made with the real sealer, for tests to check and to tamper with."""

from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from recorder.cast.events import EXIT, OUTPUT, SEAL
from recorder.cast.v2 import Header, SessionHeader, encode_event, encode_header
from recorder.seal import certificate, keys
from recorder.seal.certificate import Certificate
from recorder.seal.sealer import Sealer
from recorder.seal.verify import Integrity, Trust, check_recording

HOST = "web-1"
SESSION = "20261120T101502-k7f3q9xw"
START_MS = 1_795_169_702_123
"""2026-11-20T10:15:02.123Z"""


def key(number: int) -> Ed25519PrivateKey:
    """A key that is the same in every run."""
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * keys.KEY_SIZE)


HOST_KEY = key(1)
SESSION_KEY = key(2)
NONCE = bytes(range(32))


def session_header(**changes: Any) -> SessionHeader:  # noqa: ANN401 - any field of the header
    line = certificate.issue(
        HOST_KEY, keys.public_bytes(SESSION_KEY), SESSION, HOST, START_MS // 1000, 42, nonce=NONCE
    )
    header = SessionHeader(
        format=1,
        session=SESSION,
        number=42,
        host=HOST,
        user="alice",
        uid=1000,
        origin="local",
        source=None,
        authentication=None,
        command=None,
        reason=None,
        terminal=(80, 24),
        boot_id="5b1e4f0a-6c1d-4e0b-9a39-0c6d8b1f2e44",
        monotonic=1234.5,
        recorder="sealcast 0.1.0",
        policy=None,
        certificate=line,
    )
    return replace(header, **changes)


def header(**changes: Any) -> Header:  # noqa: ANN401 - any field of the session
    env = {"TERM": "xterm-256color", "SHELL": "/bin/bash"}
    return Header(2, 80, 24, START_MS // 1000, env=env, session=session_header(**changes))


@dataclass
class Recording:
    """Lines as they are written, and the sealer that followed them."""

    sealer: Sealer
    lines: list[bytes] = field(default_factory=list)

    def write(self, line: bytes) -> None:
        self.lines.append(line)
        self.sealer.add(line)

    def event(self, time: float, code: str, data: str) -> None:
        self.write(encode_event(time, code, data))

    def seal(self, time: float, final: bool = False) -> None:
        self.event(time, SEAL, self.sealer.seal(START_MS + int(time * 1000), final))

    @property
    def bytes(self) -> bytes:
        return b"".join(self.lines)

    def signature(self, certified: Certificate) -> str:
        return self.sealer.file_signature(certified.blob)


def begin(session_key: Ed25519PrivateKey = SESSION_KEY, **changes: Any) -> Recording:  # noqa: ANN401 - as above
    head = header(**changes)
    assert head.session is not None
    recording = Recording(Sealer(f"{head.session.host}/{head.session.session}", session_key))
    recording.write(encode_header(head))
    return recording


def build(spans: int = 3, per_span: int = 5, final: bool = True) -> Recording:
    """A recording of `spans` seals with `per_span` lines of output before each, one line a second."""
    recording = begin()
    time = 0.0
    for span in range(spans):
        for number in range(per_span):
            time += 1
            recording.event(time, OUTPUT, f"\x1b[3{number % 8}mspan {span} line {number}\r\n")
        if span < spans - 1:
            recording.seal(time)
    recording.event(time, EXIT, "0")
    recording.seal(time, final)
    return recording


TRUSTED: Trust = {keys.public_bytes(HOST_KEY): HOST}


def check(lines: list[bytes], trust: Trust = TRUSTED) -> Integrity:
    return check_recording(iter(lines), trust)
