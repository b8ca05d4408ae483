"""When the record cannot be written the session does not start, or ends with one clear line."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder.store.catalog import list_sessions
from recorder.store.layout import Store
from recorder.store.state import State
from tests.e2e.sessions import SEALCAST, end, only_session, recorded, terminal, tool, wait_for
from tests.marks import needs

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="missing: root, to mount file systems")


@pytest.fixture
def small_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A store on a file system of 2 MiB."""
    mount = tmp_path / "small"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(mount)], check=True)
    monkeypatch.setenv("SEALCAST_HOME", str(mount / "store"))
    try:
        yield mount
    finally:
        subprocess.run(["umount", "--lazy", str(mount)], check=True)


def fill(directory: Path) -> Path:
    """Use up the file system's space."""
    ballast = directory / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return ballast
    raise AssertionError("the file system never became full")


@root_only
def test_a_full_disk_ends_the_session_with_one_line_and_keeps_what_was_sealed(small_store: Path) -> None:
    with recorded("sh", "-c", "seq 1000; sleep 1.2; yes") as child:
        child.expect_exact("the recording cannot be written (no space left on device)")
        assert end(child) == 9
    assert Store.default().live_ids(), "there is no room to compress it, so it must have stayed"
    (small_store / "more").write_bytes(b"")
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_store)], check=True)
    assert subprocess.run([*SEALCAST, "ls"], capture_output=True, check=False).returncode == 0
    found = only_session()
    assert found.verdict.state is State.TRUNCATED
    assert b"\r\n1000\r\n" in found.output


@root_only
def test_on_a_full_disk_no_session_starts(small_store: Path) -> None:
    subprocess.run([*SEALCAST, "-q", "rec", "--", "true"], check=True, stdin=subprocess.DEVNULL)
    fill(small_store)
    with recorded("sh", "-c", "echo must-not-run") as child:
        status = end(child)
        shown = child.before or b""
    assert status == 9
    assert b"must-not-run" not in shown
    assert b"no space left on device" in shown
    (small_store / "ballast").unlink()
    assert only_session().verdict.state is State.VERIFIED


@root_only
def test_on_a_read_only_store_no_session_starts_and_reading_works(small_store: Path) -> None:
    subprocess.run([*SEALCAST, "-q", "rec", "--", "true"], check=True, stdin=subprocess.DEVNULL)
    subprocess.run(["mount", "-o", "remount,ro", str(small_store)], check=True)
    with recorded("sh", "-c", "echo must-not-run") as child:
        status = end(child)
        shown = child.before or b""
    assert status == 9
    assert b"must-not-run" not in shown
    assert b"read-only file system" in shown
    listed = subprocess.run([*SEALCAST, "verify", "--all"], capture_output=True, check=False)
    assert listed.returncode == 0, listed.stderr


@needs("asciinema", "ssh-keygen", "zstd")
def test_stock_tools_read_and_check_a_recording(tmp_path: Path) -> None:
    with terminal(*SEALCAST, "-q", "rec", "--", "sh", "-c", "echo stock tools; exit 0") as child:
        assert end(child) == 0
    store = Store.default()
    session = only_session().session
    plain = tmp_path / "session.cast"
    subprocess.run(["zstd", "-q", "-d", str(session.path), "-o", str(plain)], check=True)
    for program in (tool("asciinema"), str(Path(sys.executable).parent / "asciinema")):  # Debian's, and 2.4
        with terminal(program, "play", str(plain)) as player:
            assert end(player) == 0
            assert b"stock tools\r\n" in (player.before or b"")
    command = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        str(store.trusted_path),
        "-I",
        store.host,
        "-n",
        "sealcast",
    ]
    command += ["-s", str(store.sealed_signature_path(session.id))]
    with plain.open("rb") as file:
        checked = subprocess.run(command, stdin=file, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr
    plain.write_bytes(plain.read_bytes().replace(b"stock tools", b"other tools"))
    with plain.open("rb") as file:
        assert subprocess.run(command, stdin=file, capture_output=True, check=False).returncode != 0


def test_two_sessions_at_once_have_their_own_recordings_and_numbers() -> None:
    with (
        recorded("sh", "-c", "echo first; read line") as one,
        recorded("sh", "-c", "echo second; read line") as two,
    ):
        one.expect_exact("first")
        two.expect_exact("second")
        wait_for(lambda: len(Store.default().live_ids()) == 2, "two live recordings")
        one.send("\r")
        two.send("\r")
        assert (end(one), end(two)) == (0, 0)
    numbers = sorted(session.number or 0 for session in list_sessions(Store.default()))
    assert numbers == [1, 2]
