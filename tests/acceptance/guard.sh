#!/usr/bin/env bash
# Shows that an agent never reaches a private address, whatever a coordinator, DNS and sites do: it
# runs in a network namespace of its own, with a LAN, a router behind which every address of the
# internet answers, and a packet counter on everything that leaves it, loopback included.
#
# The agent runs in its ordinary mode. The coordinator is tests/system/examples/evil_coordinator.rs,
# at a public address of the router's, so that no private address is left out of the count. Nothing
# leaves the machine: the two namespaces are joined to each other and to nothing else. Needs root,
# and a network only to install nftables.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
main=$(cd "$here/../.." && pwd)
export PYTHONDONTWRITEBYTECODE=1
for tool in ip:iproute2 nft:nftables; do
    command -v "${tool%:*}" >/dev/null && continue
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${tool#*:}" >/dev/null
done
if [ -n "${SWARD_BIN:-}" ]; then
    agent=$SWARD_BIN/sward-agent
    evil=$SWARD_BIN/evil_coordinator
else
    target=${CARGO_TARGET_DIR:-$main/target}
    (cd "$main" && cargo build --quiet --release --package sward-agent)
    (cd "$main" && cargo build --quiet --package sward-system-tests --example evil_coordinator)
    agent=$target/release/sward-agent
    evil=$target/debug/examples/evil_coordinator
fi

a=sward-agent-$$
r=sward-router-$$
work=$(mktemp -d)
started=()
cleanup() {
    [ ${#started[@]} = 0 ] || kill "${started[@]}" 2>/dev/null || true
    for namespace in "$a" "$r"; do
        ip netns delete "$namespace" 2>/dev/null || true
    done
    rm -rf "$work" "/etc/netns/$a"
    rmdir /etc/netns 2>/dev/null || true
}
trap cleanup EXIT

# Not functions: what runs in the background must be the process that is ended.
in_agent=(ip netns exec "$a")
in_router=(ip netns exec "$r")

build_networks() {
    ip netns add "$a"
    ip netns add "$r"
    # The LAN, and a second network whose addresses are public ones.
    ip -n "$a" link add lan type veth peer name lan netns "$r"
    ip -n "$a" link add wan type veth peer name wan netns "$r"
    for namespace in "$a" "$r"; do
        for link in lo lan wan; do
            ip -n "$namespace" link set "$link" up
        done
    done
    ip -n "$a" address add 192.168.77.2/24 dev lan
    ip -n "$r" address add 192.168.77.1/24 dev lan
    ip -n "$a" address add 198.35.26.2/24 dev wan
    ip -n "$r" address add 198.35.26.1/24 dev wan
    ip -n "$a" address add fd77::2/64 dev lan nodad
    ip -n "$r" address add fd77::1/64 dev lan nodad
    ip -n "$a" address add 2620:0:860::2/64 dev wan nodad
    ip -n "$r" address add 2620:0:860::1/64 dev wan nodad
    ip -n "$a" route add default via 192.168.77.1
    ip -n "$a" -6 route add default via fd77::1
    ip -n "$r" address add 9.9.9.9/32 dev lo
    ip -n "$r" address add 93.184.215.14/32 dev lo
    # All other addresses are the router's own too.
    ip -n "$r" route add local default dev lo table main
    ip -n "$r" -6 route add local default dev lo table main
    ip -n "$r" route add local 192.168.77.9 dev lo table local
    ip -n "$r" route add local 198.35.26.96 dev lo table local
    mkdir -p "/etc/netns/$a"
    echo 'nameserver 9.9.9.9' >"/etc/netns/$a/resolv.conf"
    printf '127.0.0.1 localhost\n10.1.2.3 hosts.pub.example\n' >"/etc/netns/$a/hosts"
}

# Each packet is counted once, by the first rule that knows its destination.
build_counter() {
    local kinds=(
        loopback:'ip daddr 127.0.0.0/8' this_network:'ip daddr 0.0.0.0/8'
        private_10:'ip daddr 10.0.0.0/8' private_172:'ip daddr 172.16.0.0/12'
        private_192:'ip daddr 192.168.0.0/16' shared:'ip daddr 100.64.0.0/10'
        link_local:'ip daddr 169.254.0.0/16' protocols:'ip daddr 192.0.0.0/24'
        documentation:'ip daddr { 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24 }'
        relays:'ip daddr 192.88.99.0/24' benchmarking:'ip daddr 198.18.0.0/15'
        platform:'ip daddr 168.63.129.16' own_and_on_link:'ip daddr 198.35.26.0/24'
        broadcast:'ip daddr 255.255.255.255' multicast:'ip daddr 224.0.0.0/4'
        reserved:'ip daddr 240.0.0.0/4'
        loopback6:'ip6 daddr ::1' unique_local6:'ip6 daddr fc00::/7'
        link_local6:'ip6 daddr fe80::/10' multicast6:'ip6 daddr ff00::/8'
        own_and_on_link6:'ip6 daddr 2620:0:860::/64' relay6:'ip6 daddr 2002::/16'
        protocols6:'ip6 daddr 2001::/23'
        documentation6:'ip6 daddr { 2001:db8::/32, 3fff::/20 }'
        embedded6:'ip6 daddr 2001:4860::/64' not_global6:'ip6 daddr != 2000::/3'
        public:'ip daddr 93.184.216.34 tcp dport { 80, 443 }'
        public:'ip6 daddr 2606:2800:21f:cb07:6820:80da:af6b:8b2c tcp dport { 80, 443 }'
        dns:'ip daddr 9.9.9.9 udp dport 53' coordinator:'ip daddr 93.184.215.14 tcp dport 8779'
    )
    {
        echo 'table inet guard {'
        printf '%s\n' "${kinds[@]%%:*}" neighbours anything_else | sort -u |
            sed 's/.*/counter & { }/'
        echo 'chain output { type filter hook output priority 0;'
        # The system's own: which machine on the link has an address, who is in which group.
        echo 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit,
              mld-listener-report, mld2-listener-report } counter name neighbours accept'
        echo 'meta l4proto igmp counter name neighbours accept'
        for kind in "${kinds[@]}"; do
            echo "${kind#*:} counter name ${kind%%:*} accept"
        done
        printf 'counter name anything_else\n}\n}\n'
    } | "${in_agent[@]}" nft -f -
}

start() { # OUT COMMAND...: in the background, until it has said something
    "${@:2}" >"$1" 2>"$1.log" &
    started+=($!)
    for _ in $(seq 100); do
        [ ! -s "$1" ] || return 0
        sleep 0.1
    done
    cat "$1.log" >&2
    return 1
}

python3 "$here/guard_cases.py" "$work"
build_networks
build_counter
start "$work/world" "${in_router[@]}" python3 "$here/guard_world.py" "$work"
world=$!
"${in_agent[@]}" python3 "$here/guard.py" control
# Until the system has given up on those and told itself so (three solicitations, a second apart).
sleep 5
"${in_agent[@]}" nft reset counters >/dev/null

start "$work/address" "${in_router[@]}" "$evil" /ip4/93.184.215.14/tcp/8779 \
    "$work/cases.jsonl" "$work/answers.jsonl"
evil=$!
"${in_agent[@]}" "$agent" --data "$work/agent" setup --coordinator "$(cat "$work/address")" \
    --invite 0123456789abcdefghjkmnpqrs --payee me --accept-terms-version 1 \
    >/dev/null 2>&1
proxy=http://192.168.77.1:3128
"${in_agent[@]}" env http_proxy=$proxy HTTP_PROXY=$proxy https_proxy=$proxy HTTPS_PROXY=$proxy \
    ALL_PROXY=$proxy "$agent" --data "$work/agent" run >"$work/agent.log" 2>&1 &
agent=$!
started+=("$agent")
wait "$evil" || {
    tail -n 20 "$work/address.log" "$work/agent.log" >&2
    exit 1
}
kill "$agent"
wait "$agent" || true
"${in_agent[@]}" nft -j list counters >"$work/counters.json"
kill "$world"
wait "$world" || true
python3 "$here/guard.py" verdict "$work"
