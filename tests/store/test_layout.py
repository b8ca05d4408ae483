import os
import stat
from pathlib import Path

import pytest

from recorder.errors import ExitCode, FormatError, SealcastError
from recorder.log.notary import SessionRequest
from recorder.seal.keys import generate_key, private_key_bytes, public_bytes
from recorder.store.layout import Store, locked_file
from tests.store.recordings import Worker

ID = "20261120T101502-k7f3q9xw"


def test_the_default_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("SEALCAST_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Store.default().root == tmp_path / ".local/share/sealcast"
    monkeypatch.setenv("XDG_DATA_HOME", "not/absolute")
    assert Store.default().root == tmp_path / ".local/share/sealcast"
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert Store.default().root == Path("/data/sealcast")
    monkeypatch.setenv("SEALCAST_HOME", str(tmp_path / "home"))
    assert Store.default().root == tmp_path / "home"


def test_paths_follow_the_day_of_the_start(store: Store) -> None:
    assert store.sealed_path(ID) == store.root / "sealed/2026/11/20" / f"{ID}.cast.zst"
    assert store.live_path(ID) == store.root / "live" / f"{ID}.cast"
    assert store.signature_path(ID) == store.root / "live" / f"{ID}.cast.sig"


@pytest.mark.parametrize(
    "name", ["", "..", "../../etc/passwd", f"{ID}/x", f"{ID}\n", ID.upper(), "x" * 10_000]
)
def test_only_ids_name_files(store: Store, name: str) -> None:
    with pytest.raises(FormatError, match="not a session id"):
        store.live_path(name)


def test_everything_is_private(store: Store) -> None:
    worker = Worker(store)
    worker.finish()
    worker.close()
    for root, directories, files in os.walk(store.root):
        for name in [*directories, *files]:
            mode = os.stat(os.path.join(root, name)).st_mode
            assert stat.S_IMODE(mode) == (0o700 if stat.S_ISDIR(mode) else 0o600), name


def test_a_second_prepare_changes_nothing(store: Store) -> None:
    before = {path: path.read_bytes() for path in store.root.rglob("*") if path.is_file()}
    Store(store.root).prepare()
    assert before == {path: path.read_bytes() for path in store.root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("lost", ["keys/host.pub", "keys/trusted"])
def test_what_follows_from_the_key_is_made_again(store: Store, lost: str) -> None:
    before = (store.root / lost).read_bytes()
    (store.root / lost).unlink()
    Store(store.root).prepare()
    assert (store.root / lost).read_bytes() == before


def test_a_lost_host_key_is_not_made_again(store: Store) -> None:
    (store.root / "keys/host").unlink()
    with pytest.raises(SealcastError, match=r"host key .* is missing") as raised:
        Store(store.root).prepare()
    assert raised.value.code == ExitCode.RECORDING
    assert "backup" in str(raised.value.hint)


def test_another_key_in_its_place_is_refused(store: Store) -> None:
    (store.root / "keys/host").write_bytes(private_key_bytes(generate_key()))
    with pytest.raises(SealcastError, match=r"not the key in host\.pub"):
        _ = Store(store.root).notary


@pytest.mark.parametrize("line", ["", "ssh-ed25519", "ssh-ed25519 AAAA host", "x" * 100_000, "\0"])
def test_a_damaged_public_key_is_an_error_with_its_name(store: Store, line: str) -> None:
    (store.root / "keys/host.pub").write_text(line)
    with pytest.raises(SealcastError, match=r"host\.pub"):
        _ = Store(store.root).host


def test_reading_makes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "none")
    assert not store.exists()
    with pytest.raises(SealcastError, match="no store here") as raised:
        _ = store.host
    assert raised.value.code == ExitCode.TARGET
    assert not store.root.exists()


def test_a_live_file_is_appended_to_locked_and_made_once(store: Store) -> None:
    descriptor = store.create_live(ID)
    try:
        os.write(descriptor, b"one")
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, b"two")
        assert store.live_path(ID).read_bytes() == b"onetwo"
        assert store.is_live(ID)
        with locked_file(store.live_path(ID)) as lock:
            assert lock is None
        with pytest.raises(SealcastError, match="file exists"):
            store.create_live(ID)
    finally:
        os.close(descriptor)
    assert not store.is_live(ID)


@pytest.mark.parametrize("name", ["live", "opening", "signature"])
def test_planted_links_are_not_followed(store: Store, tmp_path: Path, name: str) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"untouched")
    {"live": store.live_path, "opening": store.opening_path, "signature": store.signature_path}[name](
        ID
    ).symlink_to(victim)
    with pytest.raises(SealcastError) as raised:
        {"live": store.create_live, "opening": store.reserve, "signature": _sign(store)}[name](ID)
    assert raised.value.code == ExitCode.RECORDING
    assert victim.read_bytes() == b"untouched"


def _sign(store: Store):  # type: ignore[no-untyped-def]  # noqa: ANN202 a bound call for the table above
    return lambda session_id: store.write_signature(session_id, "x")


def test_a_directory_that_is_a_link_is_refused(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "store").mkdir()
    (tmp_path / "store/live").symlink_to(elsewhere)
    with pytest.raises(SealcastError, match="not a directory"):
        Store(tmp_path / "store").prepare()
    assert not list(elsewhere.iterdir())


def test_a_place_that_cannot_be_written_is_a_clear_error() -> None:
    with pytest.raises(SealcastError, match="cannot write /proc/nothing") as raised:
        Store(Path("/proc/nothing")).prepare()
    assert raised.value.code == ExitCode.RECORDING


def test_a_reservation_is_held_until_the_live_file_stands(store: Store) -> None:
    admission = store.notary.admit(SessionRequest("a", 1, "local", (80, 24)), public_bytes(generate_key()))
    assert store.is_live(admission.session_id)
    assert store.live_ids() == [admission.session_id]
    descriptor = store.create_live(admission.session_id)
    store.release(admission.session_id)
    assert not store.opening_path(admission.session_id).exists()
    assert store.is_live(admission.session_id)
    os.close(descriptor)
