"""The signature file beside a recording: `<id>.cast.sig`, an SSH signature over the whole text."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from recorder.errors import SealcastError
from recorder.log import durable
from recorder.seal import sshsig
from recorder.seal.sshsig import NAMESPACE, SshSignature
from recorder.seal.verify import Integrity

MAX_SIGNATURE = 64 * 1024


@dataclass(frozen=True, slots=True)
class SignatureFile:
    """What the signature file says."""

    bad: bool
    sentence: str
    present: bool = True


def judge_signature(path: Path, integrity: Integrity, signers: Mapping[bytes, str]) -> SignatureFile:
    """Check the file at `path` against a recording; `signers` may sign what was interrupted."""
    try:
        signature = sshsig.parse(durable.read_file(path, MAX_SIGNATURE).decode(), path.name)
    except FileNotFoundError:
        return SignatureFile(False, "no signature file beside it", present=False)
    except (OSError, UnicodeDecodeError, SealcastError):
        return SignatureFile(True, "the signature file beside it cannot be read")
    if not _fits(signature, integrity):
        return SignatureFile(True, "the signature file beside it is of other bytes than these")
    return _judge_signer(signature, integrity, signers)


def _fits(signature: SshSignature, integrity: Integrity) -> bool:
    if signature.hash_algorithm != "sha256" or signature.namespace != NAMESPACE:
        return False
    try:
        signature.verify(lambda _: integrity.sha256)
    except SealcastError:
        return False
    return True


def _judge_signer(
    signature: SshSignature, integrity: Integrity, signers: Mapping[bytes, str]
) -> SignatureFile:
    certificate = integrity.certificate
    if certificate is not None and signature.public_blob == certificate.blob:
        return SignatureFile(False, "the whole file is signed by its session key")
    host = signers.get(signature.public_key)
    session = integrity.header.session if integrity.header is not None else None
    if signature.certificate is None and host is not None and session is not None and host == session.host:
        return SignatureFile(False, "the session key was lost; the host signed the file as it was left")
    return SignatureFile(True, "the signature file beside it is by a key that cannot sign for it")
