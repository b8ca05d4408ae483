"""The examples of docs/format.md, made anew from fixed keys.

`python -m tests.seal.format_examples` writes them into the document; a test compares them.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from struct import pack

import orjson

from recorder.capture.elision import CappedStream, Caps
from recorder.capture.sftp import Fact, SftpObserver
from recorder.capture.stream_plan import StreamPlan
from recorder.capture.transfer import judge
from recorder.cast.events import BYTES, ELISION, EXIT, FILE, KEY, OUTPUT, RESIZE, TRANSFER
from recorder.cast.v2 import encode_event, parse_event
from recorder.seal import certificate, keys, note
from recorder.seal.merkle import leaf_hash
from tests.seal.recordings import HOST, HOST_KEY, Recording, begin, session_header

DOCUMENT = Path(__file__).parents[2] / "docs" / "format.md"
_MARKED = re.compile(
    r"(?P<mark><!-- example: (?P<name>[a-z-]+) -->\n```[a-z]*\n)(?P<text>.*?)(?=^```$)",
    re.MULTILINE | re.DOTALL,
)


def recording() -> Recording:
    """What docs/format.md calls example.cast."""
    cast = begin()
    cast.event(0.250113, OUTPUT, "\x1b[1m$\x1b[0m ")
    cast.event(1.5, KEY, "enter echo canonical")
    cast.event(1.50002, OUTPUT, "printf 'caf\\351'\r\ncaf\ufffd")
    cast.event(1.50002, BYTES, b64encode(b"printf 'caf\\351'\r\ncaf\xe9").decode())
    cast.seal(1.6)
    cast.event(2.75, RESIZE, "100x30")
    cast.event(3, EXIT, "0")
    cast.seal(3, final=True)
    return cast


def examples() -> Iterator[tuple[str, str]]:
    """Every example's name and exact text."""
    cast = recording()
    certified = certificate.parse(session_header().certificate, "example")
    _, (signature,) = note.split_note(first_seal(cast))
    yield "recording", cast.bytes.decode()
    yield "header", cast.lines[0].decode()
    yield "bytes", "".join(line.decode() for line in cast.lines[3:5])
    left_out = CappedStream("input", 0, print)
    left_out.take(b"abc")
    yield "left-out", encode_event(4.25, ELISION, left_out.report() or "").decode()
    yield "transfer", "".join(encode_event(*line).decode() for line in _transfer())
    yield "leaves", "".join(f"{leaf_hash(line).hex()}  line {n}\n" for n, line in enumerate(cast.lines, 1))
    yield "seal", cast.lines[5].decode()
    yield "note", first_seal(cast)
    yield "note-signature", f"{signature.key_id.hex()}  key id\n{signature.signature.hex()}  signature\n"
    yield "session-vkey", note.vkey(signature.name, certified.public_key) + "\n"
    yield "host-key", keys.openssh_line(keys.public_bytes(HOST_KEY), f"sealcast {HOST}") + "\n"
    yield "certificate", certified.line() + "\n"
    yield "signature", cast.signature(certified)
    yield "allowed-signers", allowed_signers()


def _transfer() -> Iterator[tuple[float, str, str]]:
    """What an upload by sftp leaves."""
    transfer = judge(b"/usr/lib/openssh/sftp-server")
    caps = Caps(0, 0, None, with_input=True)
    yield 0.031, TRANSFER, StreamPlan(caps, caps, transfer, "/usr/lib/openssh/sftp-server").facts() or ""
    facts: list[Fact] = []
    observer = SftpObserver(facts.append)
    observer.client(memoryview(pack(">IBII2sII", 19, 3, 1, 2, b"/a", 0x1A, 0)))
    observer.server(memoryview(pack(">IBII1s", 10, 102, 1, 1, b"h")))
    observer.client(memoryview(pack(">IBII1sQI5s", 27, 6, 2, 1, b"h", 0, 5, b"hello")))
    observer.server(memoryview(pack(">IBII", 9, 101, 2, 0)))
    observer.client(memoryview(pack(">IBII1s", 10, 4, 3, 1, b"h")))
    observer.server(memoryview(pack(">IBII", 9, 101, 3, 0)))
    yield 0.047, FILE, orjson.dumps(facts[0]).decode()


def allowed_signers() -> str:
    host = keys.openssh_line(keys.public_bytes(HOST_KEY))
    return f'{HOST} cert-authority,namespaces="sealcast" {host}\n'


def first_seal(cast: Recording) -> str:
    """The note in the recording's first seal."""
    return parse_event(cast.lines[5], "example.cast:6").data


def with_examples(document: str) -> str:
    """The document with each marked example's text as it is now."""
    texts = dict(examples())
    return _MARKED.sub(lambda match: match["mark"] + texts[match["name"]], document)


def marked_names(document: str) -> list[str]:
    return [match["name"] for match in _MARKED.finditer(document)]


if __name__ == "__main__":
    DOCUMENT.write_text(with_examples(DOCUMENT.read_text()))
