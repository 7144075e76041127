#!/usr/bin/env bash
# Shows that receipts hold under a verifier that others wrote: Go's golang.org/x/mod/sumdb, as
# Debian packages it.
#
# Builds the thirteen receipts of the published vectors, plays the demo for receipts that were
# earned, then asks the Go program and sward-verify about all of them and about tampered copies.
# Both must accept every good receipt and refuse every tampered one. Needs root, and a network,
# only to install Go.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
main=$(cd "$here/../.." && pwd)
packages=(golang-go golang-golang-x-mod-dev)
if ! dpkg -s "${packages[@]}" >/dev/null 2>&1; then
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi
cd "$main"
cargo build --quiet --package sward-verify --examples
[ -n "${SWARD_BIN:-}" ] || cargo build --quiet --release --package sward-demo --package sward-verify
target=${CARGO_TARGET_DIR:-target}
bin=${SWARD_BIN:-$target/release}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root='M+Ll6q/ONJPS2w4Fnfqa8Sb2SIBQ+65xSSTA1rD7ZGU='
"$target/debug/examples/vectors" "$work/good"
"$target/debug/examples/tampered" "$work/tampered"
GOPATH=/usr/share/gocode GO111MODULE=off GOFLAGS=-mod=mod GOCACHE="$work/cache" \
    go build -o "$work/verify_receipts" "$here/go/verify_receipts.go"

by_go() { "$work/verify_receipts" -keys "$@"; }
by_sward() { "$bin/sward-verify" receipt --keys "$@"; }

failed=0
complain() {
    echo "FAILED: $*" >&2
    failed=1
}

# Refused means exit code 1, or 2 from sward-verify for what is no receipt at all: a verifier that
# broke, or was not found, has refused nothing.
code_of() {
    local code=0
    "$@" >/dev/null 2>&1 || code=$?
    echo "$code"
}

must_be_refused() { # KEYS NOTE...
    local note
    for note in "${@:2}"; do
        [ "$(code_of by_go "$1" "$note")" = 1 ] || complain "go does not refuse $note"
        case $(code_of by_sward "$1" "$note") in
            1 | 2) ;;
            *) complain "sward-verify does not refuse $note" ;;
        esac
    done
}

# The published vectors.
keys=$work/good/vkeys
by_go "$keys" -root "$root" "$work"/good/*.note >/dev/null ||
    complain "go refuses a good receipt or the root"
by_sward "$keys" "$work"/good/*.note >/dev/null || complain "sward-verify refuses a good receipt"
tampered=("$work"/tampered/*.note)
[ ${#tampered[@]} -ge 26 ] || complain "only ${#tampered[@]} tampered copies"
must_be_refused "$keys" "${tampered[@]}"
# A root that is not theirs: the Go program must be able to say no.
[ "$(code_of by_go "$keys" -root "$root" "$work"/good/0*.note)" = 1 ] ||
    complain "go accepts any root"

# Receipts that agents have earned.
"$bin/sward-demo" --no-serve --out "$work/demo" >"$work/demo.log" 2>&1 || {
    tail -n 20 "$work/demo.log" >&2
    exit 1
}
keys=$work/demo/keys/vkeys
earned=("$work"/demo/receipts/*.note)
[ ${#earned[@]} -ge 3 ] || complain "the demo left ${#earned[@]} receipts"
by_go "$keys" "${earned[@]}" >/dev/null || complain "go refuses a receipt of the demo"
by_sward "$keys" "${earned[@]}" >/dev/null || complain "sward-verify refuses a receipt of the demo"
by_go "$work/good/vkeys" "${earned[@]}" >/dev/null 2>&1 && complain "go accepts under any keys"
folder=$work/bent
mkdir "$folder"
bend() { # NAME NOTE SED-SCRIPT
    sed "$3" "$2" >"$folder/$1-$(basename "$2")"
    ! cmp -s "$2" "$folder/$1-$(basename "$2")" || complain "$1 changes nothing"
}
for n in "${!earned[@]}"; do
    note=${earned[n]}
    other=${earned[(n + 1) % ${#earned[@]}]}
    bend credit "$note" 's/^credit \(.*\)$/credit 9\1/'
    bend tasks "$note" 's/^tasks \(.*\)$/tasks 1\1/'
    bend seq "$note" 's/^seq \(.*\)$/seq 1\1/'
    bend agent "$note" "s/^agent .*/$(grep '^agent ' "$other")/"
    bend unsigned-by-coordinator "$note" '/^— receipts/d'
    bend coordinators-signature "$note" '/^— receipts/s/.\{12\}$/AAAAAAAAAAA=/'
    bend agents-signature "$note" '/^— 12D3/s/.\{12\}$/AAAAAAAAAAA=/'
    bend renamed "$note" 's/^— receipts\.sward\.example/— receipts.sword.example/'
    # The other's signatures under this one's text.
    { sed '/^$/q' "$note"; sed '1,/^$/d' "$other"; } >"$folder/swapped-$(basename "$note")"
done
bent=("$folder"/*.note)
must_be_refused "$keys" "${bent[@]}"

[ "$failed" = 0 ] || exit 1
echo "13 receipts of the vectors and ${#earned[@]} of the demo accepted by go and sward-verify," \
    "the vectors' root by go; ${#tampered[@]} and ${#bent[@]} tampered copies refused by both"
