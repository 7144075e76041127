#!/usr/bin/env bash
# Shows that a corpus holds exactly the pages that wget's recursive mirror of the same site holds,
# byte for byte, on two sites of real documentation.
#
# The sites are Debian packages of 500 pages and more, unpacked but not installed, served by
# sward-demo's own site on loopback. Needs root, and a network, only to fetch packages.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
main=$(cd "$here/../.." && pwd)
command -v wget >/dev/null || {
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends wget >/dev/null
}
[ -n "${SWARD_BIN:-}" ] || (cd "$main" && cargo build --quiet --release --package sward-demo)
demo=${SWARD_BIN:-${CARGO_TARGET_DIR:-$main/target}/release}/sward-demo

work=$(mktemp -d)
site=
cleanup() {
    [ -z "$site" ] || kill "$site" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

fetch() { # PACKAGE: unpacks it below $work/PACKAGE
    (cd "$work" && apt-get download -qq "$1" 2>/dev/null) || {
        apt-get update -qq
        (cd "$work" && apt-get download -qq "$1" 2>/dev/null)
    }
    dpkg -x "$work/$1"_*.deb "$work/$1"
}

mirror() { # NAME PAGES: wget's mirror of a folder, in $work/NAME.wget and NAME.wget.warc.gz
    "$demo" --as site --pages "$2" --authority "$work/authority.pem" >"$work/$1.ready" 2>/dev/null &
    site=$!
    for _ in $(seq 100); do
        [ ! -s "$work/$1.ready" ] || break
        sleep 0.1
    done
    port=$(grep -o '"http":[0-9]*' "$work/$1.ready" | grep -o '[0-9]*')
    # Exit code 8: the site answered some URL, a broken link, with an error.
    wget --quiet --recursive --level=inf --no-host-directories --no-config --no-proxy \
        --directory-prefix="$work/$1.wget" --warc-file="$work/$1.wget" \
        "http://127.7.7.1:$port/" || {
        code=$?
        [ "$code" = 8 ] || {
            echo "FAILED: wget ends with $code" >&2
            return 1
        }
    }
    kill "$site"
    wait "$site" 2>/dev/null || true
    site=
}

compare() { # PACKAGE FOLDER
    fetch "$1"
    pages=$work/$1/$2
    begun=$SECONDS
    mirror "$1" "$pages"
    echo "$1: wget took $((SECONDS - begun)) s"
    "$demo" --no-serve --pages "$pages" --out "$work/$1.out" >"$work/$1.log" 2>&1 || {
        tail -n 20 "$work/$1.log" "$work/$1.out"/*.log "$work/$1.out"/agents/*/messages.log >&2
        return 1
    }
    echo -n "$1: "
    PYTHONDONTWRITEBYTECODE=1 python3 "$here/mirror.py" "$work/$1.out/export" \
        "$work/$1.out/summary.json" "$work/$1.wget.warc.gz" "$work/$1.wget"
}

compare postgresql-doc-15 usr/share/doc/postgresql-doc-15/html
compare libreoffice-help-en-us usr/share/libreoffice/help/en-US
