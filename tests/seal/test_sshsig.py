"""File signatures: ours through a real `ssh-keygen -Y verify`, and ssh-keygen's through ours."""

import subprocess
from hashlib import new, sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.errors import FormatError
from recorder.seal import certificate, keys, sshsig
from recorder.seal.refusals import BadSignatureError
from tests.marks import needs
from tests.seal.recordings import HOST, HOST_KEY, SESSION_KEY, build, session_header

HOST_PUBLIC = keys.public_bytes(HOST_KEY)
CERTIFICATE = certificate.parse(session_header().certificate, "x")
ARMOR = sshsig.sign(SESSION_KEY, sha256(b"data").digest(), CERTIFICATE.blob)


def verify(armor: str, data: bytes) -> sshsig.SshSignature:
    signature = sshsig.parse(armor, "a.sig")
    signature.verify(lambda name: new(name, data).digest())
    return signature


@given(st.binary(max_size=100))
def test_signatures_come_back(data: bytes) -> None:
    for blob, cert in ((CERTIFICATE.blob, CERTIFICATE), (keys.public_blob(CERTIFICATE.public_key), None)):
        signature = verify(sshsig.sign(SESSION_KEY, sha256(data).digest(), blob), data)
        assert (signature.namespace, signature.hash_algorithm) == ("sealcast", "sha256")
        assert (signature.public_key, signature.certificate) == (keys.public_bytes(SESSION_KEY), cert)
        with pytest.raises(BadSignatureError):
            verify(sshsig.sign(HOST_KEY, sha256(data).digest(), blob), data)
    with pytest.raises(BadSignatureError):
        verify(ARMOR, b"other" + data)


def keygen_verify(home: Path, data: bytes, armor: str, *options: str) -> subprocess.CompletedProcess[bytes]:
    (home / "a.cast.sig").write_text(armor)
    trusted = f'{HOST} cert-authority,namespaces="sealcast" {keys.openssh_line(HOST_PUBLIC)}\n'
    (home / "allowed").write_text(trusted)
    command = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        "allowed",
        "-I",
        HOST,
        "-n",
        "sealcast",
        "-s",
        "a.cast.sig",
    ]
    return subprocess.run([*command, *options], cwd=home, input=data, capture_output=True, check=False)


@needs("ssh-keygen")
def test_ssh_keygen_verifies_a_recording(home: Path) -> None:
    recording = build()
    armor = recording.signature(CERTIFICATE)
    good = keygen_verify(home, recording.bytes, armor)
    assert (good.returncode, good.stderr) == (0, b"")
    assert b'Good "sealcast" signature for web-1 with ED25519-CERT key' in good.stdout
    assert keygen_verify(home, recording.bytes[:-1], armor).returncode != 0
    early = keygen_verify(home, recording.bytes, armor, "-Overify-time=20261120101501Z")
    assert early.returncode != 0


@needs("ssh-keygen")
def test_ssh_keygen_verifies_the_hosts_own_signature(home: Path) -> None:
    armor = sshsig.sign(HOST_KEY, sha256(b"what is left").digest(), keys.public_blob(HOST_PUBLIC))
    (home / "allowed").write_text(f"{HOST} {keys.openssh_line(HOST_PUBLIC)}\n")
    (home / "a.sig").write_text(armor)
    command = ["ssh-keygen", "-Y", "verify", "-f", "allowed", "-I", HOST, "-n", "sealcast", "-s", "a.sig"]
    subprocess.run(command, cwd=home, input=b"what is left", capture_output=True, check=True)


@needs("ssh-keygen")
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_signatures_of_ssh_keygen_verify_here(home: Path, algorithm: str) -> None:
    (home / "host").touch(0o600)
    (home / "host").write_bytes(keys.private_key_bytes(HOST_KEY))
    (home / "data").write_bytes(b"data")
    options = ["-f", "host", "-n", "sealcast", "-O", f"hashalg={algorithm}"]
    subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", *options, "data"], cwd=home, capture_output=True, check=True
    )
    signature = verify((home / "data.sig").read_text(), b"data")
    assert (signature.public_key, signature.hash_algorithm) == (HOST_PUBLIC, algorithm)


@pytest.mark.parametrize("at", range(1, len(ARMOR.splitlines()) - 1))
def test_no_line_can_be_changed(at: int) -> None:
    lines = ARMOR.splitlines(keepends=True)
    lines[at] = lines[at].swapcase()
    with pytest.raises((FormatError, BadSignatureError)):
        verify("".join(lines), b"data")


@pytest.mark.parametrize(
    "armor",
    [
        "",
        "\n\n",
        ARMOR[:-1],
        ARMOR + "\n",
        "\n" + ARMOR,
        ARMOR.replace("\n", "\r\n"),
        ARMOR.replace("SSH", "PGP"),
        "\n".join([sshsig._BEGIN, "".join(ARMOR.splitlines()[1:-1]), sshsig._END, ""]),
        "\n".join([sshsig._BEGIN, "AAAA", sshsig._END, ""]),
        "x" * 70_000,
    ],
)
def test_what_is_no_signature_is_refused(armor: str) -> None:
    with pytest.raises(FormatError, match=r"^a\.sig: "):
        sshsig.parse(armor, "a.sig")
