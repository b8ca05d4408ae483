"""A login with a user certificate: its key id, principals and authority stand in the record."""

import hashlib
import subprocess
from collections.abc import Iterator

import pytest

from recorder.cast.session_header import SessionHeader
from tests.e2e.bastion import Bastion, bastion
from tests.e2e.corpus import NEEDS_BASTION, NewSessions, another_sshd
from tests.marks import needs

pytestmark = [*NEEDS_BASTION, needs("ssh-keygen")]


@pytest.fixture(scope="module")
def host() -> Iterator[Bastion]:
    """Trusts the certificates of one authority, and no plain key."""
    with bastion() as host:
        _keygen("-t", "ed25519", "-N", "", "-C", "the authority", "-f", str(host.base / "authority"))
        trust = {"TrustedUserCAKeys": f"{host.base}/authority.pub", "AuthorizedKeysFile": "none"}
        with another_sshd(host, **trust) as other:
            yield other


def _keygen(*arguments: str) -> str:
    command = ["ssh-keygen", "-q", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _certify(host: Bastion, key_id: str, principals: str, *options: str) -> None:
    names = ["-I", key_id, "-n", principals, *options]
    _keygen("-s", str(host.base / "authority"), *names, str(host.base / "user-key.pub"))


def _login(host: Bastion) -> SessionHeader:
    new = NewSessions(host)
    done = host.run("-o", f"CertificateFile={host.base}/user-key-cert.pub", "echo $((6 * 7))")
    assert (done.returncode, done.stdout) == (0, b"42\n"), done.stderr
    session = new.one().header.session
    assert session is not None
    return session


def test_who_certified_whom_stands_in_the_header(host: Bastion) -> None:
    _certify(host, "alice@example.org ticket 4711", f"{host.user},ops", "-z", "99")
    found = _login(host).authentication
    assert found is not None
    (certificate,) = found["keys"]
    fingerprint = _keygen("-l", "-f", str(host.base / "user-key.pub")).split()[1]
    authority = _keygen("-l", "-f", str(host.base / "authority.pub")).split()[1]
    assert certificate["key_id"] == "alice@example.org ticket 4711"
    assert certificate["principals"] == [host.user, "ops"]
    assert certificate["serial"] == 99
    assert certificate["fingerprint"] == fingerprint
    assert certificate["authority"] == authority


@pytest.mark.parametrize("key_id", ["line\nline", "\x1b[2J\x07", "x" * 1024, "é\u202e", "a b=c"])
def test_a_hostile_key_id_is_stored_exactly(host: Bastion, key_id: str) -> None:
    _certify(host, key_id, host.user)
    found = _login(host).authentication
    assert found is not None
    assert found["keys"][0]["key_id"] == key_id
    assert len(found["methods"]) == 1


def test_a_large_certificate_lets_in_and_its_cut_is_said(host: Bastion) -> None:
    names = [host.user, *(f"role-{number:03}-{'x' * 230}" for number in range(255))]
    _certify(host, "alice", ",".join(names))
    certificate = " ".join((host.base / "user-key-cert.pub").read_text().split()[:2])
    told = f"publickey {certificate}\n".encode()
    found = _login(host).authentication
    assert found is not None
    assert found["cut"] == {"bytes": len(told), "sha256": hashlib.sha256(told).hexdigest()}
    assert found["keys"][0]["principals_count"] == len(names)
    assert found["keys"][0]["principals"] == names[: len(found["keys"][0]["principals"])]


def test_without_the_certificate_nobody_comes_in(host: Bastion) -> None:
    assert host.run("-o", "BatchMode=yes", "-o", "CertificateFile=none", "true").returncode == 255
