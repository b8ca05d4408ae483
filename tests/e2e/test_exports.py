"""What a bastion records, exported: every form tells of transfers, and the stock player takes the copies."""

import io
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from recorder.cast import events
from recorder.cast.reader import iter_output, open_events
from tests.e2e.bastion import Bastion, bastion
from tests.e2e.corpus import NEEDS_BASTION, NewSessions
from tests.e2e.sessions import DEADLINE_SECONDS, SEALCAST
from tests.marks import needs

pytestmark = [*NEEDS_BASTION, needs("asciinema", "sftp")]
SCRIPT = b"echo one; echo wrong >&2; sleep 0.2; printf 'caf\\351\\n'; exit 3\n"
ESCAPES = "printf '\\033]0;owned\\007\\033[31mred\\033[m\\r\\n'; exit 4"


@pytest.fixture(scope="module")
def host() -> Iterator[Bastion]:
    with bastion() as host:
        yield host


def exported(host: Bastion, session: str, *form: str) -> bytes:
    environment = os.environ | {"SEALCAST_HOME": str(host.store.root)}
    command = [*SEALCAST, "export", session, "--format", *form]
    done = subprocess.run(
        command, env=environment, capture_output=True, timeout=DEADLINE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def played(copy: bytes, tmp_path: Path) -> bytes:
    """What asciinema shows of it; it wants a terminal."""
    path = tmp_path / "copy.cast"
    path.write_bytes(copy)
    player = pexpect.spawn("asciinema", ["cat", str(path)], timeout=60)
    player.expect(pexpect.EOF)
    player.close()
    assert player.exitstatus == 0, player.before
    shown: object = player.before
    assert isinstance(shown, bytes)
    return shown


def labels(copy: bytes) -> list[str]:
    found = open_events(io.BytesIO(copy), "copy")[1]
    return [event.data for event in found if event.code == events.MARKER]


def test_a_transfer_is_told_in_every_form(host: Bastion, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(100_000))
    options = [*host.ssh()[1:-3], "-P", str(host.port)]
    command = ["sftp", "-q", *options, "-b", "-", f"{host.user}@127.0.0.1"]
    new = NewSessions(host)
    lines = f"put {source} p`ut|\n-rm not-there\n".encode()
    subprocess.run(command, input=lines, capture_output=True, check=True, timeout=DEADLINE_SECONDS)
    session = new.one().session.id
    text = exported(host, session, "md").decode()
    assert "- Transfer: `sftp, both ways`" in text
    assert f"`write` ``{host.base}/home/p`ut|``, 100,000 bytes: `ok`" in text
    assert f"`remove` `{host.base}/home/not-there`: `no such file`" in text
    assert text.count("their SHA-256 is") == 2
    assert (
        f"[file: write {host.base}/home/p`ut|, 100,000 bytes: ok]" in exported(host, session, "txt").decode()
    )
    for form in (["cast", "--markers"], ["cast3"]):
        copy = exported(host, session, *form)
        assert f"file: remove {host.base}/home/not-there: no such file" in labels(copy)
        assert labels(copy)[-1].startswith("not in this file: ")
    assert played(exported(host, session, "cast", "--markers"), tmp_path) == b""


def test_a_script_over_ssh_with_both_streams(host: Bastion, tmp_path: Path) -> None:
    new = NewSessions(host)
    host.run("sh", stdin=SCRIPT)
    session = new.one().session.id
    assert (
        exported(host, session, "txt").decode().splitlines()[-1].startswith(f"[{len(SCRIPT)} bytes of input")
    )
    text = exported(host, session, "md").decode()
    assert "- Exit status: `3`" in text
    assert f"## Input\n\n```text\n{SCRIPT.decode()}```\n" in text
    copy = exported(host, session, "cast", "--markers")
    found = list(open_events(io.BytesIO(copy), "copy")[1])
    assert {"o", "E", "B", "X"} <= {event.code for event in found}
    shown = b"".join(data for _, data in iter_output(found))
    assert sorted(shown.splitlines()) == [b"caf\xe9", b"one", b"wrong"]
    assert "caf\ufffd" in played(copy, tmp_path).decode()


def test_a_terminal_session_plays_as_it_was(host: Bastion, tmp_path: Path) -> None:
    new = NewSessions(host)
    host.run("-tt", ESCAPES)
    session = new.one().session.id
    sealed = exported(host, session, "cast")
    copy = exported(host, session, "cast", "--markers")
    assert played(copy, tmp_path) == played(sealed, tmp_path)
    assert b"\x1b[31mred" in played(copy, tmp_path)
    text = exported(host, session, "txt") + exported(host, session, "md")
    assert b"red" in text
    assert b"\x1b" not in text
    assert b"\x07" not in text
