"""The API as B asks it for an upgrade, on a connection of its own: docs/protocol.md, sections 6 and 11.8."""

import io
import socket
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException, HTTPResponse
from urllib.parse import urlsplit

from head import CLIENT_ADDRESS, CLIENT_NAME, NEVER_INSIDE, Fields, RequestHead, content_lengths
from upgrade_heads import SWITCHING, is_same_protocol, protocol_of
from upstream import Answer
from websocket_handshake import HandshakeResponse, NoHandshake, read_response

TIMEOUT_SECONDS = 60
STATE_NO_BODY = ('POST', 'PUT', 'PATCH')
BAD_GATEWAY, GATEWAY_TIMEOUT = Answer(502, []), Answer(504, [])


@dataclass(frozen=True)
class Switched:
    """`fields` are those of the 101 that A gets, `rest` what came behind it."""

    fields: Fields
    rest: bytes


class ApiConnection:
    """`origin` is that of the API. Raises OSError if it cannot be reached."""

    def __init__(self, origin: str) -> None:
        address = urlsplit(origin)
        self._host = address.netloc
        self.socket = socket.create_connection((address.hostname, address.port), TIMEOUT_SECONDS)

    def ask(self, head: RequestHead, body: bytes) -> Switched | Answer:
        """Returns the response of the API, or what A gets in its place."""
        try:
            self.socket.sendall(self._request(head, body))
            response = read_response(self.socket)
            while response.status in range(100, 200) and response.status != SWITCHING:
                response = read_response(self.socket, response.rest)
            if response.status != SWITCHING:
                return self._ordinary(head.method, response)
        except TimeoutError:
            return GATEWAY_TIMEOUT
        except (OSError, NoHandshake, HTTPException):
            return BAD_GATEWAY
        protocols = response.headers.get_all('upgrade') or ['']
        if len(protocols) > 1 or not is_same_protocol(protocols[0], protocol_of(head.fields)):
            return BAD_GATEWAY
        others = [field for field in end_to_end(response.headers) if field[0] != 'content-length']
        return Switched([*others, ('upgrade', protocols[0])], response.rest)

    def close(self) -> None:
        self.socket.close()

    def interrupt(self) -> None:
        """For another thread: `ask` returns now."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # It is closed already.

    def _request(self, head: RequestHead, body: bytes) -> bytes:
        fields = [('host', self._host), ('connection', 'upgrade')]
        dropped = (CLIENT_ADDRESS, CLIENT_NAME, 'content-length')
        fields += [field for field in head.fields if field[0] not in dropped]
        if content_lengths(head.fields) or head.method in STATE_NO_BODY:
            fields.append(('content-length', str(len(body))))
        lines = [f'{head.method} {head.path} HTTP/1.1', *(f'{name}: {value}' for name, value in fields)]
        return ('\r\n'.join(lines) + '\r\n\r\n').encode('latin1') + body

    def _ordinary(self, method: str, response: HandshakeResponse) -> Answer:
        body = HTTPResponse(_Replayed(response.head + response.rest, self.socket), method=method)
        body.begin()
        return Answer(response.status, end_to_end(response.headers), [body.read()])


class _Replayed(io.RawIOBase):
    """A connection whose first octets were read before, as far as HTTPResponse needs one."""

    def __init__(self, octets: bytes, connection: socket.socket) -> None:
        self._octets = octets
        self._connection = connection

    def makefile(self, _: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        if not self._octets:
            return self._connection.recv_into(buffer)
        count = min(len(buffer), len(self._octets))
        buffer[:count], self._octets = self._octets[:count], self._octets[count:]
        return count


def end_to_end(headers: Message) -> Fields:
    """What section 6 leaves of the fields of a response."""
    fields = [(name.lower(), value) for name, value in headers.items()]
    listed = ','.join(value for name, value in fields if name == 'connection').lower().split(',')
    dropped = NEVER_INSIDE | ({name.strip() for name in listed} - {'set-cookie', 'cache-control'})
    return [
        (name, value)
        for name, value in fields
        if name not in dropped and not name.startswith('x-mte-')
    ]
