#!/usr/bin/env bash
# Shows that warcio, which others wrote, accepts every WARC of a demo run: what is exported and the
# archive's own segments; and that its counts are the coordinator's.
#
# Needs a network only to fetch warcio into a throw-away virtual environment.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
main=$(cd "$here/../.." && pwd)
[ -n "${SWARD_BIN:-}" ] || (cd "$main" && cargo build --quiet --release --package sward-demo)
demo=${SWARD_BIN:-${CARGO_TARGET_DIR:-$main/target}/release}/sward-demo

work=$(mktemp -d)
coordinator=
cleanup() {
    [ -z "$coordinator" ] || kill "$coordinator" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

python3 -c 'import ensurepip, venv' 2>/dev/null || {
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
}
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet 'warcio==1.8.1'
warcio=$work/venv/bin/warcio
"$demo" --no-serve --out "$work/out" >"$work/log" 2>&1 || {
    tail -20 "$work/log" >&2
    exit 1
}

exported=("$work"/out/export/*.warc.gz)
segments=("$work"/out/coordinator/archive/*.warc.gz)
"$warcio" check "${exported[@]}" "${segments[@]}"
# warcio is as content with a record that has no digest: here none may be without. It looks at all
# but revisits.
passed=$("$warcio" check --verbose "${exported[@]}" "${segments[@]}" | grep -c 'digest pass')
expected=$("$warcio" index -f warc-type "${exported[@]}" "${segments[@]}" | grep -vc '"revisit"')
[ "$passed" = "$expected" ] || {
    echo "FAILED: warcio found the digests of $passed records of $expected right" >&2
    exit 1
}
# One byte of a page is changed: warcio must be able to say no.
gzip -dc "${exported[0]}" | sed 's/of guide 1: turn/of guide 2: turn/' >"$work/tampered.warc"
! "$warcio" check "$work/tampered.warc" >/dev/null || {
    echo "FAILED: warcio accepts an altered page" >&2
    exit 1
}

# The job's own figures, from a coordinator that starts again on what the demo left.
"$demo" --as coordinator --data "$work/out/coordinator" --json serve \
    >"$work/ready" 2>"$work/coordinator.log" &
coordinator=$!
for _ in $(seq 100); do
    [ ! -s "$work/ready" ] || break
    sleep 0.1
done
"$demo" --as coordinator --data "$work/out/coordinator" --json job show demo >"$work/job.json"
kill "$coordinator"
wait "$coordinator" || true
coordinator=

fields=warc-type,warc-target-uri,http:status
"$warcio" index -f "$fields" "${exported[@]}" >"$work/export.index"
"$warcio" index -f "$fields" "${segments[@]}" >"$work/archive.index"
PYTHONDONTWRITEBYTECODE=1 python3 "$here/counts.py" "$work/out/export" \
    "$work/out/coordinator/archive" "$work/out/summary.json" "$work/job.json" \
    "$work/export.index" "$work/archive.index"
echo "warcio check: $passed records of $((${#exported[@]} + ${#segments[@]})) files pass"
