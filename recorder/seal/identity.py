"""Whose recording it is: the header's certificate against the keys trusted here."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from recorder.cast.session_header import SessionHeader
from recorder.errors import FormatError
from recorder.safe_text import safe
from recorder.seal import certificate
from recorder.seal.certificate import Certificate
from recorder.seal.findings import Finding, Kind
from recorder.seal.keys import fingerprint
from recorder.seal.refusals import BadSignatureError

Trust = Mapping[bytes, str]
"""Host keys (32 bytes) and the host each one may speak for; `*` for any."""

ANY_HOST = "*"


class KeyState(StrEnum):
    """What is known about the key behind a recording."""

    TRUSTED = "trusted"
    UNKNOWN = "unknown"
    WRONG_HOST = "wrong host"
    BAD = "bad"
    """The certificate cannot be read, is forged, or belongs to another session or host."""
    NONE = "none"
    """The recording names no key: it was not made by this program."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The outcome for one recording; `certificate` only where its own signature holds."""

    key: KeyState
    certificate: Certificate | None = None
    finding: Finding | None = None


def identify(session: SessionHeader, trust: Trust) -> Identity:
    """Checks that the certificate is genuine and for this session and host, and that its maker is trusted."""
    try:
        found = certificate.parse(session.certificate, "the certificate")
        found.verify()
    except (FormatError, BadSignatureError) as error:
        return _bad(f"the session key's certificate does not hold: {error.message}")
    if found.key_id != session.session:
        return _bad(f"the certificate is for session {safe(found.key_id, 80)}, not {session.session}")
    if found.principals != (session.host,):
        names = safe(", ".join(found.principals), 80)
        return _bad(f"the certificate is for host {names}, not {session.host}")
    return _judge_maker(found, session.host, trust)


def _judge_maker(found: Certificate, host: str, trust: Trust) -> Identity:
    name = trust.get(found.ca_public)
    if name is None:
        maker = fingerprint(found.ca_public)
        sentence = f"certified by {maker}, which is not a trusted key"
        return Identity(KeyState.UNKNOWN, found, Finding(Kind.UNKNOWN_KEY, sentence, 1, 1))
    if name not in {host, ANY_HOST}:
        sentence = f"certified by the key of {safe(name, 80)}, but it says it is from {host}"
        return Identity(KeyState.WRONG_HOST, found, Finding(Kind.WRONG_HOST, sentence, 1, 1))
    return Identity(KeyState.TRUSTED, found)


def _bad(sentence: str) -> Identity:
    return Identity(KeyState.BAD, None, Finding(Kind.CERTIFICATE, sentence, 1, 1))
