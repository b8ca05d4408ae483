"""The readers of other recorders' files are held against the recorders themselves."""

import struct
import subprocess
from pathlib import Path

import pytest

from scripts.benchmarks import recordings
from scripts.benchmarks.errors import BenchError
from tests.marks import needs


@needs("script")
def test_a_typescript_is_read_without_its_first_and_last_line(tmp_path: Path) -> None:
    path = tmp_path / "typescript"
    argv = ["script", "-q", "-c", r"printf 'one\ntwo'", str(path)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=20)
    assert b"".join(recordings.typescript(path)) == b"one\r\ntwo"


def test_frames_of_ttyrec_are_joined(tmp_path: Path) -> None:
    path = tmp_path / "ttyrecord"
    path.write_bytes(struct.pack("<III", 1, 2, 3) + b"one" + struct.pack("<III", 1, 3, 4) + b"two\0")
    assert b"".join(recordings.ttyrec(path)) == b"onetwo\0"


def test_messages_of_tlog_are_joined_and_binary_ones_refused(tmp_path: Path) -> None:
    path = tmp_path / "tlog.json"
    path.write_text('{"out_txt":"one \\u001b","out_bin":[]}\n{"out_txt":"zwö","out_bin":[]}\n')
    assert b"".join(recordings.tlog(path)) == "one \x1bzwö".encode()
    path.write_text('{"out_txt":"\\ufffd","out_bin":[255]}\n')
    with pytest.raises(BenchError, match="did not take for text"):
        list(recordings.tlog(path))


def test_digests_do_not_depend_on_the_pieces() -> None:
    assert recordings.digest([b"on", b"e"]) == recordings.digest([b"one"]) != recordings.digest([b"two"])
