"""Writes what an evil coordinator hands out, and the world in which an agent meets it.

    guard_cases.py DIR

DIR/cases.jsonl has one text a line, DIR/expected.json what must become of each, DIR/world.json the
answers of DNS and of the web server. Every address that must not be reached is spelled in every way
in which a URL can spell it, and is offered as a link, as an answer of DNS, as the second answer
after a good one, and as the target of a redirect.
"""

import json
import sys
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

# In the test's own network only: nothing leaves the machine.
PUBLIC4 = "93.184.216.34"
PUBLIC6 = "2606:2800:21f:cb07:6820:80da:af6b:8b2c"

# First and last of each block that is not public, and what is known to answer there.
SPECIAL4 = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.254 100.64.0.1 100.100.100.200 100.127.255.254 127.0.0.1
    127.0.0.53 127.255.255.254 169.254.0.1 169.254.169.254 172.16.0.1 172.17.0.1 172.31.255.254
    192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 192.168.77.1 192.168.77.2 192.168.77.9
    192.168.255.254 198.18.0.1 198.19.255.254 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250
    240.0.0.1 255.255.255.254 255.255.255.255 168.63.129.16
""".split()
# Public by their number, but on a network that the agent's machine is on; the first is its own.
ON_LINK4 = ["198.35.26.2", "198.35.26.96"]
BAD4 = SPECIAL4 + ON_LINK4
SPECIAL6 = """
    :: ::1 fc00::1 fd77::1 fd12:3456:789a::1 fd00:ec2::254 fe80::1 fe80::a9fe:a9fe febf::1 fec0::1
    ff02::1 ff02::fb ff05::2 100::1 100:0:0:1::1 2001:2::1 2001:1::1 2001:db8::1 2002:a00:1::1
    3fff::1 5f00::1 4000::1 64:ff9b:1::1 2001:0:7f00:1::
""".split()
ON_LINK6 = ["2620:0:860::2", "2620:0:860::96"]
BAD6 = SPECIAL6 + ON_LINK6
LOCAL_NAMES = """
    localhost localhost. LOCALHOST a.localhost a.b.localhost. loc%61lhost ⓛocalhost
    localhost.localdomain
    router router. printer.local printer.local. PRINTER.LOCAL nas.home.arpa home.arpa box.lan
    box.lan. fritz.box.home intranet.corp wiki.intranet db.private metadata.google.internal
    metadata.google.internal. host.docker.internal kubernetes.default.svc.cluster.local x.onion
    x.alt gateway wpad isatap
""".split()


class World:
    def __init__(self) -> None:
        self.cases: dict[str, str] = {}
        self.names: dict[str, list[dict[str, list[str]]]] = {}
        self.redirects: dict[str, tuple[int, str]] = {}
        self.hosts = 0

    def lease(self, text: str, expected: str = "refused") -> None:
        self.cases.setdefault(text, expected)

    def name(self, *steps: dict[str, list[str]]) -> str:
        """A new name; each lookup takes the next step, the last for ever."""
        self.hosts += 1
        host = f"www.n{self.hosts}.pub.example"
        self.names[host] = list(steps)
        return host

    def redirect(self, host: str, path: str, status: int, target: str) -> None:
        self.redirects[host + path] = (status, target)


def a(*addresses: str) -> dict[str, list[str]]:
    return {"A": list(addresses)}


def aaaa(*addresses: str) -> dict[str, list[str]]:
    return {"AAAA": list(addresses)}


def spellings4(address: str) -> list[str]:
    """Ways to write an address that some parser takes for it."""
    number = int(IPv4Address(address))
    octets = [number >> shift & 255 for shift in (24, 16, 8, 0)]
    first, second, third, fourth = octets

    def dotted(form: str) -> str:
        return ".".join(format(octet, form) for octet in octets)

    def escaped(text: str) -> str:
        return "".join(f"%{byte:02X}" for byte in text.encode())

    fullwidth = "".join(chr(0xFF10 + int(c)) if c.isdigit() else c for c in address)
    circled = {"0": "⓪"} | {str(n): chr(0x245F + n) for n in range(1, 10)}
    return [
        address,
        address + ".",
        ".".join(f"0x{octet:x}" for octet in octets),
        ".".join(f"0X{octet:02X}" for octet in octets),
        ".".join(f"0{octet:o}" for octet in octets),
        ".".join(f"000{octet:o}" for octet in octets),
        f"0x{first:x}.{second}.0{third:o}.{fourth}",
        str(number),
        f"0x{number:x}",
        f"0X{number:08X}",
        f"0{number:o}",
        f"{first}.{number & 0xFFFFFF}",
        f"0x{first:x}.0x{number & 0xFFFFFF:x}",
        f"{first}.{second}.{number & 0xFFFF}",
        fullwidth,
        "".join(circled.get(c, c) for c in address),
        address.replace(".", "\u3002"),
        address.replace(".", "\uff0e"),
        escaped(address),
        escaped(address.split(".")[0]) + address[address.index(".") :],
        address.replace(".", "%2E"),
        address[0] + "\u00ad" + address[1:],
        address + "\u200b",
    ]


def urls4(address: str) -> list[str]:
    """Ways to write a URL around an address."""
    return [
        f"https://{address}/",
        f"HTTP://{address}/",
        f"http://{address}:80/",
        f"http://{address}:443/",
        f"https://{address}:80/",
        f"http://{address}:0080/",
        f"http://{address}:22/",
        f"http://{address}:8080/",
        f"http://{address}:0/",
        f"http://{address}/robots.txt",
        f"http://{address}?x",
        f"http://{address}#@{PUBLIC4}/",
        f"http://{address}\\@{PUBLIC4}/",
        f"http://{PUBLIC4}@{address}/",
        f"http://user:pw@{address}/",
        f"http://@{address}/",
        f"http:\\\\{address}\\x",
        f"http:\\/\\/{address}/",
        f"http:{address}/",
        f"http:/{address}/",
        f"http:///{address}/",
        f"ht\ntp://{address[:2]}\t{address[2:]}/",
        f"  http://{address}/  ",
        f"ftp://{address}/",
        f"gopher://{address}:70/_x",
        f"ws://{address}/",
        f"//{address}/",
    ]


def spellings6(address: str) -> list[str]:
    exploded = IPv6Address(address).exploded
    return [f"[{address}]", f"[{exploded}]", f"[{exploded.upper()}]", f"[{address}]:443"]


def forms(address: str, noise: int) -> list[str]:
    """IPv6 addresses that carry an IPv4 one, in all ways that some system would unwrap."""
    v4 = int(IPv4Address(address))
    bits = [
        v4,
        0xFFFF << 32 | v4,
        0xFFFF << 48 | v4,
        0x64FF9B << 96 | v4,
        0x64FF9B0001 << 80 | v4,
        0x2002 << 112 | v4 << 80 | noise,
        0x20010000 << 96 | v4 << 64 | noise,
        0x20010000 << 96 | 0x08080808 << 64 | v4 ^ 0xFFFFFFFF,
        0x20014860 << 96 | 0x5EFE << 32 | v4,
        0x20014860 << 96 | 0x02005EFE << 32 | v4,
    ]
    return [str(IPv6Address(one)) for one in bits]


def direct(world: World) -> None:
    for number, address in enumerate(BAD4):
        for spelled in spellings4(address):
            world.lease(f"http://{spelled}/")
        for url in urls4(address):
            world.lease(url)
        for form in forms(address, number):
            world.lease(f"http://[{form}]/")
            world.lease(f"http://[{form}]/robots.txt")
        mapped = f"::ffff:{address}"
        world.lease(f"http://[{mapped}]/")
        world.lease(f"http://[::{address}]/")
    for address in BAD6:
        for spelled in spellings6(address):
            world.lease(f"http://{spelled}/")
            world.lease(f"https://{spelled}/robots.txt")
        world.lease(f"http://[{address}%25lan]/")
        world.lease(f"http://[{address}%lan]/")
    for name in LOCAL_NAMES:
        world.lease(f"http://{name}/")
        world.lease(f"https://{name}/robots.txt")
        world.lease(f"http://{name}:443/")
    for text in ["file:///etc/passwd", "data:,x", "javascript:x", "", "http://", "http:///", "x"]:
        world.lease(text)
    public = world.name(a(PUBLIC4))
    for port in (0, 21, 22, 25, 53, 81, 444, 3306, 6379, 8080, 11211, 65535, 65536):
        world.lease(f"http://{public}:{port}/")
        world.lease(f"http://{PUBLIC4}:{port}/")
    world.lease(f"http://{public}/{'a' * 8192}")


def by_dns(world: World) -> None:
    bad_names = ["printer.local.", "router.", "localhost.", "nas.home.arpa.", "db.internal."]
    for path in ("/", "/robots.txt"):
        for bad in BAD4:
            for step in (
                a(bad),
                a(PUBLIC4, bad),
                a(bad, PUBLIC4),
                a(*[PUBLIC4] * 7, bad),
                {"A": [PUBLIC4], "AAAA": [f"::ffff:{bad}"]},
                {"A": [bad], "AAAA": [PUBLIC6]},
                {"CNAME": ["cdn.pub.example."], "A": [bad]},
            ):
                world.lease(f"http://{world.name(step)}{path}")
            for form in forms(bad, 1):
                world.lease(f"http://{world.name(aaaa(form))}{path}")
        for bad in BAD6:
            for step in (aaaa(bad), aaaa(PUBLIC6, bad), {"A": [PUBLIC4], "AAAA": [bad]}):
                world.lease(f"https://{world.name(step)}{path}")
        for target in bad_names:
            world.lease(f"http://{world.name({'CNAME': [target], 'A': [PUBLIC4]})}{path}")
            through = {"CNAME": ["cdn.pub.example.", target], "A": [PUBLIC4]}
            world.lease(f"http://{world.name(through)}{path}")
    # The agent's own /etc/hosts says that this one is in the LAN.
    world.lease("http://hosts.pub.example/")


def by_rebinding(world: World) -> None:
    """A name that is public when it is looked at and private when it is dialled."""
    for bad in BAD4:
        for good_lookups in (1, 2, 3):
            host = world.name(*[a(PUBLIC4)] * good_lookups, a(bad))
            for page in range(3):
                world.lease(f"http://{host}/{page}", "any")
        mixed = world.name(a(PUBLIC4), {"A": [PUBLIC4], "AAAA": [f"::ffff:{bad}"]})
        world.lease(f"http://{mixed}/", "refused")
        # robots.txt and the first page are good; the redirect is to the same name, which has moved.
        host = world.name(a(PUBLIC4), a(PUBLIC4), a(bad))
        world.redirect(host, "/go", 302, "/there")
        world.lease(f"http://{host}/go", "refused")
    for bad in BAD6:
        host = world.name(aaaa(PUBLIC6), aaaa(bad))
        world.lease(f"http://{host}/", "refused")


def by_redirect(world: World) -> None:
    for bad in BAD4:
        host = world.name(a(PUBLIC4))
        targets = [f"http://{spelled}/" for spelled in spellings4(bad)[:15:2]]
        targets += [f"//{bad}/", f"https://{bad}/", f"http:\\\\{bad}/", f"http://x@{bad}/"]
        targets += [f"http://[::ffff:{bad}]/", f"http://{bad}:8080/", f"http://[64:ff9b::{bad}]/"]
        targets.append(f"http://{world.name(a(bad))}/")
        for number, target in enumerate(targets):
            status = (301, 302, 303, 307, 308)[number % 5]
            world.redirect(host, f"/{number}", status, target)
            # One that is no URL of Sward's, or another host's, ends the task: a response as any.
            world.lease(f"http://{host}/{number}", "any")
        chained = world.name(a(PUBLIC4))
        world.redirect(chained, "/0", 302, "/1")
        world.redirect(chained, "/1", 302, f"http://{chained}/2")
        world.redirect(chained, "/2", 302, f"http://{bad}/")
        world.lease(f"http://{chained}/0")
        robots = world.name(a(PUBLIC4))
        world.redirect(robots, "/robots.txt", 302, f"http://{bad}/robots.txt")
        world.lease(f"http://{robots}/")
    host = world.name(a(PUBLIC4))
    for number, name in enumerate(LOCAL_NAMES):
        world.redirect(host, f"/{number}", 302, f"http://{name}/")
        world.lease(f"http://{host}/{number}", "any")
    for number, bad in enumerate(BAD6):
        world.redirect(host, f"/v6/{number}", 307, f"http://[{bad}]/")
        world.lease(f"http://{host}/v6/{number}")
    for number in range(7):
        world.redirect(host, f"/long/{number}", 302, f"/long/{number + 1}")
        world.redirect(host, f"/loop/{number}", 302, f"/loop/{(number + 1) % 3}")
    world.lease(f"http://{host}/long/0")
    world.lease(f"http://{host}/loop/0")


def good(world: World) -> None:
    """What must be fetched, so that a guard which refuses everything fails."""
    for number in range(40):
        family = aaaa(PUBLIC6) if number % 4 == 3 else a(PUBLIC4)
        world.lease(f"http://{world.name(family)}/", "fetched")
    world.lease(f"http://{PUBLIC4}/", "fetched")
    world.lease(f"http://[{PUBLIC6}]/", "fetched")
    host = world.name({"CNAME": ["cdn.pub.example."], "A": [PUBLIC4]})
    for number in range(5):
        world.redirect(host, f"/{number}", 301, f"/{number + 1}")
    world.lease(f"http://{host}/0", "fetched")


def main() -> None:
    folder = Path(sys.argv[1])
    world = World()
    for part in (good, by_dns, by_rebinding, by_redirect, direct):
        part(world)
    lines = (json.dumps(text) + "\n" for text in world.cases)
    (folder / "cases.jsonl").write_text("".join(lines))
    (folder / "expected.json").write_text(json.dumps(world.cases))
    (folder / "world.json").write_text(
        json.dumps({"names": world.names, "redirects": world.redirects})
    )


if __name__ == "__main__":
    main()
