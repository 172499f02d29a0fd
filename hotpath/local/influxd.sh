#!/usr/bin/env bash
# InfluxDB 2.7 where no package or image of it is at hand: built once by the ordinary clients of Go and Rust
# into a cache, about 4 minutes on two quiet cores. Prints the path of influxd.
#
# Nothing is done where an influxd of version 2 is on PATH or in the cache already. Two builds at once: the
# second waits for the first and takes what it made. HOTPATH_CACHE names another cache folder.
set -euo pipefail
VERSION=2.7.11
PKG_CONFIG_VERSION=v0.2.7
cache=${HOTPATH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hotpath}
home=$cache/influxd-$VERSION

die() { echo "influxd: $*" >&2; exit 1; }
is_v2() { [[ "$("$1" version 2>/dev/null)" == "InfluxDB v2."* ]]; }
there() {
  local found
  found=$(command -v influxd || true)
  if [ -n "$found" ] && is_v2 "$found"; then echo "$found"; return; fi
  if [ -x "$home/influxd" ] && is_v2 "$home/influxd"; then echo "$home/influxd"; return; fi
  return 1
}

there && exit 0
mkdir -p "$cache"
exec 9>"$cache/influxd.lock"
flock -n 9 || { echo "influxd: another build is under way, waiting for it" >&2; flock 9; }
there && exit 0

missing=()
for tool in go cargo gcc; do command -v "$tool" >/dev/null || missing+=("$tool"); done
[ ${#missing[@]} -eq 0 ] || die "not on PATH, and to build it these are missing: ${missing[*]} \
(Debian: apt-get install golang-go cargo gcc); or put an influxd 2.7 on PATH"

build=$cache/influxd-$VERSION.build
log=$cache/influxd-build.log
rm -rf "$build" && mkdir -p "$build/out"
trap 'rm -rf "$build"' EXIT
cat >"$build/go.mod" <<M
module hotpath.invalid/influxd
go 1.22.0
require github.com/influxdata/influxdb/v2 v$VERSION
// InfluxDB's own replacement: a module's replacements do not reach those who require it.
replace github.com/nats-io/nats-streaming-server v0.11.2 => github.com/influxdata/nats-streaming-server v0.11.3-0.20201112040610-c277f7560803
M
# The query language is a Rust library that InfluxData's pkg-config builds on demand. It denies warnings, and
# today's compiler warns where that of its day did not: cap them.
printf '#!/bin/sh\nexec "$@" --cap-lints=warn\n' >"$build/rustc-wrapper"
chmod 755 "$build/rustc-wrapper"

compile() {
  cd "$build"
  export GOWORK=off RUSTC_WRAPPER=$build/rustc-wrapper
  # The library pins an old toolchain: use the one that is installed, with rustup or without.
  if command -v rustup >/dev/null; then
    RUSTUP_TOOLCHAIN=${RUSTUP_TOOLCHAIN:-$(rustup show active-toolchain | cut -d' ' -f1)}
    export RUSTUP_TOOLCHAIN
  fi
  # InfluxData's own pkg-config, not the system's: it knows how to build flux. (go install takes no -mod=mod.)
  GOFLAGS=-buildvcs=false GOBIN=$build/bin go install "github.com/influxdata/pkg-config@$PKG_CONFIG_VERSION"
  GOFLAGS="-mod=mod -buildvcs=false" PKG_CONFIG=$build/bin/pkg-config \
    go build -tags 'sqlite_foreign_keys,sqlite_json' -ldflags "-s -w -X main.version=v$VERSION" \
    -o "$build/out/influxd" github.com/influxdata/influxdb/v2/cmd/influxd
}

echo "influxd: building InfluxDB $VERSION once, some minutes (log: $log)" >&2
(compile) >"$log" 2>&1 || { tail -n 8 "$log" >&2; die "the build failed, see $log"; }
is_v2 "$build/out/influxd" || die "what was built does not run, see $log"
rm -rf "$home"
mv "$build/out" "$home"
echo "$home/influxd"
