"""How rows get into the index."""

import sqlite3
from contextlib import closing
from pathlib import Path

from recorder.index.extraction import EXTRACTOR, CommandRow, Extracted
from recorder.index.writing import IndexWriter

_SESSION = {"user": "alice", "host": "web-3", "origin": "sshd", "started": 1789221731.0, "state": "closed"}


def test_the_words_of_many_sessions_are_written_together(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    with IndexWriter(path) as writer:
        for number in range(20):
            session_id = f"20260912T140211-{number:08}"
            writer.begin_session({**_SESSION, "id": session_id, "columns": 80, "rows": 24})
            command = CommandRow(0, 1.0, 2.0, f"echo {number}", 0, None, 0, None, "screen", "")
            writer.add(session_id, Extracted([command]))
            writer.end_session(session_id, {"extractor": EXTRACTOR})
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM commands").fetchone() == (20,)
        assert connection.execute("SELECT count(DISTINCT segid) FROM commands_fts_idx").fetchone() == (1,)
