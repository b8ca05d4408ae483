from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.errors import ExitCode, FormatError, SealcastError
from recorder.seal.keys import fingerprint, generate_key, openssh_line, public_bytes
from recorder.store import trust
from recorder.store.layout import Store

PUBLIC = bytes(range(32))  # fixed: it is part of test names, which parallel runs compare
KEY = openssh_line(PUBLIC)


def parse(text: str) -> list[trust.TrustedKey]:
    return trust.parse_keys(text.encode(), "keys/trusted")


def test_a_host_trusts_itself(store: Store) -> None:
    keys = trust.read_keys(store.trusted_path)
    assert trust.certifiers(keys) == {store.host_key.public: store.host}
    assert trust.signers(keys) == {store.host_key.public: store.host}
    assert [key.where for key in keys] == [f"{store.trusted_path}:1", f"{store.trusted_path}:2"]


def test_lines_come_back_as_they_are_written() -> None:
    for key in parse(trust.own_lines("bastion1", PUBLIC)):
        assert parse(key.line())[0].line() == key.line()


def test_comments_and_blank_lines_are_passed_over() -> None:
    (key,) = parse(f"# a comment\n\nbastion1 {KEY} of the bastion\n")
    assert (key.name, key.public, key.certifies, key.comment) == ("bastion1", PUBLIC, False, "of the bastion")
    assert key.where == "keys/trusted:3"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (KEY, "no ssh-ed25519 key"),
        ("bastion1 ssh-rsa AAAA", "no ssh-ed25519 key"),
        (f"a,b {KEY}", "does not start with a host's name"),
        (f'bastion1 namespaces="git" {KEY}', 'not for namespace "sealcast"'),
        (f"bastion1 valid-after=20260101 {KEY}", "unknown option"),
        (f"bastion1 cert-authority;x {KEY}", "unknown option"),
        ("bastion1 ssh-ed25519 AAAAC3", "base64"),
        ("bastion1 ssh-ed25519 " + "A" * 20_000, "more than 16,384 characters"),
        (f"\x1b]0;x\x07 {KEY}", "does not start"),
    ],
)
def test_bad_lines_are_errors_with_file_and_line(line: str, problem: str) -> None:
    with pytest.raises(FormatError, match=problem) as raised:
        parse(f"# one\n{line}\n")
    assert raised.value.message.startswith("keys/trusted:2: ")
    assert "\x1b" not in raised.value.message


def test_bytes_that_are_no_text_are_an_error_with_the_line() -> None:
    with pytest.raises(FormatError, match="keys/trusted:2: not UTF-8"):
        trust.parse_keys(b"# one\n\xff\n", "keys/trusted")


def test_a_file_has_bounds(tmp_path: Path) -> None:
    path = tmp_path / "trusted"
    path.write_bytes(b"#\n" * trust.MAX_FILE)
    with pytest.raises(SealcastError, match="more than 1,048,576 bytes"):
        trust.read_keys(path)
    with pytest.raises(FormatError, match=r"more than 1,048,576 bytes"):
        trust.parse_offered(b"#" * (trust.MAX_FILE + 1), "offered")


@given(st.binary(max_size=300))
def test_any_bytes_are_keys_or_a_format_error(data: bytes) -> None:
    try:
        keys = trust.parse_keys(data, "keys")
    except FormatError:
        return
    assert all(key.name for key in keys)


def test_a_public_key_file_is_trusted_for_its_host(store: Store) -> None:
    offered = trust.parse_offered(f"{openssh_line(PUBLIC, 'bastion2')}\n".encode(), "host.pub")
    assert {(key.name, key.certifies) for key in offered} == {("bastion2", True), ("bastion2", False)}
    assert len(trust.add_keys(store.trusted_path, offered)) == 2
    assert trust.add_keys(store.trusted_path, offered) == []
    keys = trust.read_keys(store.trusted_path)
    assert trust.certifiers(keys) == {store.host_key.public: store.host, PUBLIC: "bastion2"}


def test_a_name_given_goes_before_the_comment() -> None:
    offered = trust.parse_offered(f"{openssh_line(PUBLIC, 'bastion2')}\n".encode(), "host.pub", "bastion3")
    assert {key.name for key in offered} == {"bastion3"}


@pytest.mark.parametrize("data", [b"", b"# nothing\n", f"{KEY}\n".encode(), f"{KEY} two words\n".encode()])
def test_a_key_without_a_host_is_not_taken(data: bytes) -> None:
    with pytest.raises(FormatError):
        trust.parse_offered(data, "host.pub")


def test_keys_are_found_by_host_or_fingerprint() -> None:
    other = public_bytes(generate_key())
    keys = parse(trust.own_lines("bastion1", PUBLIC) + trust.own_lines("bastion2", other))
    assert {key.public for key in trust.find_key(keys, "bastion1")} == {PUBLIC}
    assert {key.public for key in trust.find_key(keys, fingerprint(other)[:20])} == {other}
    assert {key.public for key in trust.find_key(keys, fingerprint(other)[7:20])} == {other}
    for text in ("bastion9", ""):
        with pytest.raises(SealcastError, match="no trusted key") as raised:
            trust.find_key(keys, text)
        assert raised.value.code == ExitCode.TARGET
    with pytest.raises(SealcastError, match="fits several"):
        trust.find_key(keys, "SHA256:")
