"""Looking at a store while sessions come and go in it never accuses anyone."""

import subprocess
import sys

from recorder.store.catalog import Session, list_sessions
from recorder.store.checking import check_all, log_findings
from recorder.store.layout import Store
from recorder.store.sealing import seal_orphans
from recorder.store.state import State
from recorder.store.verdict import Verdict

RECORDER = """
import sys
from pathlib import Path
from recorder.store.layout import Store
from recorder.store.sealing import seal
from tests.store.recordings import record
store = Store(Path(sys.argv[1]))
for number in range(25):
    seal(store, record(store, 10))
"""


ACCUSING = {State.BAD, State.MISSING}


def start_recorder(store: Store) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", RECORDER, str(store.root)])


def test_verdicts_while_others_record(store: Store) -> None:
    recorders = [start_recorder(store) for _ in range(3)]
    quiet = {State.VERIFIED, State.LIVE, State.TRUNCATED}
    accused: list[tuple[Session, Verdict | None]] = []
    while any(recorder.poll() is None for recorder in recorders):
        accused += [found for found in check_all(store) if found[1].state not in quiet]
        accused += [(session, None) for session in list_sessions(store) if session.state_hint in ACCUSING]
        seal_orphans(store)
    assert [(session.id, session.path, verdict) for session, verdict in accused] == []
    assert [recorder.returncode for recorder in recorders] == [0, 0, 0]
    assert {verdict.state for _, verdict in check_all(store)} == {State.VERIFIED}
    assert sorted(session.number for session in list_sessions(store)) == list(range(1, 76))
    assert log_findings(store) == []
