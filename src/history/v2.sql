-- Small texts of other parts that change: open incidents, messages on their way.
CREATE TABLE documents (
    space TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (space, name)
) STRICT, WITHOUT ROWID;
