"""OpenSSH certificates for session keys (openssh PROTOCOL.certkeys)."""

import os
from dataclasses import dataclass
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from recorder.errors import FormatError
from recorder.seal import base64_text
from recorder.seal.keys import (
    KEY_SIZE,
    KEY_TYPE,
    SIGNATURE_SIZE,
    parse_public_blob,
    public_blob,
    public_bytes,
    verify,
)
from recorder.seal.ssh_wire import WireReader, string, uint32, uint64

CERTIFICATE_TYPE = "ssh-ed25519-cert-v01@openssh.com"
FOREVER = 2**64 - 1
NONCE_SIZE = 32
_USER = 1
"""`ssh-keygen -Y verify` accepts signatures by user certificates only."""
_MAX_LINE = 16 * 1024


class _Statement(NamedTuple):
    """Everything that the certifying key signs."""

    nonce: bytes
    public: bytes
    serial: int
    key_id: str
    principals: tuple[str, ...]
    validity: tuple[int, int]
    ca_public: bytes

    def encode(self) -> bytes:
        return b"".join((
            string(CERTIFICATE_TYPE.encode()),
            string(self.nonce),
            string(self.public),
            uint64(self.serial),
            uint32(_USER),
            string(self.key_id.encode()),
            string(b"".join(string(name.encode()) for name in self.principals)),
            uint64(self.validity[0]),
            uint64(self.validity[1]),
            string(b"") * 3,
            string(public_blob(self.ca_public)),
        ))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the certifying key said; nothing of it is true before `verify`."""

    public_key: bytes
    serial: int
    key_id: str
    principals: tuple[str, ...]
    valid_after: int
    """Seconds since 1970."""
    valid_before: int
    ca_public: bytes
    blob: bytes
    """The whole certificate in SSH wire form, signature included."""

    def verify(self) -> None:
        """BadSignatureError unless the key named in the certificate signed it."""
        signature = self.blob[-SIGNATURE_SIZE:]
        signed = self.blob[: -len(string(_signature_field(signature)))]
        verify(self.ca_public, signature, signed, "the session key's certificate")

    def line(self) -> str:
        """Type and base64, as in a `-cert.pub` file."""
        return f"{CERTIFICATE_TYPE} {base64_text.encode(self.blob)}"


def issue(  # noqa: PLR0913, PLR0917 - the fields of a certificate
    host_key: Ed25519PrivateKey,
    session_public: bytes,
    key_id: str,
    principal: str,
    valid_after: int,
    serial: int,
    *,
    nonce: bytes | None = None,
) -> str:
    """A certificate line for `session_public`, valid from `valid_after` (seconds since 1970) without end.

    `nonce` is random unless given.
    """
    validity = (valid_after, FOREVER)
    body = _Statement(
        nonce or os.urandom(NONCE_SIZE),
        session_public,
        serial,
        key_id,
        (principal,),
        validity,
        public_bytes(host_key),
    ).encode()
    blob = body + string(_signature_field(host_key.sign(body)))
    return f"{CERTIFICATE_TYPE} {base64_text.encode(blob)}"


def parse(line: str, where: str) -> Certificate:
    """The certificate in `type base64`, with or without a comment behind it."""
    if len(line) > _MAX_LINE:
        raise FormatError("too long for a certificate", where)
    kind, _, rest = line.strip("\n").partition(" ")
    if kind != CERTIFICATE_TYPE:
        raise FormatError(f"not an {CERTIFICATE_TYPE} certificate", where)
    return parse_blob(base64_text.decode(rest.partition(" ")[0], where), where)


def parse_blob(blob: bytes, where: str) -> Certificate:
    """The certificate in SSH wire form; only the one shape that `issue` writes is accepted."""
    reader = WireReader(blob, where)
    reader.expect(CERTIFICATE_TYPE.encode(), "the certificate type")
    nonce, public = reader.string(), reader.string()
    serial, _ = reader.uint64(), reader.uint32()
    name, principals = reader.text(), _principals(reader.string(), where)
    validity = reader.uint64(), reader.uint64()
    for _field in ("critical options", "extensions", "reserved"):
        reader.string()
    ca_public = parse_public_blob(reader.string(), where)
    signature = _parse_signature_field(reader.string(), where)
    reader.end()
    statement = _Statement(nonce, public, serial, name, principals, validity, ca_public)
    # covers what was passed over above: the type, and that there are no options and extensions
    same = statement.encode() + string(_signature_field(signature)) == blob
    if not same or len(public) != KEY_SIZE or len(nonce) != NONCE_SIZE:
        raise FormatError("not a certificate as issued for session keys", where)
    return Certificate(public, serial, name, principals, *validity, ca_public, blob)


def _principals(packed: bytes, where: str) -> tuple[str, ...]:
    reader = WireReader(packed, where)
    names: list[str] = []
    while reader.left:
        names.append(reader.text())
    return tuple(names)


def _signature_field(signature: bytes) -> bytes:
    return string(KEY_TYPE.encode()) + string(signature)


def _parse_signature_field(field: bytes, where: str) -> bytes:
    reader = WireReader(field, where)
    reader.expect(KEY_TYPE.encode(), "the signature type")
    signature = reader.string()
    reader.end()
    if len(signature) != SIGNATURE_SIZE:
        raise FormatError(f"an Ed25519 signature of {len(signature)} bytes", where)
    return signature
