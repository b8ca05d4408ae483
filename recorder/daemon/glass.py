"""Logins without a recorder: what break-glass accounts left in the spool is entered in the log.

The login shell runs as the user, so a note is the user's file. Its owner is the kernel's word; all else in it
is a claim. Nobody but the recorder can list the spool, and a note has a random name: so it cannot be taken
back. A note that is anything but a small plain file with one name is thrown away, and the journal says so.
"""

import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from recorder.capture.login import MAX_NOTE, SPOOL
from recorder.capture.peer import user_name
from recorder.daemon import journal
from recorder.log import entries
from recorder.log.entries import Occasion
from recorder.store.layout import Store

SPOOL_MODE = 0o3733
"""Everybody may add a file; nobody but the owner may list them, or remove those of others."""
MAX_ENTRIES = 10
"""Of one account at one look; the last one says how many more there were, so that a flood fills no log."""
_FIELDS = {"command", "shell", "env.SSH_CONNECTION", "env.SSH_TTY", "cause"}
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def enter_notes(store: Store, spool: Path = Path(SPOOL)) -> int:
    """Log what lies in the spool, then remove it; how many there were. `SealcastError`: the log is full."""
    found = list(_notes(store.host, spool))
    if not found:
        return 0
    with store.notary.batch() as batch:
        for document in _bounded([document for _, document in found]):
            batch.append(document)
    for path, _ in found:
        path.unlink(missing_ok=True)
    return len(found)


def _bounded(documents: list[entries.Document]) -> Iterator[entries.Document]:
    """The first few of each account."""
    counts = Counter(document["user"]["id"] for document in documents)
    seen: Counter[str] = Counter()
    for document in documents:
        account = document["user"]["id"]
        seen[account] += 1
        if seen[account] == MAX_ENTRIES < counts[account]:
            document["sealcast"]["others"] = counts[account] - MAX_ENTRIES
        if seen[account] <= MAX_ENTRIES:
            yield document


def _notes(host: str, spool: Path) -> Iterator[tuple[Path, entries.Document]]:
    try:
        names = sorted(os.listdir(spool))
    except OSError:
        return
    for name in names:
        path = spool / name
        try:
            yield path, _document(host, path)
        except (OSError, ValueError) as error:
            journal.note("note-thrown-away", name=name, reason=str(error))
            with suppress(OSError):
                path.unlink()


def _document(host: str, path: Path) -> entries.Document:
    descriptor = os.open(path, _FLAGS)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_size > MAX_NOTE:
            raise ValueError("no note of a login")
        data = os.read(descriptor, MAX_NOTE)
    finally:
        os.close(descriptor)
    occasion = Occasion(host, status.st_mtime_ns // 1_000_000, user_name(status.st_uid), status.st_uid)
    return entries.occurrence(
        entries.LOGIN_UNRECORDED, occasion, {"cause": "break-glass", "claimed": _claims(data)}
    )


def _claims(data: bytes) -> dict[str, Any]:
    fields = (part.decode("utf-8", "backslashreplace").partition("=") for part in data.split(b"\0"))
    return {name.removeprefix("env."): value[:1024] for name, _, value in fields if name in _FIELDS}
