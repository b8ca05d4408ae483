"""Keys in OpenSSH's formats, read and written against a real ssh-keygen."""

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from recorder.errors import FormatError
from recorder.seal import keys
from tests.marks import needs
from tests.seal.recordings import HOST_KEY

PUBLIC = keys.public_bytes(HOST_KEY)
COMMENT = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=20).map(str.strip)


def ssh_keygen(home: Path, *arguments: str) -> str:
    run = subprocess.run(["ssh-keygen", *arguments], cwd=home, capture_output=True, text=True, check=True)
    return run.stdout


@given(st.binary(min_size=32, max_size=32), COMMENT)
def test_private_keys_come_back(seed: bytes, comment: str) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    loaded = keys.load_private_key(keys.private_key_bytes(key, comment), "key")
    assert loaded.private_bytes_raw() == seed


@given(st.binary(min_size=32, max_size=32), COMMENT)
def test_public_lines_come_back(public: bytes, comment: str) -> None:
    line = keys.openssh_line(public, comment)
    assert keys.parse_public_line(line + "\n", "key.pub") == (public, comment)


@needs("ssh-keygen")
def test_ssh_keygen_reads_our_private_key(home: Path) -> None:
    path = home / "host"
    path.touch(0o600)
    path.write_bytes(keys.private_key_bytes(HOST_KEY, "sealcast web-1"))
    assert ssh_keygen(home, "-y", "-f", "host").strip() == keys.openssh_line(PUBLIC, "sealcast web-1")
    assert keys.fingerprint(PUBLIC) in ssh_keygen(home, "-l", "-f", "host")


@needs("ssh-keygen")
def test_we_read_keys_of_ssh_keygen_and_refuse_other_kinds(home: Path) -> None:
    for name, options in (("plain", ["-N", ""]), ("locked", ["-N", "secret", "-a", "1"])):
        ssh_keygen(home, "-q", "-t", "ed25519", "-C", "a comment", "-f", name, *options)
    ssh_keygen(home, "-q", "-t", "ecdsa", "-N", "", "-f", "other")
    public = keys.parse_public_line((home / "plain.pub").read_text(), "plain.pub")
    loaded = keys.load_private_key((home / "plain").read_bytes(), "plain")
    assert public == (keys.public_bytes(loaded), "a comment")
    with pytest.raises(FormatError, match="locked: the private key is locked with a passphrase"):
        keys.load_private_key((home / "locked").read_bytes(), "locked")
    with pytest.raises(FormatError, match="other: not an Ed25519 key"):
        keys.load_private_key((home / "other").read_bytes(), "other")
    with pytest.raises(FormatError, match="not an ssh-ed25519 public key"):
        keys.parse_public_line((home / "other.pub").read_text(), "other.pub")


@pytest.mark.parametrize("data", [b"", b"hello", b"-----BEGIN OPENSSH PRIVATE KEY-----\n", b"\x00" * 70_000])
def test_what_is_no_private_key_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match=r"^key: "):
        keys.load_private_key(data, "key")


LINE = keys.openssh_line(PUBLIC)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ssh-ed25519",
        "ssh-rsa AAAA",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 !!!",
        LINE.replace("ssh-ed25519 ", "ssh-ed25519  "),
        LINE[:-1],
        LINE + "A",
        LINE + " bell\x07",
        LINE + " " + "x" * 70_000,
        "ssh-ed25519 /////w==",
        "ssh-ed25519 " + "\N{ARABIC-INDIC DIGIT ONE}",
    ],
)
def test_what_is_no_public_line_is_refused(line: str) -> None:
    with pytest.raises(FormatError, match=r"^key\.pub: "):
        keys.parse_public_line(line, "key.pub")
