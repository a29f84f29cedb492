#!/usr/bin/env bash
# Installs the Debian package into a machine of its own that boots systemd (systemd-nspawn over a
# debootstrapped Debian, loopback only), and does there what docs/install.md, backup.md and upgrade.md
# say. No part of `cargo test`: as root on Debian 12 it takes three minutes.
#
#   tests/unit.sh [--binary target/release/thongsuot] [--keep]
#
# UNIT_BASE names a folder with a debootstrapped Debian 12 (systemd, sqlite3) to begin from.
set -euo pipefail
cd "$(dirname "$0")/.."

binary=target/release/thongsuot
keep=
while (($#)); do
  case $1 in
    --binary) binary=$2; shift 2 ;;
    --keep) keep=1; shift ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
  esac
done
[[ $(id -u) == 0 ]] || { echo "needs root" >&2; exit 77; }
[[ -x $binary ]] || { echo "no $binary: cargo build --release --locked" >&2; exit 66; }
missing=()
for pair in systemd-nspawn:systemd-container debootstrap:debootstrap; do
  PATH="$PATH:/usr/sbin" command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
done
if ((${#missing[@]})); then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

work=$(mktemp -d -p /var/tmp)
trap '[[ -n $keep ]] && echo "left behind: $work" || rm -rf "$work"' EXIT
machine=$work/machine
if [[ -n ${UNIT_BASE:-} ]]; then
  cp -a "$UNIT_BASE" "$machine"
else
  echo "making a machine"
  mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/*.sources 2>/dev/null | head -1)
  debootstrap --variant=minbase --include=systemd,systemd-sysv,ca-certificates,sqlite3 \
    bookworm "$machine" ${mirror:+"$mirror"} >"$work/debootstrap.log"
fi

deploy/debian/build.sh --quick --binary "$binary" --output "$work/deb" >/dev/null
install -D -m 0644 "$work"/deb/*.deb "$machine/srv/this.deb"
dpkg-deb --raw-extract "$machine/srv/this.deb" "$work/next"
sed -i 's/^Version: .*/&+next/' "$work/next/DEBIAN/control"
dpkg-deb --root-owner-group -Znone --build "$work/next" "$machine/srv/next.deb" >/dev/null

# The blocks of the page, word for word.
block() { # PAGE LANGUAGE WORD: the first block of that language with that word in it
  python3 - "$@" <<'END'
import re, sys
page, language, word = sys.argv[1:]
blocks = re.findall(rf"```{language}\n(.*?)```", open(page, encoding="utf-8").read(), re.S)
print(next(it for it in blocks if word in it))
END
}
block docs/backup.md ini ExecStart >"$machine/etc/systemd/system/thongsuot-backup.service"
block docs/backup.md ini OnCalendar >"$machine/etc/systemd/system/thongsuot-backup.timer"
block docs/backup.md sh 'install -d -m 0700' | grep -v ^apt-get >"$machine/srv/before.sh"
block docs/backup.md sh 'runuser -u thongsuot -- /usr/lib' >"$machine/srv/backup.sh"
block docs/backup.md sh '/backup/history.sqlite' >"$machine/srv/by-hand.sh"
block docs/backup.md sh thongsuot.before >"$machine/srv/restore.sh"
echo 'nameserver 127.0.0.1' >"$machine/etc/resolv.conf"

cat >"$machine/srv/targets.toml" <<'END'
[monitor]
vantage = "thu"
data = "/var/lib/thongsuot"
token = { file = "/run/credentials/thongsuot.service/secrets_web-token" }

[[owner]]
id = "thu"
name = "Thử"

[[system]]
id = "thu"
owner = "thu"
name = "Thử"

[[system.check]]
id = "ping"
kind = "icmp"
host = "127.0.0.1"
interval = "1s"
timeout = "1s"
END

cat >"$machine/srv/try.sh" <<'END'
#!/bin/bash
exec >/srv/log 2>&1
passed=0 failed=0
try() {
  local what=$1
  shift
  if "$@" >/tmp/last 2>&1; then
    passed=$((passed + 1)); echo "ok      $what"
  else
    failed=$((failed + 1)); echo "FAILED  $what"; tail -20 /tmp/last | sed 's/^/        /'
  fi
}
within() { local until=$((SECONDS + $1)); shift; until "$@"; do ((SECONDS < until)) || return 1; sleep 0.3; done; }
shows() { [[ $(systemctl show thongsuot -p "$1" --value) == "$2" ]] || { systemctl show thongsuot -p "$1"; return 1; }; }
status() { grep -q "$1" "/proc/$(systemctl show thongsuot -p MainPID --value)/status"; }
not() { ! "$@"; }
up() { thongsuot status --checks --json --token-file /etc/thongsuot/secrets/web-token | grep -q '"state": *"up"'; }
whole() { "$@" | grep 'whole, and as it was written'; }
bash_() { bash -ex "$1"; }

export DEBIAN_FRONTEND=noninteractive
try "the package installs" dpkg -i /srv/this.deb
try "and starts nothing" not systemctl -q is-active thongsuot
try "nor will at the next boot" not systemctl -q is-enabled thongsuot
try "its configuration is valid" thongsuot check /etc/thongsuot/targets.toml
printf bi-mat | install -m 0600 /dev/stdin /etc/thongsuot/secrets/web-token
cp /srv/targets.toml /etc/thongsuot/targets.toml
try "systemd starts it (notify)" systemctl enable --now thongsuot
try "it is ready" thongsuot healthy --ready
try "a credential is its token" within 20 up
try "its process is not root" not status $'^Uid:\t0'
try "has no capability" status $'^CapEff:\t0000000000000000'
try "can't get any" status $'^NoNewPrivs:\t1'
try "under a filter of system calls" status $'^Seccomp:\t2'
try "it is told to reload" systemctl reload thongsuot
echo nonsense >>/etc/thongsuot/targets.toml
systemctl reload thongsuot; sleep 1
try "a mistake does not end it" systemctl -q is-active thongsuot
cp /srv/targets.toml /etc/thongsuot/targets.toml
pid=$(systemctl show thongsuot -p MainPID --value)
try "an upgrade goes on with the new binary" dpkg -i /srv/next.deb
try "which is another process" not shows MainPID "$pid"
try "that is well" within 20 thongsuot healthy --ready
try "what the operator wrote is kept" cmp /srv/targets.toml /etc/thongsuot/targets.toml
try "backup.md: before the first time" bash_ /srv/before.sh
try "backup.md: a backup while it runs" bash_ /srv/backup.sh
systemctl daemon-reload
try "backup.md: as a unit" systemctl start thongsuot-backup.service
try "backup.md: each night" systemctl enable --now thongsuot-backup.timer
try "backup.md: by hand" whole bash_ /srv/by-hand.sh
sed -i "s/2026-11-24T190000Z/$(ls /var/lib/thongsuot-backup | head -1)/" /srv/restore.sh
try "backup.md: restoring" whole bash_ /srv/restore.sh
try "which goes on" within 20 up
pid=$(systemctl show thongsuot -p MainPID --value)
kill -STOP "$pid"
try "the watchdog ends what stands still, and it is started again" within 90 shows NRestarts 1
try "and is well" within 20 thongsuot healthy --ready
echo nonsense >>/etc/thongsuot/targets.toml
systemctl restart thongsuot; sleep 5
try "a wrong configuration is not tried again" shows ExecMainStatus 78
try "and systemd gives up" shows ActiveState failed
cp /srv/targets.toml /etc/thongsuot/targets.toml
try "mended, it starts" systemctl start thongsuot
try "and stops" systemctl stop thongsuot
try "with 0" shows ExecMainStatus 0
try "the package goes" dpkg -P thongsuot
try "the history stays" test -s /var/lib/thongsuot/history.sqlite
echo "$passed passed, $failed failed"
END
chmod +x "$machine/srv/try.sh"
cat >"$machine/etc/systemd/system/try.service" <<'END'
[Unit]
After=basic.target
[Service]
Type=oneshot
TimeoutStartSec=600
ExecStart=/srv/try.sh
ExecStopPost=/bin/systemctl --no-block poweroff
END
install -d "$machine/etc/systemd/system/multi-user.target.wants"
ln -sf ../try.service "$machine/etc/systemd/system/multi-user.target.wants/try.service"
echo "booting"
timeout 600 systemd-nspawn --quiet --register=no --keep-unit --private-network --resolv-conf=off \
  --kill-signal=SIGRTMIN+3 -D "$machine" /lib/systemd/systemd >"$work/boot.log" 2>&1 </dev/null || true
cat "$machine/srv/log"
tail -1 "$machine/srv/log" | grep -q ' 0 failed$'
