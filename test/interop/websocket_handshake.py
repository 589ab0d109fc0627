"""The handshake of a channel: RFC 6455, section 4, with what docs/protocol.md, section 11.1, requires of it."""

import base64
import binascii
import os
from dataclasses import dataclass
from email.message import Message
from hashlib import sha1
from http.client import HTTPException, parse_headers
from io import BytesIO
from socket import socket

from head import Fields

PATH, SUBPROTOCOL = '/api/mte-channel', 'mte-relay.1'
ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
MAX_HEAD_BYTES = 16384
HEAD_END = b'\r\n\r\n'


class NoHandshake(Exception):
    """What came is not the head of a response."""


def new_key() -> str:
    return base64.b64encode(os.urandom(16)).decode()


def accept_value(key: str) -> str:
    return base64.b64encode(sha1((key + ACCEPT_SUFFIX).encode()).digest()).decode()


def request_head(host: str, key: str, fields: Fields) -> bytes:
    lines = [
        f'GET {PATH} HTTP/1.1',
        f'host: {host}',
        'connection: Upgrade',
        'upgrade: websocket',
        'sec-websocket-version: 13',
        f'sec-websocket-key: {key}',
        f'sec-websocket-protocol: {SUBPROTOCOL}',
        *(f'{name}: {value}' for name, value in fields),
    ]
    return '\r\n'.join(lines).encode('latin1') + HEAD_END


def switching_fields(key: str) -> Fields:
    return [
        ('connection', 'Upgrade'),
        ('upgrade', 'websocket'),
        ('sec-websocket-accept', accept_value(key)),
        ('sec-websocket-protocol', SUBPROTOCOL),
    ]


def is_request(method: str, path: str, version: str, headers: Message) -> bool:
    """Whether a request is the handshake that opens a channel, before anything in it is verified."""
    return (
        (method, path, version) == ('GET', PATH, 'HTTP/1.1')
        and _upgrades(headers)
        and headers.get_all('sec-websocket-version') == ['13']
        and headers.get_all('sec-websocket-protocol') == [SUBPROTOCOL]
        and 'sec-websocket-extensions' not in headers
        and _is_key(headers.get('sec-websocket-key', ''))
    )


def is_acceptance(response: 'HandshakeResponse', key: str) -> bool:
    """Whether a response opens the WebSocket of this key, as section 11.1 wants it: without extensions."""
    headers = response.headers
    return (
        response.status == 101
        and _upgrades(headers)
        and headers.get('sec-websocket-accept', '').strip() == accept_value(key)
        and headers.get_all('sec-websocket-protocol') == [SUBPROTOCOL]
        and 'sec-websocket-extensions' not in headers
    )


@dataclass(frozen=True)
class HandshakeResponse:
    """`head` are its octets, `rest` those that came behind it."""

    status: int
    headers: Message
    head: bytes
    rest: bytes


def read_response(connection: socket, octets: bytes = b'') -> HandshakeResponse:
    """`octets` were read before. Raises NoHandshake or OSError."""
    while HEAD_END not in octets:
        part = connection.recv(65536)
        octets += part
        if not part or (len(octets) > MAX_HEAD_BYTES and HEAD_END not in octets):
            raise NoHandshake
    head, rest = octets.split(HEAD_END, 1)
    line, _, fields = head.partition(b'\r\n')
    words = line.split(b' ', 2)
    try:
        if words[0] != b'HTTP/1.1' or len(words) < 2 or not words[1].isdigit():
            raise NoHandshake
        headers = parse_headers(BytesIO(fields + HEAD_END))
        return HandshakeResponse(int(words[1]), headers, head + HEAD_END, rest)
    except HTTPException:
        raise NoHandshake from None


def _upgrades(headers: Message) -> bool:
    tokens = ','.join(headers.get_all('connection') or []).lower().split(',')
    is_listed = 'upgrade' in (token.strip() for token in tokens)
    return is_listed and headers.get('upgrade', '').strip().lower() == 'websocket'


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text.strip(), validate=True)) == 16
    except binascii.Error:
        return False
