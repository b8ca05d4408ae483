"""Session certificates against a real ssh-keygen, and their one accepted encoding."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.errors import FormatError
from recorder.seal import base64_text, certificate, keys
from recorder.seal.refusals import BadSignatureError
from tests.marks import needs
from tests.seal.recordings import HOST, HOST_KEY, NONCE, SESSION, SESSION_KEY

SESSION_PUBLIC = keys.public_bytes(SESSION_KEY)
LINE = certificate.issue(HOST_KEY, SESSION_PUBLIC, SESSION, HOST, 1_795_169_702, 42, nonce=NONCE)
BLOB = certificate.parse(LINE, "x").blob


@given(
    st.binary(min_size=32, max_size=32),
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
)
def test_certificates_come_back(public: bytes, name: str, host: str, after: int, serial: int) -> None:
    line = certificate.issue(HOST_KEY, public, name, host, after, serial)
    found = certificate.parse(line + " comment", "x")
    found.verify()
    assert found.line() == line
    assert (found.public_key, found.key_id, found.principals) == (public, name, (host,))
    assert (found.valid_after, found.valid_before, found.serial) == (after, certificate.FOREVER, serial)
    assert found.ca_public == keys.public_bytes(HOST_KEY)


def test_two_certificates_differ_in_their_nonce() -> None:
    issued = {certificate.issue(HOST_KEY, SESSION_PUBLIC, SESSION, HOST, 0, 1) for _ in range(2)}
    assert len(issued) == 2


@needs("ssh-keygen")
def test_ssh_keygen_lists_it(home: Path) -> None:
    (home / "session-cert.pub").write_text(LINE + "\n")
    command = ["ssh-keygen", "-L", "-f", "session-cert.pub"]
    listing = subprocess.run(command, cwd=home, capture_output=True, text=True, check=True).stdout
    for expected in (
        "ssh-ed25519-cert-v01@openssh.com user certificate",
        f"Signing CA: ED25519 {keys.fingerprint(keys.public_bytes(HOST_KEY))} (using ssh-ed25519)",
        f'Key ID: "{SESSION}"',
        "Serial: 42",
        "Valid: after 2026-11-20T10:15:02",
        f"Principals: \n                {HOST}",
        "Critical Options: (none)",
        "Extensions: (none)",
    ):
        assert expected in listing


@needs("ssh-keygen")
def test_a_certificate_of_ssh_keygen_with_the_same_fields_has_the_same_shape(home: Path) -> None:
    (home / "ca").touch(0o600)
    (home / "ca").write_bytes(keys.private_key_bytes(HOST_KEY, "ca"))
    (home / "s.pub").write_text(keys.openssh_line(SESSION_PUBLIC) + "\n")
    options = ["-I", SESSION, "-n", HOST, "-V", "20261120101502Z:forever", "-z", "42", "-O", "clear"]
    subprocess.run(["ssh-keygen", "-q", "-s", "ca", *options, "s.pub"], cwd=home, check=True)
    theirs = certificate.parse((home / "s-cert.pub").read_text(), "s-cert.pub")
    theirs.verify()
    ours = certificate.parse(LINE, "x")
    assert replace(theirs, blob=b"") == replace(ours, blob=b"")
    assert len(theirs.blob) == len(ours.blob)


@needs("ssh-keygen")
@pytest.mark.parametrize(
    "options", [["-h"], ["-O", "force-command=ls"], []], ids=["host", "option", "extensions"]
)
def test_other_certificates_of_ssh_keygen_are_refused(home: Path, options: list[str]) -> None:
    (home / "ca").touch(0o600)
    (home / "ca").write_bytes(keys.private_key_bytes(HOST_KEY, "ca"))
    (home / "s.pub").write_text(keys.openssh_line(SESSION_PUBLIC) + "\n")
    command = ["ssh-keygen", "-q", "-s", "ca", "-I", SESSION, "-n", HOST, *options, "s.pub"]
    subprocess.run(command, cwd=home, check=True)
    with pytest.raises(FormatError, match="not a certificate as issued for session keys"):
        certificate.parse((home / "s-cert.pub").read_text(), "s-cert.pub")


@pytest.mark.parametrize("at", range(0, len(BLOB), 7))
def test_no_byte_can_be_changed(at: int) -> None:
    changed = BLOB[:at] + bytes([BLOB[at] ^ 1]) + BLOB[at + 1 :]
    with pytest.raises((FormatError, BadSignatureError)):
        certificate.parse_blob(changed, "x").verify()


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ssh-ed25519 AAAA",
        f"{certificate.CERTIFICATE_TYPE} AAAA",
        LINE[:-4],
        LINE + "AAAA",
        LINE.replace(" ", "  "),
        f"{certificate.CERTIFICATE_TYPE} {base64_text.encode(BLOB + b'x')}",
        LINE + " " + "x" * 20_000,
    ],
)
def test_what_is_no_certificate_is_refused(line: str) -> None:
    with pytest.raises(FormatError, match=r"^header: "):
        certificate.parse(line, "header")


@given(st.binary(max_size=300) | st.integers(0, len(BLOB)).map(lambda end: BLOB[:end]))
def test_any_bytes_are_refused_or_come_back(blob: bytes) -> None:
    try:
        found = certificate.parse_blob(blob, "x")
    except FormatError:
        return
    assert found.blob == blob == BLOB
