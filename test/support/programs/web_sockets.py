"""Python's websockets, as a client or as a server of WebSockets. Its arguments are the role and what that role needs.

client URL FIELDS: talks to a server that sends every message back, and prints as JSON what it saw.
server: sends every message back, prints its port, and does what messages of the form `close CODE` and `drop` say.
"""

import asyncio
import json
import sys

import websockets
from websockets.exceptions import ConnectionClosed, InvalidStatusCode

LARGE = 16 * 1024 * 1024


def shown(message):
    if isinstance(message, bytes):
        return ["binary", len(message), message[:8].hex()]
    return ["text", len(message), message[:40]]


async def talk(url, fields):
    seen = []
    async with websockets.connect(
        url + "/echo?from=python",
        extra_headers={**fields, "Authorization": "Bearer of the API", "Cookie": "session=abc"},
        subprotocols=["chat", "v2.chat"],
        max_size=None,
    ) as socket:
        seen.append(["open", socket.subprotocol, [one.name for one in socket.extensions]])
        # A list is sent in as many fragments.
        for message in ["grüße, 世界", b"\x00\xff\x80", ["frag", "men", "ts"], "x" * LARGE, bytes(LARGE), ""]:
            await socket.send(message)
            seen.append(shown(await socket.recv()))
        await (await socket.ping(b"are you there"))
        seen.append(["ponged"])
        await socket.close(4000, "said all")
        seen.append(["close", socket.close_code, socket.close_reason])
    return seen


async def closed_by_server(url, fields, asked):
    async with websockets.connect(url + "/echo", extra_headers=fields, compression=None) as socket:
        await socket.send(asked)
        try:
            return shown(await socket.recv())
        except ConnectionClosed as closed:
            received = closed.rcvd
            return [type(closed).__name__, *([received.code, received.reason] if received else [])]


async def refused(url, fields):
    try:
        async with websockets.connect(url + "/refuse", extra_headers=fields):
            return ["open"]
    except InvalidStatusCode as error:
        return [error.status_code, error.headers.get("x-reason")]


async def client(url, fields):
    seen = {"talk": await talk(url, fields), "refused": await refused(url, fields)}
    for asked in ["close 1000", "close 1001", "close 1008", "close 1011", "close 4000", "drop"]:
        seen[asked] = await closed_by_server(url, fields, asked)
    print(json.dumps(seen))


async def serve_one(socket):
    async for message in socket:
        if message == "drop":
            socket.transport.abort()
        elif isinstance(message, str) and message.startswith("close "):
            await socket.close(int(message.split()[1]), "as asked")
        else:
            await socket.send(message)


async def server():
    options = {"subprotocols": ["v2.chat"], "max_size": None, "ping_interval": None}
    async with websockets.serve(serve_one, "127.0.0.1", 0, **options) as listening:
        print(listening.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


if sys.argv[1] == "client":
    asyncio.run(client(sys.argv[2], json.loads(sys.argv[3])))
else:
    asyncio.run(server())
