"""Whether the index holds a store as it is, told without reading the log that it was made from."""

import sqlite3

from recorder.index.database import damage_told
from recorder.index.extraction import EXTRACTOR
from recorder.index.listing import current_listing
from recorder.index.sessions import file_state
from recorder.store.layout import Store

_FILES = "SELECT file, file_size, file_mtime, has_output, extractor FROM sessions"


def count_if_unchanged(store: Store, *, with_output: bool) -> int | None:
    """The number of sessions, where the index holds each one and all of it; else None.

    Sessions that go on count as changed. Every recording is looked at, and none is opened.
    """
    with current_listing(store) as listing:
        if listing is None or listing.changed:
            return None
        with damage_told():
            return _count(store, listing.connection, with_output=with_output)


def _count(store: Store, connection: sqlite3.Connection, *, with_output: bool) -> int | None:
    count, root = 0, str(store.root)
    for file, size, mtime, has_output, extractor in connection.execute(_FILES):
        is_whole = file is None or has_output or not with_output
        if extractor != EXTRACTOR or not is_whole:
            return None
        if file is not None and file_state(f"{root}/{file}") != (size, mtime):
            return None
        count += 1
    return count
