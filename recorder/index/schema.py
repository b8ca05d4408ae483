"""The tables of `index.db`. Other programs read them, too: docs/index.md describes every table and column.

Times named `started`, `ended` or `*_at` are unix seconds in UTC. `start` and `duration` are seconds; `start`
counts from the beginning of the recording, as in the link `ID@START`.
"""

from typing import NamedTuple

APPLICATION_ID = 0x5CA57D31
"""`PRAGMA application_id`: tells an index from any other SQLite database."""


class Migration(NamedTuple):
    """A step from the schema before it; `PRAGMA user_version` is the number of steps taken."""

    name: str
    statements: str


_TABLES = """
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE sessions (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    number INTEGER,
    user TEXT NOT NULL,
    uid INTEGER,
    host TEXT NOT NULL,
    via TEXT,
    origin TEXT NOT NULL,
    source_ip TEXT,
    title TEXT,
    reason TEXT,
    command TEXT,
    started REAL NOT NULL,
    ended REAL,
    duration REAL,
    active REAL,
    columns INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    state TEXT NOT NULL,
    exit_status INTEGER,
    command_count INTEGER NOT NULL DEFAULT 0,
    failed_count INTEGER NOT NULL DEFAULT 0,
    last_command TEXT,
    live INTEGER NOT NULL DEFAULT 0,
    file TEXT,
    file_size INTEGER,
    file_mtime REAL,
    skipped_lines INTEGER NOT NULL DEFAULT 0,
    has_output INTEGER NOT NULL DEFAULT 0,
    extractor INTEGER NOT NULL,
    indexed_at REAL NOT NULL
);
CREATE INDEX sessions_started ON sessions (started);

CREATE TABLE commands (
    id INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions (key),
    ordinal INTEGER NOT NULL,
    start REAL NOT NULL,
    duration REAL,
    started REAL NOT NULL,
    text TEXT NOT NULL,
    exit_status INTEGER,
    cwd TEXT,
    level INTEGER NOT NULL,
    as_user TEXT,
    evidence TEXT NOT NULL,
    flags TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX commands_session ON commands (session, ordinal);
CREATE INDEX commands_started ON commands (started);

CREATE VIRTUAL TABLE commands_fts USING fts5 (
    text, content = 'commands', content_rowid = 'id', tokenize = 'trigram'
);

CREATE TABLE output_blocks (
    id INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions (key),
    lines INTEGER NOT NULL,
    size INTEGER NOT NULL,
    data BLOB NOT NULL,
    times BLOB NOT NULL
);
CREATE INDEX output_blocks_session ON output_blocks (session);

CREATE TABLE outputs (
    id INTEGER PRIMARY KEY,
    command INTEGER REFERENCES commands (id),
    start INTEGER NOT NULL,
    size INTEGER NOT NULL,
    line INTEGER NOT NULL,
    lines INTEGER NOT NULL
);
CREATE INDEX outputs_command ON outputs (command);

CREATE VIRTUAL TABLE outputs_fts USING fts5 (
    text, content = '', detail = 'none', columnsize = 0, tokenize = 'unicode61 remove_diacritics 0'
);

CREATE TABLE alerts (
    id INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions (key),
    command INTEGER REFERENCES commands (id),
    start REAL,
    raised_at REAL NOT NULL,
    severity TEXT NOT NULL,
    rule TEXT NOT NULL,
    message TEXT NOT NULL DEFAULT ''
);
CREATE INDEX alerts_session ON alerts (session);

CREATE TABLE notes (
    id INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions (key),
    start REAL,
    written_at REAL NOT NULL,
    author TEXT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX notes_session ON notes (session);

CREATE TABLE broken (
    id TEXT PRIMARY KEY,
    file TEXT,
    file_size INTEGER,
    file_mtime REAL,
    reason TEXT NOT NULL,
    extractor INTEGER NOT NULL,
    seen_at REAL NOT NULL
) WITHOUT ROWID;
"""

_VIEWS = """
CREATE VIEW session_list AS
SELECT
    id,
    strftime('%Y-%m-%dT%H:%M:%fZ', started, 'unixepoch') AS started,
    strftime('%Y-%m-%dT%H:%M:%fZ', ended, 'unixepoch') AS ended,
    user, host, source_ip, origin, state, duration, active, exit_status, command_count, failed_count,
    last_command, title, reason
FROM sessions;

CREATE VIEW command_list AS
SELECT
    strftime('%Y-%m-%dT%H:%M:%fZ', c.started, 'unixepoch') AS started,
    s.user, c.as_user, s.host, c.text, c.exit_status, c.duration, c.cwd, c.level, c.evidence,
    s.id || '@' || printf('%.3f', c.start) AS link
FROM commands c JOIN sessions s ON s.key = c.session;
"""

_STRETCHES = """
DROP VIEW command_list;
DROP TABLE commands_fts;
DROP TABLE outputs_fts;
DROP TABLE outputs;
DROP TABLE output_blocks;
DROP TABLE commands;
UPDATE sessions SET extractor = 0;
UPDATE broken SET extractor = 0;
ALTER TABLE sessions DROP COLUMN via;

CREATE TABLE stretches (
    id INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions (key),
    ordinal INTEGER NOT NULL,
    start REAL NOT NULL,
    duration REAL,
    started REAL NOT NULL,
    text TEXT,
    exit_status INTEGER,
    cwd TEXT,
    level INTEGER NOT NULL,
    as_user TEXT,
    evidence TEXT NOT NULL,
    flags TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX stretches_session ON stretches (session, ordinal);
CREATE INDEX stretches_started ON stretches (started);

CREATE VIEW commands AS SELECT * FROM stretches WHERE text IS NOT NULL;

CREATE VIEW asides AS SELECT id, session, ordinal, start, started FROM stretches WHERE text IS NULL;

CREATE VIRTUAL TABLE commands_fts USING fts5 (
    text, content = 'commands', content_rowid = 'id', tokenize = 'trigram'
);

CREATE TABLE output_blocks (
    id INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions (key),
    lines INTEGER NOT NULL,
    size INTEGER NOT NULL,
    data BLOB NOT NULL,
    times BLOB NOT NULL
);
CREATE INDEX output_blocks_session ON output_blocks (session, size);

CREATE TABLE outputs (
    id INTEGER PRIMARY KEY,
    stretch INTEGER NOT NULL REFERENCES stretches (id),
    start INTEGER NOT NULL,
    size INTEGER NOT NULL
);

CREATE VIRTUAL TABLE outputs_fts USING fts5 (
    text, content = '', detail = 'none', columnsize = 0, tokenize = 'unicode61 remove_diacritics 0'
);

CREATE VIEW command_list AS
SELECT
    strftime('%Y-%m-%dT%H:%M:%fZ', c.started, 'unixepoch') AS started,
    s.user, c.as_user, s.host, c.text, c.exit_status, c.duration, c.cwd, c.level, c.evidence,
    s.id || '@' || printf('%.3f', c.start) AS link
FROM commands c JOIN sessions s ON s.key = c.session;
"""

_LISTING = """
ALTER TABLE sessions ADD COLUMN text_size INTEGER;
UPDATE sessions SET extractor = 0;
DELETE FROM meta WHERE key = 'log_size';
CREATE INDEX sessions_state ON sessions (state);
CREATE INDEX sessions_number ON sessions (number);
CREATE INDEX stretches_failed ON stretches (exit_status) WHERE exit_status <> 0;
"""

MIGRATIONS: tuple[Migration, ...] = (
    Migration("tables and views", _TABLES + _VIEWS),
    Migration("asides, dense pieces of output", _STRETCHES),
    Migration("what a list of sessions shows, failed commands", _LISTING),
)
"""What is derived is made anew by the next build where its shape has changed."""

VERSION = len(MIGRATIONS)
"""`PRAGMA user_version` of an index that this program reads and writes."""
