-- Format 1. docs/history.md explains every column.
CREATE TABLE checks (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE vantages (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;

-- A stream is what is packed together: one check in one lane from one vantage.
CREATE TABLE streams (
    id INTEGER PRIMARY KEY,
    check_id INTEGER NOT NULL REFERENCES checks (id),
    lane INTEGER NOT NULL,
    vantage_id INTEGER NOT NULL REFERENCES vantages (id),
    -- Bounds of started - due over its rows in `results`: so these are found by `started`
    -- without an index that would double what each commit writes.
    after_min INTEGER NOT NULL DEFAULT 0,
    after_max INTEGER NOT NULL DEFAULT 0,
    UNIQUE (check_id, lane, vantage_id)
) STRICT;

-- Results not yet sealed, one a row.
CREATE TABLE results (
    stream INTEGER NOT NULL REFERENCES streams (id),
    due INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    run INTEGER NOT NULL,
    started INTEGER NOT NULL,
    lateness INTEGER NOT NULL,
    reason INTEGER NOT NULL,
    dns INTEGER NOT NULL,
    connect INTEGER NOT NULL,
    tls INTEGER NOT NULL,
    send INTEGER NOT NULL,
    wait INTEGER NOT NULL,
    receive INTEGER NOT NULL,
    status INTEGER,
    bytes INTEGER NOT NULL,
    reused INTEGER NOT NULL,
    PRIMARY KEY (stream, due, kind, run)
) STRICT, WITHOUT ROWID;

-- Sealed results: the runs of a stream that were due on one UTC day.
CREATE TABLE blocks (
    id INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL REFERENCES streams (id),
    day INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    count INTEGER NOT NULL,
    started_min INTEGER NOT NULL,
    started_max INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (stream, day, seq)
) STRICT;
CREATE INDEX blocks_started ON blocks (stream, started_max, started_min);
CREATE INDEX blocks_day ON blocks (day);

CREATE TABLE voids (
    check_id INTEGER NOT NULL REFERENCES checks (id),
    vantage_id INTEGER NOT NULL REFERENCES vantages (id),
    "from" INTEGER NOT NULL,
    "to" INTEGER NOT NULL,
    reason INTEGER NOT NULL,
    PRIMARY KEY (check_id, vantage_id, "from", "to", reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;

-- One row: the last instant at which the daemon is known to have written.
CREATE TABLE alive (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL) STRICT;
