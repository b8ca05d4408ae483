"""Which policy the log knows to be in force: a change is an entry, however it came to be.

The digest that was logged last stands in a small file of the store. Where that is lost, one entry too many
is written, and none too few.
"""

from pathlib import Path

from recorder.capture.peer import user_name
from recorder.errors import SealcastError
from recorder.log import entries
from recorder.log.durable import read_file, replace_file
from recorder.log.entries import Document, Occasion
from recorder.store.layout import Store

_NAME = "policy"
_MAX_BYTES = 128
DEFAULTS = "defaults"
"""In the place of a digest, where there is no file."""


def change_of_policy(store: Store, policy: str | None, occasion: tuple[int, int]) -> Document | None:
    """The entry that is due, with `time_ms` and `uid` of the `occasion`; None where the log knows already."""
    before, now = known_policy(store), policy or DEFAULTS
    if before == now or (before is None and policy is None):
        return None
    time_ms, uid = occasion
    facts: Document = {"policy": now} | ({} if before is None else {"before": before})
    who = Occasion(store.host, time_ms, user_name(uid), uid)
    return entries.occurrence(entries.CONFIGURATION_CHANGED, who, facts)


def known_policy(store: Store) -> str | None:
    """The digest that was logged last; None where none was."""
    try:
        return read_file(_path(store), _MAX_BYTES).decode("ascii", "replace").strip()
    except OSError:
        return None


def remember_policy(store: Store, policy: str | None) -> None:
    """The log has it now."""
    try:
        replace_file(_path(store), f"{policy or DEFAULTS}\n".encode())
    except (SealcastError, OSError):  # the disk is full: it will be logged once more
        return


def _path(store: Store) -> Path:
    return store.root / _NAME
