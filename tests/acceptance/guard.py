"""Shows that the packet counter of guard.sh counts, and judges what it counted.

    guard.py control DIR    sends one datagram to every kind of address that must not be reached,
                            and wants every counter to have seen them
    guard.py verdict DIR    after the agent's run: wants none seen, and every lease answered

Both read DIR/counters.json, what `nft -j list counters` says: `control` before anything is sent and
`verdict` after the run; `control` reads the counters itself a second time.
"""

import json
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

from guard_cases import BAD4, BAD6, PUBLIC4, PUBLIC6, forms

# Counters of what the agent is there to do, and of IPv6 finding its router.
EXPECTED = {"public", "dns", "coordinator", "neighbours"}
# Failures that mean: nothing was dialled. dns: no answer remained that could be.
REFUSALS = {"policy", "robots", "redirect", "dropped", "dns"}
NAMED = 20


def counters(text: str) -> dict[str, int]:
    entries = json.loads(text)["nftables"]
    found = (entry["counter"] for entry in entries if "counter" in entry)
    return {counter["name"]: counter["packets"] for counter in found}


def control() -> int:
    addresses = BAD4 + BAD6 + forms("10.0.0.1", 1) + forms("8.8.8.8", 1)
    unsent = [address for address in addresses if not send(address)]
    command = ["nft", "-j", "list", "counters"]
    seen = counters(subprocess.run(command, check=True, capture_output=True).stdout.decode())
    forbidden = {name: count for name, count in seen.items() if name not in EXPECTED}
    blind = [name for name, count in forbidden.items() if count == 0]
    print(
        f"control: {len(addresses) - len(unsent)} datagrams to forbidden addresses,"
        f" {sum(forbidden.values())} packets counted; {len(unsent)} more could not be sent"
    )
    if blind or sum(forbidden.values()) < len(addresses) - len(unsent):
        print(f"the packet counter is blind: {blind} {forbidden}", file=sys.stderr)
        return 1
    return 0


def send(address: str) -> bool:
    """Sends a datagram; false where the system refuses."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        scope = socket.if_nametoindex("lan")
        target = (address, 80, 0, scope) if family == socket.AF_INET6 else (address, 80)
        try:
            sender.sendto(b"x", target)
        except OSError:
            return False
        return True


def verdict(folder: Path) -> int:
    expected = json.loads((folder / "expected.json").read_text())
    world = json.loads((folder / "reached.json").read_text())
    reached, rebound = world["connections"], world["rebound"]
    lines = [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()]
    seen = counters((folder / "counters.json").read_text())
    forbidden = {name: count for name, count in seen.items() if name not in EXPECTED}

    wrong = [f"{count} packets to {name}" for name, count in forbidden.items() if count]
    wrong += [f"no packet to {name}" for name in EXPECTED - {"neighbours"} if not seen[name]]
    wrong += [f"reached {one}" for one in reached if one not in (PUBLIC4, PUBLIC6)]
    wrong += [f"only {rebound} names were rebound"] if rebound < 100 else []
    wrong += [f"not answered: {text!r}" for text in expected.keys() - {x["text"] for x in lines}]
    wrong += [text for line in lines if (text := misjudged(line, expected))]
    for text in wrong[:NAMED]:
        print(text, file=sys.stderr)

    answers = Counter(line["answer"] for line in lines)
    listed = ", ".join(f"{count} {answer}" for answer, count in answers.most_common())
    followed = sum(line["followed"] for line in lines)
    print(
        f"{len(expected)} urls and {followed} that redirects named, {rebound} names rebound:"
        f" {listed}"
    )
    print(
        f"packets: {sum(forbidden.values())} to {len(forbidden) - 1} kinds of private and special"
        f" addresses and to any unnamed, {seen['public']} to the public site, {seen['dns']} to DNS,"
        f" {seen['coordinator']} to the coordinator; {sum(reached.values())} connections, all to"
        " the public site"
        if not wrong
        else f"{len(wrong)} things are wrong; packets: {seen}"
    )
    return 1 if wrong or len(expected) < 2000 else 0


def misjudged(line: dict, expected: dict[str, str]) -> str | None:
    fetched = line["answer"] == "fetched"
    # What a redirect named is a case of its own, of which either may come.
    wanted = "any" if line["followed"] else expected[line["text"]]
    if fetched and line["peer_ip"] not in (PUBLIC4, PUBLIC6):
        return f"{line['peer_ip']} answered {line['text']!r}"
    if not fetched and line["answer"] not in REFUSALS:
        return f"{line['text']!r} ended as {line['answer']}: {line['detail']}"
    if line["text"].endswith("/robots.txt") and line["answer"] == "robots":
        return f"{line['text']!r} was refused for another reason than the guard's"
    if wanted != "any" and fetched != (wanted == "fetched"):
        return f"{line['text']!r} should be {wanted}: {line['answer']}: {line['detail']}"
    return None


if __name__ == "__main__":
    sys.exit(control() if sys.argv[1] == "control" else verdict(Path(sys.argv[2])))
