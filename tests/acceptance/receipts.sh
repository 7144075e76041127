#!/bin/sh
# Shows that receipts hold under a verifier that others wrote: Go's golang.org/x/mod/sumdb, as
# Debian packages it.
#
# Builds the thirteen receipts of the published vectors, then asks the Go program and sward-verify
# about them and about tampered copies. Both must accept every good receipt and refuse every
# tampered one. Needs root, and a network, only to install Go.
set -eu

main=$(cd "$(dirname "$0")/../.." && pwd)
packages="golang-go golang-golang-x-mod-dev"
# shellcheck disable=SC2086 # a list of two packages
if ! dpkg -s $packages >/dev/null 2>&1; then
    apt-get update -qq
    # shellcheck disable=SC2086
    apt-get install -y -qq --no-install-recommends $packages >/dev/null
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root='M+Ll6q/ONJPS2w4Fnfqa8Sb2SIBQ+65xSSTA1rD7ZGU='

cd "$main"
cargo build --quiet --package sward-verify --bin sward-verify --examples
debug=${CARGO_TARGET_DIR:-target}/debug
"$debug/examples/vectors" "$work/good"
"$debug/examples/tampered" "$work/tampered"
GOPATH=/usr/share/gocode GO111MODULE=off GOFLAGS=-mod=mod GOCACHE="$work/cache" \
    go build -o "$work/verify_receipts" "$main/tests/acceptance/go/verify_receipts.go"

by_go() { "$work/verify_receipts" -keys "$work/good/vkeys" "$@"; }
by_sward() { "$debug/sward-verify" receipt --keys "$work/good/vkeys" "$@"; }

failed=0
complain() {
    echo "FAILED: $*" >&2
    failed=1
}

# Refused means exit code 1, or 2 from sward-verify for what is no receipt at all: a verifier that
# broke, or was not found, has refused nothing.
refused_with() {
    code=0
    "$@" >/dev/null 2>&1 || code=$?
    echo "$code"
}

by_go -root "$root" "$work"/good/*.note || complain "go refuses a good receipt or the root"
by_sward "$work"/good/*.note || complain "sward-verify refuses a good receipt"

tampered=0
for note in "$work"/tampered/*.note; do
    tampered=$((tampered + 1))
    [ "$(refused_with by_go "$note")" = 1 ] || complain "go does not refuse $(basename "$note")"
    case $(refused_with by_sward "$note") in
        1 | 2) ;;
        *) complain "sward-verify does not refuse $(basename "$note")" ;;
    esac
done
[ "$tampered" -ge 26 ] || complain "only $tampered tampered copies"

# A root that is not theirs: the Go program must be able to say no.
[ "$(refused_with by_go -root "$root" "$work"/good/0*.note)" = 1 ] || complain "go accepts any root"

[ "$failed" = 0 ] || exit 1
echo "13 receipts accepted by go and sward-verify, their root by go;" \
    "$tampered tampered copies refused by both"
