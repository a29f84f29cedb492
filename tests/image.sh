#!/usr/bin/env bash
# Builds the image of ./Dockerfile with buildah and tries it, without a container engine: chroot
# isolation over a debootstrapped base under the name of the image that Dockerfile asks for.
# No part of `cargo test`: as root on Debian 12, it takes a minute, or fifteen with --source.
#
#   tests/image.sh [--binary target/release/thongsuot]    the image around a binary built here
#   tests/image.sh --source                               the binary too is built inside, as by default
#   tests/image.sh --keep …                               leaves the work folder for a look
#
# Chroot isolation has no network, process or user namespace and no read-only root of its own. So
# what an engine brings is made here: the image's root file system is mounted once more, read only,
# with the volume and nothing else writable; a network namespace has loopback alone and the
# net.ipv4.ping_group_range that engines set. What can't be seen this way: HEALTHCHECK being called
# by an engine, process and user namespaces, cgroup limits, and an engine's seccomp profile.
set -euo pipefail
cd "$(dirname "$0")/.."

binary=target/release/thongsuot
source=
keep=
while (($#)); do
  case $1 in
    --binary) binary=$2; shift 2 ;;
    --source) source=1; shift ;;
    --keep) keep=1; shift ;;
    *) sed -n '2,14s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
  esac
done
[[ $(id -u) == 0 ]] || { echo "needs root" >&2; exit 77; }
[[ -n $source || -x $binary ]] || { echo "no $binary: cargo build --release --locked" >&2; exit 66; }

missing=()
for pair in buildah:buildah debootstrap:debootstrap curl:curl ip:iproute2 python3:python3 sqlite3:sqlite3; do
  PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
done
if ((${#missing[@]})); then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

work=${IMAGE_WORK:-$(mktemp -d -p /var/tmp)}
mkdir -p "$work"
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs
storage=(--root "$work/storage" --runroot "$work/run")
b() { buildah "${storage[@]}" "$@"; }
pids=()
root=
netns=
tidy() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  [[ -z $netns ]] || ip netns delete "$netns" || true
  [[ -z $root ]] || umount -R "$root" 2>/dev/null || true
  if [[ -n $keep ]]; then
    echo "left behind: $work"
  else
    b rm --all >/dev/null 2>&1 || true
    [[ -n ${IMAGE_WORK:-} ]] || rm -rf "$work"
  fi
}
trap tidy EXIT
passed=0 failed=0
try() { # WHAT COMMAND…
  local what=$1
  shift
  if "$@" >"$work/last" 2>&1; then
    passed=$((passed + 1)); echo "ok      $what"
  else
    failed=$((failed + 1)); echo "FAILED  $what"; sed 's/^/        /' "$work/last" | tail -20
  fi
}
within() { # SECONDS COMMAND…: until it succeeds
  local until=$((SECONDS + $1))
  shift
  while ! "$@" >/dev/null 2>&1; do
    ((SECONDS < until)) || { "$@"; return 1; }
    sleep 0.2
  done
}

# --- The base, under the name that Dockerfile asks for -------------------------------------------
rust=$(sed -n 's/^ARG RUST=//p' Dockerfile)
if ! b inspect --type image "$rust" >/dev/null 2>&1; then
  base=${IMAGE_BASE:-$work/base}
  if [[ ! -e $base/usr/bin/python3 ]]; then
    echo "making a base for $rust"
    mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/*.sources 2>/dev/null | head -1)
    debootstrap --variant=minbase --include=gcc,libc6-dev,make,python3,ca-certificates,tzdata \
      bookworm "$base" ${mirror:+"$mirror"} >"$work/debootstrap.log"
  fi
  container=$(b from scratch)
  b add -q "$container" "$base" /
  # As in Rust's image: the toolchain under /usr/local, without documentation.
  toolchain=$(rustc --print sysroot)
  mkdir -p "$work/toolchain"
  cp -a "$toolchain"/{bin,lib} "$work/toolchain/"
  b add -q "$container" "$work/toolchain" /usr/local
  rm -rf "$work/toolchain"
  b config --env CARGO_HOME=/usr/local/cargo --env PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin "$container"
  b commit -q "$container" "$rust" >/dev/null
  b rm "$container" >/dev/null
fi

# --- The build -----------------------------------------------------------------------------------
context=$work/context
rm -rf "$context"
mkdir -p "$context"
git ls-files -z | xargs -0 cp --parents -t "$context"
revision=$(git rev-parse HEAD)
arguments=(--build-arg "REVISION=$revision" --build-arg "CREATED=$(git log -1 --format=%cI)")
if [[ -z $source ]]; then
  install -D "$binary" "$context/prebuilt/thongsuot"
  arguments+=(--build-arg PREBUILT=prebuilt/thongsuot)
fi
# Crates come from where cargo on this machine has them.
registry=${CARGO_HOME:-$HOME/.cargo}/registry
echo "building"
b bud -q --format docker --pull-never --volume "$registry:/usr/local/cargo/registry" \
  "${arguments[@]}" -t localhost/thongsuot "$context" >"$work/build.log" 2>&1 ||
  { tail -30 "$work/build.log"; exit 1; }

# --- What it says of itself ----------------------------------------------------------------------
inspected=$work/inspected.json
b inspect --type image localhost/thongsuot >"$inspected"
say() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); c = d["Docker"]["config"]; print(eval(sys.argv[2]))' "$inspected" "$1"; }
is() { [[ $(say "$1") == "$2" ]] || { echo "$1 is $(say "$1"), not $2"; return 1; }; }
try "runs as 65532, which is not root" is 'c["User"]' 65532:65532
try "one volume, for the history" is 'sorted(c["Volumes"])' "['/var/lib/thongsuot']"
try "exposes 9247" is 'sorted(c["ExposedPorts"])' "['9247/tcp']"
try "is stopped by TERM" is 'c.get("StopSignal", "SIGTERM") or "SIGTERM"' SIGTERM
try "has a health check: the binary itself" is 'c["Healthcheck"]["Test"]' "['CMD', '/usr/bin/thongsuot', 'healthy']"
try "is labelled with its revision" is 'c["Labels"]["org.opencontainers.image.revision"]' "$revision"
try "is labelled with the version of Cargo.toml" is 'c["Labels"]["org.opencontainers.image.version"]' \
  "$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)"

container=$(b from --pull-never localhost/thongsuot)
image=$(b mount "$container")
bytes=$(du -sb "$image" | cut -f1)
echo "        $((bytes / 1000)) kB unpacked, $(tar -C "$image" -c . | gzip -6 | wc -c | awk '{print int($1 / 1000)}') kB compressed"
try "is at most 60 MB, unpacked" test "$bytes" -le 60000000
none() { local found; found=$(find "$image" -xdev "$@"); [[ -z $found ]] || { echo "$found"; return 1; }; }
try "has no shell and no other program" none -type f -perm /111 -not -path '*/usr/bin/thongsuot' -not -path '*/lib*/*.so*'
try "has nothing that is set to another's rights" none -perm /6000
try "has nothing that anyone may write, and its user owns nothing but the volume" \
  none '(' -type f -perm /022 -o -user 65532 -not -path '*/var/lib/thongsuot' ')'
sbom() {
  python3 - "$image/usr/share/doc/thongsuot/sbom.cdx.json" <<'END'
import json, sys
bom = json.load(open(sys.argv[1]))
names = {it["name"] for it in bom["components"]}
assert bom["specVersion"] == "1.5" and len(names) > 100, len(names)
assert {"tokio", "rustls", "rusqlite", "libc6", "ca-certificates"} <= names, names
END
}
try "says what it is made of (SBOM)" sbom

# --- A run with a root that can't be written -----------------------------------------------------
root=$work/root
volume=$work/volume
etc=$work/etc
rm -rf "$volume" "$etc"
mkdir -p "$root" "$volume" "$etc"
chown 65532:65532 "$volume"
port=9247
printf 'dich-vu-thu' >"$etc/token"
chown 65532 "$etc/token"
chmod 0400 "$etc/token"
cat >"$etc/targets.toml" <<END
[monitor]
listen = "0.0.0.0:$port"
token = { file = "token" }
data = "/var/lib/thongsuot"
vantage = "thu"
per_host_per_minute = 600

[[owner]]
id = "thu"
name = "Thử"

[[system]]
id = "thu"
owner = "thu"
name = "Chính nó"

[[system.check]]
id = "thu"
kind = "http"
url = "http://localhost:$port/-/healthy"
interval = "1s"
timeout = "1s"

[[system]]
id = "ping"
owner = "thu"
name = "Ping"

[[system.check]]
id = "ping"
kind = "icmp"
host = "127.0.0.1"
interval = "1s"
timeout = "1s"
END
# Engines make these places and put files of their own there.
mkdir -p "$image/proc" "$image/dev"
touch "$image/etc/resolv.conf" "$image/etc/hosts"
echo 'nameserver 127.0.0.1' >"$work/resolv.conf"
printf '127.0.0.1 localhost\n::1 localhost\n' >"$work/hosts"
mount --bind "$image" "$root"
mount --bind /proc "$root/proc"
for it in resolv.conf hosts; do
  mount --bind "$work/$it" "$root/etc/$it"
  mount -o remount,bind,ro "$root/etc/$it"
done
mount -o remount,bind,ro "$root"
mount --bind "$volume" "$root/var/lib/thongsuot"
mount --bind "$etc" "$root/etc/thongsuot"
mount -o remount,bind,ro "$root/etc/thongsuot"
netns=thongsuot-image-$$
ip netns add "$netns"
net() { ip netns exec "$netns" "$@"; }
net ip link set lo up
net sh -c 'echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range'
# chroot(2) needs root, so the rights are dropped after it, by a few lines of Python.
cat >"$work/enter.py" <<'END'
"""enter.py ROOT COMMAND…: chroot, become 65532 with no capability and no way to get one, exec."""
import ctypes, os, sys
prctl = ctypes.CDLL(None).prctl
os.chroot(sys.argv[1]); os.chdir("/etc/thongsuot")
for capability in range(64):
    prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
os.setgroups([]); os.setresgid(65532, 65532, 65532); os.setresuid(65532, 65532, 65532)
assert prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
os.execve(sys.argv[2], sys.argv[2:], {"PATH": "/usr/bin", "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"})
END
inside() { net python3 "$work/enter.py" "$root" /usr/bin/thongsuot "$@"; }
get() { net curl -sS -m 10 -o "$work/body" -w '%{http_code}' "$@"; }
answers() { [[ $(get "${@:2}") == "$1" ]]; }
url=http://127.0.0.1:$port

try "its root can't be written" bash -c "! touch '$root/etc/x' && ! touch '$root/x' && ! touch '$root/etc/thongsuot/x'"
try "reads its configuration" inside check targets.toml
ip netns exec "$netns" python3 "$work/enter.py" "$root" /usr/bin/thongsuot run --config /etc/thongsuot/targets.toml \
  --data /var/lib/thongsuot --listen "0.0.0.0:$port" >"$work/log" 2>&1 &
pid=$!
pids+=("$pid")
try "starts and is healthy" within 30 answers 200 "$url/-/healthy"
try "is ready" within 30 answers 200 "$url/-/ready"
try "says so to its own health check" inside healthy --url "$url"
nobody() { inside healthy --url http://127.0.0.1:1; (($? == 1)); }
try "the health check says no, with 1, where nobody is" nobody
try "shows nobody its metrics without the token" answers 401 "$url/metrics"
try "serves /metrics" answers 200 -H 'Authorization: Bearer dich-vu-thu' "$url/metrics"
state() { net curl -sS -H 'Authorization: Bearer dich-vu-thu' "$url/api/v1/checks/$1" | python3 -c 'import json, sys; sys.exit(json.load(sys.stdin)["state"] != "up")'; }
try "finds a name and measures it" within 20 state thu
try "pings without a privilege" within 20 state ping
status() { grep -q "$1" "/proc/$pid/status" || { grep "${1%%:*}" "/proc/$pid/status"; return 1; }; }
try "is not root" status $'^Uid:\t65532\t65532\t65532\t65532'
try "has no capability" status $'^CapEff:\t0000000000000000'
try "can't get any" status $'^NoNewPrivs:\t1'
opened() { # files open for writing lie in the volume
  local fd flags path
  for fd in /proc/"$pid"/fdinfo/*; do
    flags=$(sed -n 's/^flags:\t0*//p' "$fd")
    path=$(readlink "/proc/$pid/fd/${fd##*/}")
    [[ $path == /* && $path != /dev/* ]] || continue
    ((8#${flags:-0} & 3)) || continue
    case $path in *"/volume/"* | */var/lib/thongsuot/* | "$work/log") ;; *) echo "$path"; return 1 ;; esac
  done
}
try "has no file open for writing but in its volume" opened
try "its history is in the volume" test -s "$volume/history.sqlite"
kill -TERM "$pid" || true
ended() { ! kill -0 "$pid" 2>/dev/null; }
try "stops on TERM" within 30 ended
code=0
wait "$pid" || code=$?
pids=()
try "with exit code 0 (it was $code)" test "$code" = 0
whole() { inside verify --data /var/lib/thongsuot; }
try "leaves a history that is whole" whole
try "left nothing anywhere else" none -newer "$work/enter.py" -type f -not -path '*/var/lib/thongsuot/*'

echo "$passed passed, $failed failed"
((failed == 0))
