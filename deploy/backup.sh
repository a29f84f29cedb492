#!/bin/sh
# Copies the history of a running (or stopped) daemon, and proves the copy whole.
#
#   backup.sh DATA-FOLDER BACKUP-FOLDER [KEEP]
#
# Makes BACKUP-FOLDER/2026-11-24T120000Z/history.sqlite; of the copies there it keeps the newest KEEP
# (14). Exit code 0 only if `thongsuot verify` finds the copy whole: then, and not before, it has its
# name. Run it as the daemon's user, or SQLite leaves files behind that the daemon can't open.
# Restoring: docs/backup.md.
set -eu
umask 0077

data=${1:?DATA-FOLDER BACKUP-FOLDER [KEEP]}
backups=${2:?DATA-FOLDER BACKUP-FOLDER [KEEP]}
keep=${3:-14}
thongsuot=${THONGSUOT:-thongsuot}

# SQLite would make what is not there.
[ -f "$data/history.sqlite" ] || { echo "no history in $data" >&2; exit 66; }
mkdir -p "$backups"
name=$(date -u +%Y-%m-%dT%H%M%SZ)
# Another of the same second would be moved into that one.
while [ -e "$backups/$name" ]; do sleep 1; name=$(date -u +%Y-%m-%dT%H%M%SZ); done
partial=$backups/.partial-$name
trap 'rm -rf "$partial"' EXIT
mkdir "$partial"
# The read transaction is what makes it end: without it, SQLite begins the copy anew whenever the
# daemon has written something, which it does several times a second.
sqlite3 "$data/history.sqlite" \
  "PRAGMA busy_timeout = 10000" "BEGIN" "SELECT count(*) FROM checks" ".backup '$partial/history.sqlite'" >/dev/null
"$thongsuot" verify --data "$partial"
rm -f "$partial/history.sqlite-wal" "$partial/history.sqlite-shm"
sync "$partial/history.sqlite" "$partial"
mv "$partial" "$backups/$name"
trap - EXIT
# Names sort by time.
ls -1 "$backups" | grep -E '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{6}Z$' | sort -r | tail -n "+$((keep + 1))" |
  while read -r old; do rm -rf "${backups:?}/$old"; done
echo "$backups/$name"
