"""Signed notes, checkpoints and verifier keys against the specification's examples and a real openssl."""

import subprocess
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from recorder.errors import FormatError
from recorder.seal import note
from recorder.seal.keys import public_bytes
from recorder.seal.note import Checkpoint, key_id, open_note, parse_checkpoint, parse_vkey, sign_note, vkey
from recorder.seal.refusals import BadSignatureError, UnknownKeyError
from tests.marks import needs
from tests.seal.recordings import HOST_KEY, SESSION_KEY, begin

# the example of the C2SP signed-note specification
SPEC_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# the example of golang.org/x/mod/sumdb/note, whose seed is public
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SEED = b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
GO_NOTE = (
    f"{GO_TEXT}\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
NAME = st.text(
    st.characters(codec="utf-8", exclude_categories=["Zs", "Zl", "Zp", "Cc", "Cf"]), min_size=1, max_size=20
).filter(lambda name: "+" not in name and name.isprintable())
LINE = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=30)


def verifiers(*keys: str) -> dict[tuple[str, bytes], bytes]:
    parsed = [parse_vkey(key) for key in keys]
    return {(name, key_id(name, public)): public for name, public in parsed}


@pytest.mark.parametrize(("key", "signed"), [(SPEC_VKEY, SPEC_NOTE), (GO_VKEY, GO_NOTE)])
def test_the_published_notes_open(key: str, signed: str) -> None:
    name, public = parse_vkey(key)
    assert vkey(name, public) == key
    assert open_note(signed, verifiers(key)) == (signed.partition("\n\n")[0] + "\n", (name,))


def test_a_published_note_is_signed_to_the_byte() -> None:
    key = Ed25519PrivateKey.from_private_bytes(GO_SEED)
    assert vkey("PeterNeumann", public_bytes(key)) == GO_VKEY
    assert sign_note(GO_TEXT, "PeterNeumann", key) == GO_NOTE


def test_a_changed_note_does_not_open() -> None:
    with pytest.raises(BadSignatureError):
        open_note(GO_NOTE.replace("think", "thing"), verifiers(GO_VKEY))


def test_an_unknown_key_is_not_a_bad_one() -> None:
    with pytest.raises(UnknownKeyError):
        open_note(GO_NOTE, verifiers(SPEC_VKEY))


def test_signatures_of_strangers_are_passed_over_and_a_bad_one_of_a_known_key_is_not() -> None:
    both = GO_NOTE + SPEC_NOTE.partition("\n\n")[2]
    assert open_note(both, verifiers(GO_VKEY)).names == ("PeterNeumann",)
    with pytest.raises(BadSignatureError):
        open_note(both, verifiers(GO_VKEY, SPEC_VKEY))


@given(st.lists(LINE, min_size=1, max_size=4), NAME)
def test_what_is_signed_opens_again(lines: list[str], name: str) -> None:
    text = "\n".join(lines) + "\n"
    signed = sign_note(text, name, HOST_KEY)
    public = public_bytes(HOST_KEY)
    assert open_note(signed, {(name, key_id(name, public)): public}) == (text, (name,))
    assert parse_vkey(vkey(name, public)) == (name, public)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\nno dash x aaaa\n",
        GO_NOTE[:-1],
        GO_NOTE + "\n",
        GO_NOTE.replace("— ", "- "),
        GO_NOTE.replace("problem,", "problem,\t"),
        GO_NOTE.replace("\n", "\r\n"),
        GO_NOTE.replace(" x08", "  x08"),
        GO_NOTE.replace("JnAM=", "JnAN="),  # stray bits
        GO_NOTE.replace("JnAM=", "JnAM"),
        "a\n\n— name AAAA\n",
        "a\n\n" + "— name AAAAAAAA\n" * 101,
        "x" * (note.MAX_NOTE + 1),
    ],
)
def test_what_is_no_note_is_refused(bad: str) -> None:
    with pytest.raises(FormatError):
        open_note(bad, verifiers(GO_VKEY))


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b", "a\nb"])
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(FormatError):
        sign_note("text\n", name, HOST_KEY)


@pytest.mark.parametrize("text", ["", "\n", "no newline", "bell\x07\n"])
def test_bad_texts_are_not_signed(text: str) -> None:
    with pytest.raises(FormatError):
        sign_note(text, "name", HOST_KEY)


@pytest.mark.parametrize(
    "bad", [GO_VKEY[:-4], GO_VKEY.replace("c74f20a3", "c74f20a4"), GO_VKEY.upper(), "name", "a+b+c", ""]
)
def test_bad_verifier_keys_are_refused(bad: str) -> None:
    with pytest.raises(FormatError):
        parse_vkey(bad)


@given(LINE, st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32), st.lists(LINE, max_size=3))
def test_checkpoints_come_back(origin: str, size: int, root: bytes, extensions: list[str]) -> None:
    checkpoint = Checkpoint(origin, size, root, tuple(extensions))
    assert parse_checkpoint(checkpoint.text()) == checkpoint


ROOT = b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "origin\n",
        f"origin\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"origin\n01\n{ROOT}\n",
        f"origin\n-1\n{ROOT}\n",
        f"origin\n+1\n{ROOT}\n",
        f"origin\n١\n{ROOT}\n",
        f"origin\n9223372036854775808\n{ROOT}\n",
        f"origin\n1\n{ROOT[:-1]}\n",
        f"origin\n1\n{ROOT[:-2]}B=\n",
        f"origin\n1\n{ROOT}\n\n",
        f"origin\n1\n{ROOT}\n\nx\n",
        "origin\n1\nAAAA\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(bad: str) -> None:
    with pytest.raises(FormatError):
        parse_checkpoint(bad)


@given(st.text(max_size=60) | st.lists(LINE | st.just("") | st.just(ROOT), max_size=6).map("\n".join))
def test_a_checkpoint_that_is_accepted_has_only_this_text(text: str) -> None:
    try:
        checkpoint = parse_checkpoint(text)
    except FormatError:
        return
    assert checkpoint.text() == text


@needs("openssl")
def test_openssl_verifies_a_seal(home: Path) -> None:
    recording = begin()
    recording.event(1, "o", "hello\r\n")
    text, (signature,) = note.split_note(recording.sealer.seal(1_795_169_703_000))
    key = SESSION_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for name, data in (("key.pem", key), ("text", text.encode()), ("sig", signature.signature)):
        (home / name).write_bytes(data)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "text"]
    command += ["-sigfile", "sig"]
    run = subprocess.run(command, cwd=home, capture_output=True, check=False)
    assert run.returncode == 0
    assert b"Verified Successfully" in run.stdout
    (home / "text").write_bytes(text.replace("\n2\n", "\n3\n").encode())
    assert subprocess.run(command, cwd=home, capture_output=True, check=False).returncode != 0
