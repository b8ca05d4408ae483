"""C2SP signed notes, checkpoints and verifier keys (c2sp.org/signed-note, c2sp.org/tlog-checkpoint)."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from recorder.errors import FormatError
from recorder.seal import base64_text
from recorder.seal.keys import KEY_SIZE, public_bytes, verify
from recorder.seal.merkle import HASH_SIZE
from recorder.seal.refusals import UnknownKeyError

MAX_NOTE = 1024 * 1024
MAX_SIGNATURES = 100
_ED25519 = 1
_MAX_SIZE = 2**63 - 1
_SIGNATURE_LINE = re.compile("— ([^ +\n]+) ([A-Za-z0-9+/]+={0,2})")
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
_DECIMAL = re.compile("0|[1-9][0-9]{0,18}")


class OpenedNote(NamedTuple):
    """A note's text, and the names of the keys whose signatures were checked."""

    text: str
    names: tuple[str, ...]


class NoteSignature(NamedTuple):
    """One signature line, not checked."""

    name: str
    key_id: bytes
    signature: bytes


def key_id(name: str, public: bytes) -> bytes:
    """The four bytes that tell a named key's signatures apart."""
    return sha256(name.encode() + b"\n" + bytes([_ED25519]) + public).digest()[:4]


def vkey(name: str, public: bytes) -> str:
    """A verifier key: `name+hex key id+base64`."""
    _check_name(name)
    return f"{name}+{key_id(name, public).hex()}+{base64_text.encode(bytes([_ED25519]) + public)}"


def parse_vkey(text: str, where: str = "verifier key") -> tuple[str, bytes]:
    """The name and the 32 bytes of an Ed25519 verifier key."""
    name, _, rest = text.partition("+")
    hexadecimal, _, encoded = rest.partition("+")
    _check_name(name, where)
    data = base64_text.decode(encoded, where)
    if len(data) != 1 + KEY_SIZE or data[0] != _ED25519:
        raise FormatError("not an Ed25519 verifier key", where)
    if key_id(name, data[1:]).hex() != hexadecimal:
        raise FormatError("the key id does not belong to this name and key", where)
    return name, data[1:]


def sign_note(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """`text`, which ends with a newline, as a note signed under `name`."""
    _check_name(name)
    _check_text(text, "note")
    signature = key_id(name, public_bytes(key)) + key.sign(text.encode())
    return f"{text}\n— {name} {base64_text.encode(signature)}\n"


def split_note(note: str, where: str = "note") -> tuple[str, list[NoteSignature]]:
    """The text and its signatures, none of them checked yet."""
    if len(note) > MAX_NOTE:
        raise FormatError(f"longer than {MAX_NOTE} characters", where)
    text, separator, lines = note.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        raise FormatError("not a signed note (no signature after a blank line)", where)
    _check_text(text + "\n", where)
    signatures = lines[:-1].split("\n")
    if len(signatures) > MAX_SIGNATURES:
        raise FormatError(f"more than {MAX_SIGNATURES} signatures", where)
    return text + "\n", [_parse_signature(line, where) for line in signatures]


def open_note(note: str, verifiers: Mapping[tuple[str, bytes], bytes], where: str = "note") -> OpenedNote:
    """The text of a note that at least one of the verifiers, keyed by name and key id, has signed.

    Signatures of other keys are passed over. UnknownKeyError when there is no other kind, BadSignatureError
    when a known key's signature does not match.
    """
    text, signatures = split_note(note, where)
    names: list[str] = []
    for item in signatures:
        public = verifiers.get((item.name, item.key_id))
        if public is not None and item.name not in names:
            verify(public, item.signature, text.encode(), where)
            names.append(item.name)
    if not names:
        raise UnknownKeyError(f"{where}: not signed by a known key")
    return OpenedNote(text, tuple(names))


class Checkpoint(NamedTuple):
    """The head of a tree: what a log promises to have at this moment."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The note text, last newline included."""
        head = (self.origin, str(self.size), base64_text.encode(self.root))
        return "".join(f"{line}\n" for line in head + self.extensions)


def parse_checkpoint(text: str, where: str = "checkpoint") -> Checkpoint:
    """The checkpoint that has exactly this text."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() != "" or "" in lines:
        raise FormatError("not a checkpoint (origin, size, root, each on a line)", where)
    origin, size, root, *extensions = lines
    if not _DECIMAL.fullmatch(size) or int(size) > _MAX_SIZE:
        raise FormatError("the size is not a decimal number", where)
    hash_ = base64_text.decode(root, where)
    if len(hash_) != HASH_SIZE:
        raise FormatError(f"a root of {len(hash_)} bytes", where)
    return Checkpoint(origin, int(size), hash_, tuple(extensions))


def _parse_signature(line: str, where: str) -> NoteSignature:
    match = _SIGNATURE_LINE.fullmatch(line)
    if match is None:
        raise FormatError("a malformed signature line", where)
    _check_name(match[1], where)
    data = base64_text.decode(match[2], where)
    if len(data) < 5:
        raise FormatError("a signature without bytes", where)
    return NoteSignature(match[1], data[:4], data[4:])


def _check_name(name: str, where: str = "key name") -> None:
    if not name or "+" in name or " " in name or not name.isprintable():  # the only printable space
        raise FormatError("empty, or with a space, a control character or +", where)


def _check_text(text: str, where: str) -> None:
    if not text.endswith("\n") or text == "\n":
        raise FormatError("the text of a note ends with a newline", where)
    if _CONTROL.search(text):
        raise FormatError("a control character", where)
