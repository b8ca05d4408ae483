"""Notes of logins without a recorder: the owner is the kernel's word, everything else a claim."""

import os
from pathlib import Path

from recorder.capture.login import MAX_NOTE
from recorder.daemon.glass import enter_notes
from recorder.log import entries
from recorder.store.layout import Store

NOTE = (
    b"sealcast/1\0kind=terminal\0command=ls \xff\x1b[2J\0env.SSH_CONNECTION=192.0.2.1 1 192.0.2.2 22\0uid=0\0"
)


def _entered(store: Store) -> list[entries.Document]:
    documents = (entries.decode(entry, "log") for entry in store.log.entries(0, store.log.checkpoint().size))
    return [item for item in documents if entries.action(item) == entries.LOGIN_UNRECORDED]


def test_a_note_becomes_an_entry_about_its_owner_and_is_removed(home: Path) -> None:
    store = Store.default()
    store.prepare()
    spool = home / "spool"
    spool.mkdir()
    (spool / "a").write_bytes(NOTE)
    assert enter_notes(store, spool) == 1
    (entry,) = _entered(store)
    assert entry["user"]["id"] == str(os.getuid())
    assert entry["sealcast"] == {
        "cause": "break-glass",
        "claimed": {"command": "ls \\xff\x1b[2J", "SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"},
    }
    assert list(spool.iterdir()) == []
    assert enter_notes(store, spool) == 0


def test_what_is_no_note_is_thrown_away_and_hides_no_other(home: Path) -> None:
    store = Store.default()
    store.prepare()
    spool = home / "spool"
    spool.mkdir()
    secret = home / "secret"
    secret.write_bytes(b"command=secret\0")
    os.mkfifo(spool / "fifo")
    (spool / "link").symlink_to(secret)
    os.link(secret, spool / "hard")
    (spool / "large").write_bytes(b"x" * (MAX_NOTE + 1))
    (spool / "noise").write_bytes(bytes(range(256)))
    (spool / "empty").touch()
    (spool / "true").write_bytes(NOTE)
    assert enter_notes(store, spool) == 3
    assert [entry["sealcast"]["claimed"].get("command") for entry in _entered(store)] == [
        None,
        None,
        "ls \\xff\x1b[2J",
    ]
    assert list(spool.iterdir()) == []
    assert secret.exists()


def test_without_a_spool_there_is_nothing_to_enter(home: Path) -> None:
    store = Store.default()
    store.prepare()
    assert enter_notes(store, home / "missing") == 0


def test_a_flood_of_notes_is_a_few_entries_and_all_are_counted(home: Path) -> None:
    store = Store.default()
    store.prepare()
    spool = home / "spool"
    spool.mkdir()
    for number in range(1000):
        (spool / f"{number}").write_bytes(NOTE)
    assert enter_notes(store, spool) == 1000
    found = [entry["sealcast"].get("others") for entry in _entered(store)]
    assert found == [None] * 9 + [990]
    assert list(spool.iterdir()) == []
