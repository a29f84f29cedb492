#!/usr/bin/env bash
# Makes thongsuot_VERSION_ARCH.deb out of a release binary, with dpkg-deb alone.
#
#   deploy/debian/build.sh [--binary target/release/thongsuot] [--output target/debian] [--quick]
#
# --quick neither compresses nor lists what is linked in: for tests.
# Whoever hands it on sets DEBFULLNAME and DEBEMAIL: users write to them.
# The same inputs give the same bytes: files are as old as the last commit (or SOURCE_DATE_EPOCH).
set -euo pipefail
cd "$(dirname "$0")/../.."

binary=target/release/thongsuot
output=target/debian
quick=
while (($#)); do
  case $1 in
    --binary) binary=$2; shift 2 ;;
    --output) output=$2; shift 2 ;;
    --quick) quick=1; shift ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
  esac
done
[[ -x $binary ]] || { echo "no $binary: cargo build --release --locked" >&2; exit 66; }

version=$(sed -n '/^\[package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
arch=$(dpkg --print-architecture)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
maintainer="${DEBFULLNAME:-thongsuot maintainers} <${DEBEMAIL:-thongsuot@localhost}>"
date=$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 0755 "$root"
put() { # MODE FROM TO
  install -D -m "$1" "$2" "$root$3"
}

put 0755 "$binary" /usr/bin/thongsuot
strip --strip-debug --remove-section=.comment --remove-section=.note "$root/usr/bin/thongsuot"
put 0755 deploy/backup.sh /usr/lib/thongsuot/backup.sh
put 0644 deploy/systemd/thongsuot.service /lib/systemd/system/thongsuot.service
put 0644 deploy/systemd/thongsuot.sysusers /usr/lib/sysusers.d/thongsuot.conf
put 0644 deploy/systemd/thongsuot.sysctl /usr/lib/sysctl.d/50-thongsuot.conf

# The shipped configuration, with its history where the system keeps such things.
install -d -m 0755 "$root/etc/thongsuot/targets.d"
sed -e 's#^data = "var"$#data = "/var/lib/thongsuot"#' \
    -e 's#^\#:schema .*#\#:schema /usr/share/doc/thongsuot/targets.schema.json#' \
    targets.toml >"$root/etc/thongsuot/targets.toml"
grep -q '^data = "/var/lib/thongsuot"$' "$root/etc/thongsuot/targets.toml"
chmod 0644 "$root/etc/thongsuot/targets.toml"
for file in targets.d/*.toml; do put 0644 "$file" "/etc/thongsuot/$file"; done
install -d -m 0700 "$root/etc/thongsuot/secrets"

doc=/usr/share/doc/thongsuot
for file in README.md docs/*.md docs/*.json docs/*.py deploy/alertmanager.yml deploy/alerting.example.toml; do
  put 0644 "$file" "$doc/$(basename "$file")"
done
# Secrets are where the service can read them (docs/install.md).
sed -i 's#"secrets/#"/run/credentials/thongsuot.service/secrets_#' "$root$doc/alerting.example.toml"
for folder in grafana/dashboards grafana/provisioning deploy/prometheus; do
  [[ -d $folder ]] || continue
  install -d "$root$doc/$(basename "$folder")"
  cp -R "$folder/." "$root$doc/$(basename "$folder")/"
done
put 0644 deploy/debian/copyright "$doc/copyright"
put 0644 CHANGELOG.md "$doc/changelog.md"
printf 'thongsuot (%s) unstable; urgency=medium\n\n  * See changelog.md.\n\n -- %s  %s\n' \
  "$version" "$maintainer" "$date" >"$root$doc/changelog"
gzip -9n "$root$doc/changelog" "$root$doc/changelog.md"

# The manual is what the program says of itself.
install -d "$root/usr/share/man/man1"
{
  printf '.TH THONGSUOT 1 "%s" "thongsuot %s"\n' "$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)" "$version"
  printf '.SH NAME\nthongsuot \\- watches public e\\-service systems and accounts for them\n'
  printf '.SH SYNOPSIS\n.B thongsuot\ncommand [options]\n.SH DESCRIPTION\n.nf\n'
  "$binary" --help | sed -e 's/\\/\\e/g' -e "s/^\\([.']\\)/\\\\\\&\\1/" -e 's/-/\\-/g'
  printf '.fi\n.SH SEE ALSO\n/usr/share/doc/thongsuot\n'
} | gzip -9n >"$root/usr/share/man/man1/thongsuot.1.gz"

install -d "$root/usr/share/lintian/overrides"
cat >"$root/usr/share/lintian/overrides/thongsuot" <<'END'
# Names of functions stay, so that a backtrace says something; the rest is stripped.
thongsuot: unstripped-binary-or-object [usr/bin/thongsuot]
# Written by hand: starting is a person's decision, which debhelper's snippets don't leave open.
thongsuot: maintainer-script-calls-systemctl [postinst:*]
thongsuot: maintainer-script-calls-systemctl [prerm:*]
# There is only systemd's unit.
thongsuot: package-supports-alternative-init-but-no-init.d-script [lib/systemd/system/thongsuot.service]
# Tables of Unicode and compression, and patterns.
thongsuot: spelling-error-in-binary *
# Only root may read secrets.
thongsuot: non-standard-dir-perm 0700 != 0755 [etc/thongsuot/secrets/]
END
chmod 0644 "$root/usr/share/lintian/overrides/thongsuot"

if [[ -z $quick ]]; then
  python3 deploy/sbom.py >"$root$doc/sbom.cdx.json"
  chmod 0644 "$root$doc/sbom.cdx.json"
fi

install -d "$root/DEBIAN"
(cd "$root" && find etc -type f | LC_ALL=C sort | sed 's#^#/#') >"$root/DEBIAN/conffiles"
size=$(du -sk --apparent-size --exclude=DEBIAN "$root" | cut -f1)
# The binary is linked against the C library of the machine it was built on.
glibc=$(objdump -T "$root/usr/bin/thongsuot" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -Vu | tail -1)
cat >"$root/DEBIAN/control" <<END
Package: thongsuot
Version: $version
Architecture: $arch
Maintainer: $maintainer
Installed-Size: $size
Depends: libc6 (>= $glibc), libgcc-s1 (>= 4.2), systemd (>= 250) | systemd-standalone-sysusers
Recommends: ca-certificates
Suggests: prometheus, prometheus-alertmanager, sqlite3
Section: net
Priority: optional
Description: watches public e-service systems and accounts for them
 One daemon probes endpoints on an honest schedule, keeps every result in a
 history that an auditor can check, says what is wrong and why, calls who is
 on call, and publishes it all as Prometheus metrics, an API and a page.
 .
 The service does not start by itself: the shipped configuration watches the
 systems of others, whose owners are to be asked first.
END
for script in postinst prerm postrm; do install -m 0755 "deploy/debian/$script" "$root/DEBIAN/$script"; done
(cd "$root" && find . -type f -not -path './DEBIAN/*' -printf '%P\0' | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
chmod 0644 "$root"/DEBIAN/{control,conffiles,md5sums}
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

compression=xz
[[ -z $quick ]] || compression=none
mkdir -p "$output"
dpkg-deb --root-owner-group "-Z$compression" --build "$root" "$output/thongsuot_${version}_${arch}.deb"
