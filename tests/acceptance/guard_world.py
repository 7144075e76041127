"""The internet and the LAN as an agent under test sees them: DNS at 9.9.9.9, and a web server that
answers at every address there is, so that a request which should never be made succeeds.

    guard_world.py DIR

Reads DIR/world.json. Prints `ready`; when it is told to end it writes DIR/reached.json: how often
each address was connected to, and for how many names another address came when they were asked for
again.
"""

import asyncio
import json
import signal
import socket
import struct
import sys
from collections import Counter
from ipaddress import ip_address
from pathlib import Path

RESOLVER = "9.9.9.9"
PORTS = [21, 22, 25, 53, 80, 81, 443, 3306, 6379, 8080]
TYPES = {"A": 1, "CNAME": 5, "AAAA": 28}
# What a page may try besides its links.
LURES = (
    'Alt-Svc: h2="192.168.77.1:443"; ma=86400, h3="192.168.77.1:443"\r\n'
    "Link: <http://192.168.77.1/style>; rel=preload, <http://10.0.0.1/>; rel=next\r\n"
    "Refresh: 0; url=http://192.168.77.1/\r\n"
)
PAGE = (
    "<!doctype html><title>Lure</title><meta http-equiv=refresh content='0;url=http://10.0.0.1/'>"
    "<img src=http://192.168.77.1/a><iframe src=http://10.0.0.1/></iframe>"
    "<script src=//192.168.77.1/s></script><a href=http://169.254.169.254/>more</a>"
)


class Dns(asyncio.DatagramProtocol):
    def __init__(self, names: dict[str, list[dict[str, list[str]]]]) -> None:
        self.names = names
        self.asked: Counter[tuple[str, int]] = Counter()
        self.rebound: set[str] = set()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, peer: tuple) -> None:
        self.transport.sendto(self.answer(data), peer)

    def answer(self, query: bytes) -> bytes:
        labels, at = [], 12
        while (length := query[at]) != 0:
            labels.append(query[at + 1 : at + 1 + length].decode().lower())
            at += 1 + length
        question = query[12 : at + 5]
        (wanted,) = struct.unpack("!H", query[at + 1 : at + 3])
        name = ".".join(labels)
        # A local name would have an answer in the LAN, if it were asked for.
        steps = self.names.get(name, [{"A": ["192.168.77.1"]}])
        step = steps[min(self.asked[name, wanted], len(steps) - 1)]
        self.asked[name, wanted] += 1
        if len(steps) > 1 and self.asked[name, wanted] == len(steps):
            self.rebound.add(name)
        owner, records = name, b""
        for alias in step.get("CNAME", []):
            records += record(owner, "CNAME", encoded(alias))
            owner = alias
        count = len(step.get("CNAME", []))
        for kind in ("A", "AAAA"):
            for address in step.get(kind, []) if wanted == TYPES[kind] else []:
                records += record(owner, kind, ip_address(address).packed)
                count += 1
        return query[:2] + struct.pack("!5H", 0x8180, 1, count, 0, 0) + question + records


def encoded(name: str) -> bytes:
    labels = [label.encode() for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(owner: str, kind: str, data: bytes) -> bytes:
    # A time to live of zero: nobody may keep it.
    return encoded(owner) + struct.pack("!HHIH", TYPES[kind], 1, 0, len(data)) + data


class Web:
    def __init__(self, redirects: dict[str, tuple[int, str]]) -> None:
        self.redirects = redirects
        self.reached: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reached[writer.get_extra_info("sockname")[0].removeprefix("::ffff:")] += 1
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            writer.write(self.answer(head.decode("latin-1")))
            await writer.drain()
        except (asyncio.IncompleteReadError, TimeoutError, OSError):
            pass  # whoever connected said nothing, which was counted
        writer.close()

    def answer(self, head: str) -> bytes:
        request, *lines = head.split("\r\n")
        path = request.split(" ")[1]
        fields = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
        status, target = self.redirects.get(fields.get("host", "") + path, (0, ""))
        if status:
            first = f"HTTP/1.1 {status} Elsewhere\r\nLocation: {target}"
        else:
            first = "HTTP/1.1 404 None" if path == "/robots.txt" else "HTTP/1.1 200 OK"
        body = PAGE.encode()
        head = f"{first}\r\n{LURES}Content-Type: text/html\r\nContent-Length: {len(body)}\r\n"
        # Closed after each answer: the next request needs another lookup.
        return (head + "Connection: close\r\n\r\n").encode() + body


async def main() -> None:
    folder = Path(sys.argv[1])
    world = json.loads((folder / "world.json").read_text())
    loop = asyncio.get_running_loop()
    dns = Dns(world["names"])
    await loop.create_datagram_endpoint(lambda: dns, local_addr=(RESOLVER, 53))
    web = Web(world["redirects"])
    for port in PORTS:
        both = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
        await asyncio.start_server(web.serve, sock=both)
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    print("ready", flush=True)
    await ended.wait()
    found = {"connections": web.reached, "rebound": len(dns.rebound)}
    (folder / "reached.json").write_text(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main())
