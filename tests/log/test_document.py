"""The example in docs/log.md is what the program writes."""

import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from recorder.log.entries import Occasion, key_created
from recorder.log.journal import Log
from recorder.log.notary import Notary
from recorder.seal.keys import fingerprint, openssh_line, public_bytes
from recorder.seal.note import vkey
from tests.log.naive_reader import read_log

DOCUMENT = Path(__file__).parents[2] / "docs" / "log.md"


def example(name: str) -> str:
    match = re.search(rf"```text {name}\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert match is not None, name
    return match[1]


def test_the_example_is_byte_exact(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = public_bytes(key)
    log = Log(tmp_path / "log", "bastion1/log", public)
    log.create(key)
    occasion = Occasion("bastion1", 1_795_169_702_123, "root", 0)
    Notary(log, key, "bastion1").append(key_created(occasion, fingerprint(public)))
    (entry,) = read_log(log.directory, "bastion1/log", public)
    assert example("key") == openssh_line(public, "bastion1") + "\n"
    assert example("vkey") == vkey("bastion1/log", public) + "\n"
    assert example("entry").encode() == entry + b"\n"
    assert (log.directory / "tile/entries/000.p/1").read_bytes() == b"\x02\x20" + entry
    assert bytes.fromhex(example("tile")) == (log.directory / "tile/0/000.p/1").read_bytes()
    assert example("checkpoint") == (log.directory / "checkpoint").read_text(encoding="utf-8")
