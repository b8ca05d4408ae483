"""What sshd says about the keys of a login, read strictly; held against ssh-keygen."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.capture.authentication import MAX_KEPT, authentication_of, keys_of, methods_of
from recorder.capture.login import MAX_AUTH_FILE
from tests.marks import needs

_ONE = "publickey ssh-ed25519 "


def keygen(*arguments: str) -> str:
    command = ["ssh-keygen", "-q", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def printed_fingerprint(path: Path) -> str:
    return keygen("-l", "-f", str(path)).split()[1]


def line_of(path: Path) -> str:
    return "publickey " + " ".join(path.read_text().split()[:2])


@needs("ssh-keygen")
@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_key_has_the_fingerprint_that_ssh_keygen_prints(tmp_path: Path, kind: str) -> None:
    keygen("-t", kind, "-N", "", "-f", str(tmp_path / "key"))
    public = tmp_path / "key.pub"
    (found,) = keys_of([line_of(public)])
    assert found == {"type": public.read_text().split()[0], "fingerprint": printed_fingerprint(public)}


@needs("ssh-keygen")
@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
@pytest.mark.parametrize("authority", ["ed25519", "rsa"])
def test_a_certificate_tells_who_certified_what(tmp_path: Path, kind: str, authority: str) -> None:
    keygen("-t", kind, "-N", "", "-f", str(tmp_path / "key"))
    keygen("-t", authority, "-N", "", "-f", str(tmp_path / "ca"))
    names = ["-I", "alice\nticket", "-n", "alice,ops", "-z", "7", "-O", "force-command=id"]
    keygen("-s", str(tmp_path / "ca"), *names, str(tmp_path / "key.pub"))
    certificate = tmp_path / "key-cert.pub"
    (found,) = keys_of([line_of(certificate)])
    assert found == {
        "type": certificate.read_text().split()[0],
        "fingerprint": printed_fingerprint(tmp_path / "key.pub"),
        "key_id": "alice\nticket",
        "serial": 7,
        "principals": ["alice", "ops"],
        "authority": printed_fingerprint(tmp_path / "ca.pub"),
    }


@needs("ssh-keygen")
def test_what_is_cut_or_changed_gives_no_key(tmp_path: Path) -> None:
    keygen("-t", "ed25519", "-N", "", "-f", str(tmp_path / "key"))
    keygen("-s", str(tmp_path / "key"), "-I", "id", "-n", "alice", str(tmp_path / "key.pub"))
    whole = line_of(tmp_path / "key-cert.pub")
    for cut in range(len(_ONE), len(whole) - 200, 4):
        assert keys_of([whole[:cut]]) == []
    assert keys_of([whole.replace("ssh-ed25519-cert", "ssh-rsa-cert")]) == []


@given(st.lists(st.one_of(st.text(), st.text().map(lambda text: _ONE + text))))
def test_any_text_is_taken(methods: list[str]) -> None:
    assert isinstance(keys_of(methods), list)


@pytest.mark.parametrize(
    ("text", "methods"),
    [("", []), ("password\n", ["password"]), ("a b\nc\x85d\x0b\n", ["a b", "c\x85d\x0b"]), ("cut", ["cut"])],
)
def test_methods_are_lines_and_nothing_else_ends_one(text: str, methods: list[str]) -> None:
    assert methods_of(text) == methods


@needs("ssh-keygen")
def test_a_certificate_that_is_large_is_cut_and_named_by_its_digest(tmp_path: Path) -> None:
    keygen("-t", "ed25519", "-N", "", "-f", str(tmp_path / "key"))
    names = [f"role-{number:03}-{'x' * 240}" for number in range(256)]
    keygen("-s", str(tmp_path / "key"), "-I", "alice", "-n", ",".join(names), str(tmp_path / "key.pub"))
    text = f"{line_of(tmp_path / 'key-cert.pub')}\n"
    assert 80_000 < len(text) < MAX_AUTH_FILE
    found = authentication_of(text)
    assert found["cut"] == {"bytes": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
    assert found["methods"] == [text[:MAX_KEPT]]
    (key,) = found["keys"]
    assert key["fingerprint"] == printed_fingerprint(tmp_path / "key.pub")
    assert key["authority"] == key["fingerprint"]
    assert (key["principals_count"], key["principals"]) == (256, names[: len(key["principals"])])
    assert len(key["principals"]) > 50


@needs("ssh-keygen")
def test_many_hostile_certificates_fit_into_an_entry(tmp_path: Path) -> None:
    keygen("-t", "ed25519", "-N", "", "-f", str(tmp_path / "key"))
    keygen("-s", str(tmp_path / "key"), "-I", "\x01" * 1024, "-n", "a", str(tmp_path / "key.pub"))
    found = authentication_of(f"{line_of(tmp_path / 'key-cert.pub')}\n" * 16)
    assert len(json.dumps(found)) < 48 * 1024
    assert {key["key_id"] for key in found["keys"]} == {"\x01" * (MAX_KEPT // 16 // 6)}
    assert found["cut"]["bytes"] > 16 * 1024


@pytest.mark.parametrize("character", ["\x01", '"', "\udc80", "\N{PILE OF POO}", "é"])
@pytest.mark.parametrize("length", [1, 5_000, 100_000])
def test_whatever_a_line_holds_an_entry_has_room_for_it(character: str, length: int) -> None:
    found = authentication_of(f"{character * length}\n" * 16)
    assert 0 < len(json.dumps(found)) < MAX_KEPT + 1024
    assert found["methods"][0].strip(character) == ""
    assert ("cut" in found) == (length > 1)


def test_what_the_login_itself_could_not_read_is_said() -> None:
    text = _ONE + "A" * (MAX_AUTH_FILE - len(_ONE))
    assert authentication_of(text)["cut"]["incomplete"] is True
    assert "cut" not in authentication_of("password\n")
    assert authentication_of("password\n") == {"methods": ["password"], "keys": []}


def test_more_methods_than_are_kept_are_said() -> None:
    found = authentication_of("password\n" * 17)
    assert (len(found["methods"]), found["cut"]["bytes"]) == (16, 153)


@given(st.text(max_size=3000))
def test_whatever_it_says_fits_into_an_entry(text: str) -> None:
    found = authentication_of(text)
    assert ("cut" in found) == ([line for line in text.split("\n") if line] != found["methods"])
