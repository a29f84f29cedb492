#!/usr/bin/env python3
"""Reads a history of thongsuot without thongsuot, and checks it. See history.md.

    pip install pcodec numpy
    python3 read_history.py history.sqlite > results.csv

Prints every result, sealed or not, and stops at the first thing that is not as it should be.
Work on a copy of the file made while the daemon is stopped, or by SQLite's `.backup`.
"""

import csv
import hashlib
import json
import sqlite3
import struct
import sys
import zlib
from itertools import accumulate

from pcodec import standalone

LANES = ["any", "v4", "v6"]
KINDS = ["grid", "confirm", "fast"]
DAY_MS = 86_400_000
FIELDS = ["due", "kind", "run", "started", "lateness", "reason", "dns", "connect", "tls", "send",
          "wait", "receive", "status", "bytes", "reused"]


def varint(data, at):
    """The number at `at`, seven bits a byte, and where it ends."""
    value, shift = 0, 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            assert value < 1 << 64, "a number of more than 64 bits"
            return value, at


def signed(data, at):
    """The same for a number that may be negative."""
    value, at = varint(data, at)
    return (value >> 1) ^ -(value & 1), at


def column(coding, data, count):
    if coding == 0:
        values, at = [], 0
        while at < len(data):
            length, at = varint(data, at)
            value, at = signed(data, at)
            assert 0 < length <= count - len(values), "runs of another length"
            values += [value] * length
    else:
        assert coding in (1, 2, 3), "an unknown coding"
        values = [int(value) for value in standalone.simple_decompress(data)]
    assert len(values) == count, "a column of another length"
    return values


def dues(coding, data, count):
    """When rows were due, in microseconds."""
    if coding != 4:
        return [due * 1000 for due in column(coding, data, count)]
    first, at = signed(data, 0)
    beyond, at = varint(data, at)
    step, at = varint(data, at)
    assert beyond < 1000 and step > 0, "a grid that makes no sense"
    further = column(data[at], data[at + 1:], count)
    return [first * 1000 + beyond + slot * step for slot in accumulate(further)]


def block(body):
    """The names, day, number, rows and SHA-256 of a day block."""
    assert body[:4] == b"TSDB" and body[4] == 1, "not a day block of version 1"
    assert zlib.crc32(body[:-4]) == struct.unpack("<I", body[-4:])[0], "CRC-32"
    lane, seq, day, count, first, last = struct.unpack("<BHiIqq", body[5:32])
    sha, at, names = body[32:64], 64, []
    for _ in range(2):
        names.append(body[at + 1:at + 1 + body[at]].decode())
        at += 1 + body[at]
    columns, at = [], at + 1
    for number in range(body[at - 1]):
        coding, (length, at) = body[at], varint(body, at + 1)
        decode = dues if number == 0 else column
        columns.append(decode(coding, body[at:at + length], count))
        at += length
    assert at == len(body) - 4 and len(columns) == 15, "another number of columns"
    rows = []
    for due, after, lateness, kind, run, reason, *phases, status, size, reused in zip(*columns):
        due, started = due // 1000, (due + lateness) // 1000 + after
        status = None if status == 0 else status - 1
        rows.append((due, kind, run, started, lateness, reason, *phases, status, size, reused))
    hasher = hashlib.sha256(b"thongsuot day block 1\n")
    hasher.update(names[0].encode() + b"\n" + names[1].encode() + b"\n")
    hasher.update(struct.pack("<BHi", lane, seq, day))
    for row in rows:
        stored = [-1 if value is None else value for value in row]
        hasher.update(struct.pack("<qBHqIB6IiIB", *stored))
    assert hasher.digest() == sha, "SHA-256"
    assert min(row[3] for row in rows) == first and max(row[3] for row in rows) == last
    assert all(row[0] // DAY_MS == day for row in rows), "a row of another day"
    return names[0], lane, names[1], day, seq, rows, sha


def events(file):
    """Follows the chain; gives what it tells of sealed blocks."""
    before, told = bytes(32), {}
    query = file.execute("SELECT seq, at, kind, body, hash FROM events ORDER BY seq")
    for number, (seq, at, kind, body, digest) in enumerate(query, 1):
        hasher = hashlib.sha256(b"thongsuot event 1\n" + before + struct.pack("<qq", seq, at))
        for text in (kind.encode(), body.encode()):
            hasher.update(struct.pack("<Q", len(text)) + text)
        assert seq == number and hasher.digest() == digest, f"event {seq}"
        before = digest
        if kind == "history.sealed":
            it = json.loads(body)
            told[it["check"], it["lane"], it["vantage"], it["day"], it["seq"]] = it["sha256"]
    return told


def main(path):
    file = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    assert file.execute("PRAGMA user_version").fetchone()[0] in (1, 2), "another format"
    told = events(file)
    out = csv.writer(sys.stdout)
    out.writerow(["check", "lane", "vantage", *FIELDS])
    for number, body in file.execute("SELECT id, body FROM blocks ORDER BY day, stream, seq"):
        check, lane, vantage, day, seq, rows, sha = block(body)
        key = (check, LANES[lane], vantage, day, seq)
        assert told.get(key) == sha.hex(), f"block {number}: no event tells of {key}"
        for row in rows:
            out.writerow([check, LANES[lane], vantage, row[0], KINDS[row[1]], *row[2:]])
    query = f"""SELECT checks.text, lane, vantages.text, {", ".join(FIELDS)} FROM results
        JOIN streams ON streams.id = stream JOIN checks ON checks.id = check_id
        JOIN vantages ON vantages.id = vantage_id"""
    for check, lane, vantage, due, kind, *rest in file.execute(query):
        out.writerow([check, LANES[lane], vantage, due, KINDS[kind], *rest])


if __name__ == "__main__":
    main(sys.argv[1])
