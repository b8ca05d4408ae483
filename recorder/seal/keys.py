"""Ed25519 keys in OpenSSH's formats."""

import os
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from recorder.errors import FormatError
from recorder.seal import base64_text
from recorder.seal.refusals import BadSignatureError
from recorder.seal.ssh_wire import WireReader, string, uint32

KEY_TYPE = "ssh-ed25519"
KEY_SIZE = 32
SIGNATURE_SIZE = 64
_MAX_KEY_FILE = 64 * 1024
_PRIVATE_MAGIC = b"openssh-key-v1\0"
_PRIVATE_BLOCK = 8
_PRIVATE_BEGIN = "-----BEGIN OPENSSH PRIVATE KEY-----"
_PRIVATE_END = "-----END OPENSSH PRIVATE KEY-----"
_COLUMNS = 70


class PublicLine(NamedTuple):
    """One line of a `.pub` file: the 32 bytes of the key, and its comment."""

    public: bytes
    comment: str


def generate_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of the public half."""
    return key.public_key().public_bytes_raw()


def private_key_bytes(key: Ed25519PrivateKey, comment: str = "") -> bytes:
    """The key as an OpenSSH private key file (openssh PROTOCOL.key) without a passphrase."""
    if not comment.isprintable():
        raise FormatError("a key comment holds control characters")
    public = public_bytes(key)
    secret = b"".join((
        os.urandom(4) * 2,
        public_blob(public),
        string(key.private_bytes_raw() + public),
        string(comment.encode()),
    ))  # fmt: skip
    padding = bytes(range(1, 1 + -len(secret) % _PRIVATE_BLOCK))
    unlocked = string(b"none") * 2 + string(b"")
    blob = _PRIVATE_MAGIC + unlocked + uint32(1) + string(public_blob(public)) + string(secret + padding)
    text = base64_text.encode(blob)
    lines = [text[start : start + _COLUMNS] for start in range(0, len(text), _COLUMNS)]
    return "\n".join([_PRIVATE_BEGIN, *lines, _PRIVATE_END, ""]).encode()


def load_private_key(data: bytes, where: str) -> Ed25519PrivateKey:
    """The key in an OpenSSH private key file; FormatError if it is locked or of another kind."""
    if len(data) > _MAX_KEY_FILE:
        raise FormatError("too large for a private key", where)
    try:
        key = serialization.load_ssh_private_key(data, password=None)
    except TypeError:
        raise FormatError(
            "the private key is locked with a passphrase",
            where,
            "a host key is used unattended: make one without",
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise FormatError("not an OpenSSH private key", where) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise FormatError("not an Ed25519 key", where, "make one with: ssh-keygen -t ed25519")
    return key


def public_blob(public: bytes) -> bytes:
    """The key in SSH wire form."""
    return string(KEY_TYPE.encode()) + string(public)


def parse_public_blob(blob: bytes, where: str) -> bytes:
    """The 32 bytes in a wire-form Ed25519 key."""
    reader = WireReader(blob, where)
    reader.expect(KEY_TYPE.encode(), "the key type")
    public = reader.string()
    reader.end()
    if len(public) != KEY_SIZE:
        raise FormatError(f"an Ed25519 key of {len(public)} bytes", where)
    return public


def openssh_line(public: bytes, comment: str = "") -> str:
    """`ssh-ed25519 AAAA… comment`, without a newline."""
    return f"{KEY_TYPE} {base64_text.encode(public_blob(public))} {comment}".rstrip()


def parse_public_line(line: str, where: str) -> PublicLine:
    """The key in one line of a `.pub` file."""
    if len(line) > _MAX_KEY_FILE:
        raise FormatError("too long for a public key", where)
    kind, _, rest = line.rstrip("\n").partition(" ")
    blob, _, comment = rest.partition(" ")
    if kind != KEY_TYPE or not blob:
        raise FormatError("not an ssh-ed25519 public key", where)
    if not comment.isprintable():
        raise FormatError("a key comment holds control characters", where)
    return PublicLine(parse_public_blob(base64_text.decode(blob, where), where), comment)


def fingerprint(public: bytes) -> str:
    """As `ssh-keygen -l` shows it: `SHA256:` and unpadded base64."""
    return "SHA256:" + base64_text.encode(sha256(public_blob(public)).digest()).rstrip("=")


def verify(public: bytes, signature: bytes, message: bytes, what: str) -> None:
    """BadSignatureError, naming `what` was signed, unless this key signed the message."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise BadSignatureError(f"the signature of {what} does not match") from None
