"""`sealcast export`."""

import errno
import io
import os
import signal
import subprocess
from pathlib import Path

import pytest

from recorder.cast.events import MARKER
from recorder.cast.reader import open_events
from recorder.cli.export_files import Destination
from recorder.errors import ExitCode
from recorder.store.layout import Store
from recorder.store.reading import open_file
from tests.cli.conftest import COMMAND, Run
from tests.cli.test_commands import RAN

ENDED_BY_PIPE = 141


def test_cast_is_the_sealed_file_with_its_signature(cli: Run, ids: list[str], home: Path) -> None:
    path = home / "out.cast"
    assert cli("export", ids[2], "--format", "cast", "-o", str(path)).code == ExitCode.OK
    store = Store.default()
    with open_file(store.sealed_path(ids[2])) as file:
        assert path.read_bytes() == file.read()
    assert Path(f"{path}.sig").read_bytes() == store.sealed_signature_path(ids[2]).read_bytes()
    assert cli("verify", str(path)).code == ExitCode.OK
    assert path.stat().st_mode & 0o077 == 0


def test_copies_have_a_marker_for_each_command(cli: Run, ids: list[str], home: Path) -> None:
    for arguments in (["cast3"], ["cast", "--markers"]):
        path = home / "copy.cast"
        assert cli("export", ids[2], "--format", *arguments, "-o", str(path), "--force").code == ExitCode.OK
        header, events = open_events(io.BytesIO(path.read_bytes()), "copy")
        assert header.session is None
        assert header.title == f"In a terminal (unsigned copy of {ids[2]} on {os.uname().nodename})"
        assert [event.data for event in events if event.code == MARKER] == [
            text.replace("\x1b", "␛") for text in RAN
        ]
        assert cli("verify", str(path)).code == ExitCode.UNVERIFIED


def test_markdown_tells_everything(program: Run, ids: list[str]) -> None:
    text = program("export", ids[2], "--format", "md").out
    assert f"# Session `{ids[2]}`" in text
    assert "- Check: `verified`" in text
    assert "<details><summary>Output, 30 lines</summary>" in text
    assert "```text\n" + "x" * 90 + "\n```" in text
    assert all(f"```text\n{command}\n```" in text for command in RAN)
    assert "A full-screen program" in text


def test_markdown_keeps_as_many_lines_as_asked(program: Run, ids: list[str]) -> None:
    text = program("export", ids[2], "--format", "md", "--max-lines", "2").out
    assert "```text\n1\n2\n```\n\n28 more lines are left out." in text


def test_text_is_the_transcript(program: Run, ids: list[str]) -> None:
    assert program("export", ids[2], "--format", "txt").out == program("cat", ids[2]).out


def test_hostile_output_is_harmless(program: Run, ids: list[str]) -> None:
    for form in ("md", "txt"):
        out = program("export", ids[0], "--format", form).out
        assert not set(out) & {"\x1b", "\x9b", "\x07"}


def test_files_are_not_replaced_unasked(cli: Run, ids: list[str], home: Path) -> None:
    path = home / "there.md"
    path.write_text("mine")
    result = cli("export", ids[2], "--format", "md", "-o", str(path))
    assert (result.code, path.read_text()) == (ExitCode.USAGE, "mine")
    assert "exists" in result.err
    assert cli("export", ids[2], "--format", "md", "-o", str(path), "--force").code == ExitCode.OK
    assert path.read_text().startswith("# Session")


def test_a_signature_that_is_there_is_not_replaced_unasked(cli: Run, ids: list[str], home: Path) -> None:
    signature = home / "k.cast.sig"
    signature.write_text("mine")
    result = cli("export", ids[2], "--format", "cast", "-o", str(home / "k.cast"))
    assert (result.code, signature.read_text()) == (ExitCode.USAGE, "mine")
    assert "k.cast.sig exists" in result.err
    assert (
        cli("export", ids[2], "--format", "cast", "-o", str(home / "k.cast"), "--force").code == ExitCode.OK
    )
    assert signature.read_text().startswith("-----BEGIN SSH SIGNATURE")


def test_links_are_followed_and_stay_links(cli: Run, ids: list[str], home: Path) -> None:
    (home / "real.txt").write_text("old")
    (home / "link.txt").symlink_to("real.txt")
    assert cli("export", ids[2], "--format", "txt", "-o", str(home / "link.txt")).code == ExitCode.USAGE
    result = cli("export", ids[2], "--format", "txt", "-o", str(home / "link.txt"), "--force")
    assert result.code == ExitCode.OK
    assert (home / "link.txt").is_symlink()
    assert "kept" in (home / "real.txt").read_text()


def test_pipes_and_devices_are_written_to_and_never_replaced(cli: Run, ids: list[str], home: Path) -> None:
    pipe = home / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        result = cli("export", ids[2], "--format", "cast", "-o", str(pipe), "--force")
        assert os.read(reader, 10) == b'{"version"'
    finally:
        os.close(reader)
    assert result.code == ExitCode.OK
    assert os.listdir(home) == ["pipe"]


@pytest.mark.parametrize("form", ["cast", "cast3", "md", "txt"])
def test_a_full_disk_is_named(cli: Run, ids: list[str], home: Path, form: str) -> None:
    (home / "full").symlink_to("/dev/full")
    result = cli("export", ids[2], "--format", form, "-o", str(home / "full"))
    assert result.code == ExitCode.TARGET
    assert f"cannot write {home / 'full'}: no space left on device" in result.err
    assert Path("/dev/full").is_char_device()


def test_nothing_is_left_of_a_file_that_could_not_be_written(
    cli: Run, ids: list[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Destination, "flush", fail)
    cli("export", ids[2], "--format", "md", "-o", str(home / "out.md"))
    assert os.listdir(home) == []


def test_what_is_no_recording_is_not_exported_as_one(cli: Run, home: Path) -> None:
    (home / "notes.txt").write_text("hello\n")
    for form in ("cast", "cast3", "md", "txt"):
        result = cli("export", str(home / "notes.txt"), "--format", form, "-o", str(home / "out"))
        assert (result.code, result.out) == (ExitCode.FORMAT, "")
    assert os.listdir(home) == ["notes.txt"]


def test_a_reader_that_has_enough_ends_it(program: Run, ids: list[str], home: Path) -> None:
    for form in ("md", "txt", "cast", "cast3"):
        reader, writer = os.pipe()
        os.close(reader)
        command = [*COMMAND, "export", ids[2], "--format", form]
        done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False)
        os.close(writer)
        assert done.returncode in (ENDED_BY_PIPE, -signal.SIGPIPE)
        assert b"Traceback" not in done.stderr


def test_what_cannot_be_done_is_said(cli: Run, ids: list[str], home: Path) -> None:
    nowhere = cli("export", ids[2], "--format", "md", "-o", str(home / "no" / "such.md"))
    assert nowhere.code == ExitCode.USAGE
    assert "cannot write" in nowhere.err
    directory = cli("export", ids[2], "--format", "md", "-o", str(home), "--force")
    assert (directory.code, "is a directory" in directory.err) == (ExitCode.USAGE, True)
    assert cli("export", f"{ids[2]}@1s", "--format", "md").code == ExitCode.USAGE
    assert cli("export", ids[2]).code == ExitCode.USAGE
    assert os.listdir(home) == []
