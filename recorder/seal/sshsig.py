"""Signatures over files that `ssh-keygen -Y verify` checks (openssh PROTOCOL.sshsig)."""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from recorder.errors import FormatError
from recorder.seal import base64_text, certificate
from recorder.seal.certificate import CERTIFICATE_TYPE, Certificate
from recorder.seal.keys import KEY_TYPE, SIGNATURE_SIZE, parse_public_blob, verify
from recorder.seal.ssh_wire import WireReader, string, uint32

NAMESPACE = "sealcast"
HASHES = ("sha256", "sha512")
_MAGIC = b"SSHSIG"
_VERSION = 1
_BEGIN = "-----BEGIN SSH SIGNATURE-----"
_END = "-----END SSH SIGNATURE-----"
_COLUMNS = 70
_MAX_ARMOR = 64 * 1024


@dataclass(frozen=True, slots=True)
class SshSignature:
    """A signature file's content; nothing of it is true before `verify`."""

    public_blob: bytes
    """The signing key, or its certificate, in SSH wire form."""
    namespace: str
    hash_algorithm: str
    signature: bytes
    public_key: bytes
    certificate: Certificate | None

    def verify(self, digest_for: Callable[[str], bytes]) -> None:
        """BadSignatureError unless the key signed a file whose digest, by the hash named, `digest_for` gives.

        Whether the key itself, or the certificate's maker, deserves trust is the caller's question.
        """
        message = _signed(self.namespace, self.hash_algorithm, digest_for(self.hash_algorithm))
        verify(self.public_key, self.signature, message, "the file")


def sign(key: Ed25519PrivateKey, digest: bytes, public_blob: bytes) -> str:
    """The armored signature over the file with this SHA-256; `public_blob` is the key or its certificate."""
    signature = key.sign(_signed(NAMESPACE, "sha256", digest))
    return _armor(_blob(public_blob, NAMESPACE, "sha256", signature))


def parse(armor: str, where: str) -> SshSignature:
    """The Ed25519 signature in this armor, which must be exactly as `ssh-keygen` writes it."""
    if len(armor) > _MAX_ARMOR:
        raise FormatError("too long for a signature", where)
    lines = armor.split("\n")
    if len(lines) < 3 or lines[0] != _BEGIN or lines[-2:] != [_END, ""]:
        raise FormatError("not an SSH signature file", where)
    blob = base64_text.decode("".join(lines[1:-2]), where)
    signature = _parse_blob(blob, where)
    if _armor(blob) != armor:
        raise FormatError(f"the lines of an SSH signature are {_COLUMNS} characters long", where)
    return signature


def _parse_blob(blob: bytes, where: str) -> SshSignature:
    reader = WireReader(blob, where)
    if reader.take(len(_MAGIC)) != _MAGIC or reader.uint32() != _VERSION:
        raise FormatError("not an SSH signature, version 1", where)
    public, namespace = reader.string(), reader.text()
    reader.expect(b"", "the reserved field")
    algorithm, field = reader.text(), WireReader(reader.string(), where)
    reader.end()
    field.expect(KEY_TYPE.encode(), "the signature type")
    signature = field.string()
    field.end()
    if algorithm not in HASHES or len(signature) != SIGNATURE_SIZE:
        raise FormatError("an SSH signature of another kind", where)
    key, cert = _signer(public, where)
    return SshSignature(public, namespace, algorithm, signature, key, cert)


def _signer(blob: bytes, where: str) -> tuple[bytes, Certificate | None]:
    if WireReader(blob, where).string() == CERTIFICATE_TYPE.encode():
        cert = certificate.parse_blob(blob, where)
        return cert.public_key, cert
    return parse_public_blob(blob, where), None


def _signed(namespace: str, algorithm: str, digest: bytes) -> bytes:
    return _MAGIC + string(namespace.encode()) + string(b"") + string(algorithm.encode()) + string(digest)


def _blob(public_blob: bytes, namespace: str, algorithm: str, signature: bytes) -> bytes:
    return (
        _MAGIC
        + uint32(_VERSION)
        + string(public_blob)
        + string(namespace.encode())
        + string(b"")
        + string(algorithm.encode())
        + string(string(KEY_TYPE.encode()) + string(signature))
    )


def _armor(blob: bytes) -> str:
    text = base64_text.encode(blob)
    lines = [text[start : start + _COLUMNS] for start in range(0, len(text), _COLUMNS)]
    return "\n".join([_BEGIN, *lines, _END, ""])
