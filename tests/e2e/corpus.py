"""What the tests of the corpus of escapes share: docs/escapes.md says which row is tested where."""

import dataclasses
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from recorder.store.catalog import list_sessions
from tests.e2e.bastion import Bastion, listening_sshd, same_python, sshd_lines
from tests.e2e.sessions import Recorded, read, wait_to_see
from tests.marks import needs

PROMPT = b"ready> "
NEEDS_BASTION = [
    needs("sshd", "ssh"),
    pytest.mark.skipif(os.geteuid() != 0, reason="missing: root, to make accounts"),
    pytest.mark.skipif(not same_python(), reason="missing: a system Python of the same version"),
]


class NewSessions:
    """The sessions that were opened since this was made: many tests share one bastion."""

    def __init__(self, host: Bastion) -> None:
        self._host = host
        self._before = {session.id for session in list_sessions(host.store)}

    def sealed(self, count: int = 1) -> list[Recorded]:
        """Exactly so many, the oldest first, once all of them are sealed."""
        store = self._host.store
        wait_to_see((count, []), lambda: (len(self._ids()), store.live_ids()), "new sessions, and live ones")
        found = [session for session in list_sessions(store) if session.id not in self._before]
        return [read(session, store) for session in reversed(found)]

    def one(self) -> Recorded:
        """The only one, sealed."""
        (found,) = self.sealed()
        return found

    def _ids(self) -> set[str]:
        return {session.id for session in list_sessions(self._host.store)} - self._before


@contextmanager
def another_sshd(host: Bastion, **settings: str) -> Iterator[Bastion]:
    """The same bastion behind another sshd, whose configuration says `settings` in the place of its own."""
    kept = [line for line in sshd_lines(host) if line.split()[0] not in settings]
    wanted = [*kept, *(f"{name} {value}" for name, value in settings.items())]
    with listening_sshd(host.base / "another-sshd", wanted) as port:
        yield dataclasses.replace(host, port=port)
