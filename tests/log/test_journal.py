import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from recorder.errors import SealcastError
from recorder.log.journal import Log, LogDamagedError
from recorder.seal.keys import generate_key, private_key_bytes, public_bytes
from tests.log.naive_reader import read_log

ORIGIN = "host.example/log"


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return generate_key()


@pytest.fixture
def log(tmp_path: Path, key: Ed25519PrivateKey) -> Log:
    made = Log(tmp_path / "log", ORIGIN, public_bytes(key))
    made.create(key)
    return made


def append(log: Log, key: Ed25519PrivateKey, *entries: bytes) -> None:
    for entry in entries:
        with log.writing(key) as writer:
            writer.append(entry)


def fill(log: Log, key: Ed25519PrivateKey, size: int) -> list[bytes]:
    """Append under one lock until the log has `size` entries."""
    with log.writing(key) as writer:
        for number in range(writer.size, size):
            writer.append(b"entry %d" % number)
    return [b"entry %d" % number for number in range(size)]


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 515])
def test_an_independent_reader_reads_the_log(log: Log, key: Ed25519PrivateKey, size: int) -> None:
    entries = fill(log, key, size)
    assert read_log(log.directory, ORIGIN, public_bytes(key)) == entries
    assert list(log.entries(0, size)) == entries
    assert log.checkpoint().size == size


def test_every_size_on_the_way_can_be_read(log: Log, key: Ed25519PrivateKey) -> None:
    for size in range(1, 12):
        entries = fill(log, key, size)
        assert read_log(log.directory, ORIGIN, public_bytes(key)) == entries


def test_a_part_of_the_entries(log: Log, key: Ed25519PrivateKey) -> None:
    entries = fill(log, key, 300)
    assert list(log.entries(250, 270)) == entries[250:270]
    assert list(log.entries(256, 300)) == entries[256:]
    with log.writing(key) as writer:
        assert list(writer.back(260)) == entries[259::-1]


def test_outgrown_parts_go_and_the_last_one_before_stays(log: Log, key: Ed25519PrivateKey) -> None:
    fill(log, key, 300)
    assert not (log.directory / "tile/entries/000.p").exists()
    assert sorted(os.listdir(log.directory / "tile/entries/001.p")) == ["43", "44"]
    with_old_checkpoint = log.bundle(1, 43)
    assert with_old_checkpoint[-1] == b"entry 298"
    assert log.bundle(1, 5) == [b"entry %d" % number for number in range(256, 261)]
    assert log.tile(0, 0, 255) == log.tile(0, 0, 256)[:255]


@pytest.mark.parametrize("first", [0, 1, 200, 255, 256, 500])
@pytest.mark.parametrize("count", [0, 1, 56, 57, 300, 1000])
def test_many_entries_under_one_checkpoint(log: Log, key: Ed25519PrivateKey, first: int, count: int) -> None:
    """The same log, to the byte, as one entry after the other would make."""
    entries = fill(log, key, first)
    added = [b"added %d" % number for number in range(count)]
    with log.writing(key) as writer:
        assert writer.append_all(added) == first
        assert writer.append(b"one more") == first + count
    assert read_log(log.directory, ORIGIN, public_bytes(key)) == [*entries, *added, b"one more"]


def test_a_batch_that_never_got_its_checkpoint_leaves_nothing(log: Log, key: Ed25519PrivateKey) -> None:
    """Its full bundle and its wider parts would be read in place of what is appended then."""
    fill(log, key, 200)
    before = (log.directory / "checkpoint").read_bytes()
    with log.writing(key) as writer:
        writer.append_all([b"lost"] * 100)
    (log.directory / "checkpoint").write_bytes(before)
    append(log, key, b"kept")
    old = Log(log.directory, ORIGIN, public_bytes(key))
    assert old.bundle(0, 201)[-1] == b"kept"
    for number in range(5):
        append(log, key, b"after %d" % number)
    assert old.bundle(0, 201)[-1] == b"kept"
    assert len(old.tile(0, 0, 201)) == 201
    assert read_log(log.directory, ORIGIN, public_bytes(key))[200:202] == [b"kept", b"after 0"]


def test_one_entry_too_long_keeps_out_the_whole_batch(log: Log, key: Ed25519PrivateKey) -> None:
    with pytest.raises(SealcastError, match="limit is"), log.writing(key) as writer:
        writer.append_all([b"fine", b"x" * 65_536])
    assert log.checkpoint().size == 0


def test_files_are_private(log: Log, key: Ed25519PrivateKey) -> None:
    fill(log, key, 257)
    for root, directories, files in os.walk(log.directory):
        for name in directories:
            assert stat.S_IMODE(os.stat(os.path.join(root, name)).st_mode) == 0o700
        for name in files:
            assert stat.S_IMODE(os.stat(os.path.join(root, name)).st_mode) == 0o600


@pytest.mark.parametrize("entry", [b"", b"x" * 65_536])
def test_entries_have_bounds(log: Log, key: Ed25519PrivateKey, entry: bytes) -> None:
    with pytest.raises(SealcastError, match="limit is 65,535"):
        append(log, key, entry)
    append(log, key, b"x" * 65_535)
    assert log.checkpoint().size == 1


def test_what_lies_beyond_the_checkpoint_is_written_over(log: Log, key: Ed25519PrivateKey) -> None:
    """A crash between the tiles and the checkpoint: the entry was never acknowledged."""
    fill(log, key, 255)
    before = (log.directory / "checkpoint").read_bytes()
    append(log, key, b"never acknowledged")
    (log.directory / "checkpoint").write_bytes(before)
    assert list(log.entries(0, 255))[-1] == b"entry 254"
    append(log, key, b"entry 255", b"entry 256")
    assert read_log(log.directory, ORIGIN, public_bytes(key)) == [b"entry %d" % n for n in range(257)]


def test_what_a_killed_writer_left_half_written_is_replaced(log: Log, key: Ed25519PrivateKey) -> None:
    fill(log, key, 3)
    left = [log.directory / ".tmp-checkpoint", log.directory / "tile/0/000.p/.tmp-4"]
    for path in left:
        path.write_bytes(b"half")
    append(log, key, b"entry 3")
    assert not any(path.exists() for path in left)


def test_a_missing_checkpoint_is_never_made_anew(log: Log, key: Ed25519PrivateKey) -> None:
    fill(log, key, 3)
    (log.directory / "checkpoint").unlink()
    log.create(key)
    with pytest.raises(LogDamagedError, match="has no checkpoint"):
        append(log, key, b"x")


def test_tiles_that_do_not_lead_to_the_root_are_not_built_on(log: Log, key: Ed25519PrivateKey) -> None:
    fill(log, key, 300)
    tile = log.directory / "tile/1/000.p/1"
    tile.write_bytes(bytes(32))
    with pytest.raises(LogDamagedError, match="do not lead to the root"):
        append(log, key, b"x")


def test_a_checkpoint_by_another_key_is_refused(log: Log, key: Ed25519PrivateKey) -> None:
    fill(log, key, 3)
    stranger = Log(log.directory, ORIGIN, public_bytes(generate_key()))
    with pytest.raises(LogDamagedError):
        stranger.checkpoint()
    elsewhere = Log(log.directory, "other.example/log", public_bytes(key))
    with pytest.raises(LogDamagedError):
        elsewhere.checkpoint()


def test_links_are_not_followed(log: Log, key: Ed25519PrivateKey, tmp_path: Path) -> None:
    fill(log, key, 256)
    full = log.directory / "tile/entries/000"
    elsewhere = tmp_path / "elsewhere"
    full.rename(elsewhere)
    full.symlink_to(elsewhere)
    with pytest.raises(LogDamagedError):
        log.bundle(0, 256)


APPENDER = """
import sys
from pathlib import Path
from recorder.log.journal import Log
from recorder.seal.keys import load_private_key, public_bytes
directory, key_path, name, count = sys.argv[1:]
key = load_private_key(Path(key_path).read_bytes(), "key")
log = Log(Path(directory), "host.example/log", public_bytes(key))
for number in range(int(count)):
    with log.writing(key) as writer:
        index = writer.append(f"{name} {number}".encode())
    print(index, flush=True)
"""


def start_appender(log: Log, key_path: Path, name: str, count: int) -> subprocess.Popen[str]:
    arguments = [str(log.directory), str(key_path), name, str(count)]
    return subprocess.Popen([sys.executable, "-c", APPENDER, *arguments], stdout=subprocess.PIPE, text=True)


def test_many_writers_and_a_reader(log: Log, key: Ed25519PrivateKey, tmp_path: Path) -> None:
    """Four processes append; every checkpoint read meanwhile is backed by the files."""
    key_path = tmp_path / "key"
    key_path.write_bytes(private_key_bytes(key))
    writers = [start_appender(log, key_path, name, 70) for name in "abcd"]
    seen = 0
    while any(writer.poll() is None for writer in writers):
        checkpoint = log.checkpoint()
        assert checkpoint.size >= seen
        seen = checkpoint.size
        assert len(list(log.entries(0, seen))) == seen
    indexes = [int(line) for writer in writers for line in writer.communicate()[0].split()]
    assert sorted(indexes) == list(range(280))
    entries = read_log(log.directory, ORIGIN, public_bytes(key))
    assert sorted(entries) == sorted(f"{name} {number}".encode() for name in "abcd" for number in range(70))


def test_killed_writers_leave_a_log_that_goes_on(log: Log, key: Ed25519PrivateKey, tmp_path: Path) -> None:
    """Killed at whatever moment an acknowledged entry finds them; nothing acknowledged is lost."""
    key_path = tmp_path / "key"
    key_path.write_bytes(private_key_bytes(key))
    acknowledged = 0
    for round_ in range(25):
        with start_appender(log, key_path, f"round{round_}", 1000) as writer:
            assert writer.stdout is not None
            for _ in range(1 + round_ % 7):
                acknowledged = int(writer.stdout.readline()) + 1
            writer.kill()
        size = log.checkpoint().size
        assert size >= acknowledged
        assert len(list(log.entries(0, size))) == size
    append(log, key, b"after all")
    assert read_log(log.directory, ORIGIN, public_bytes(key))[-1] == b"after all"
