"""The head of a message: Binary HTTP (RFC 9292), truncated after the header section. docs/protocol.md, section 6."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

MAX_FIELDS = 256
MAX_HEAD_BYTES = 65536
MAX_AUTHORITY_OCTETS = 255
MAX_PORT = 65535
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
FIELD_VALUE = re.compile(r'[\t\x20-\x7e\x80-\xff]*')
AUTHORITY = re.compile(r'(?:[A-Za-z0-9._~-]+|\[([0-9A-Fa-f:.]+)\])(?::([1-9][0-9]{0,4}))?')
PATH = re.compile(r'/(?!/)[\x21\x22\x24-\x3e\x40-\x5b\x5d-\x7e]*(\?[\x21\x22\x24-\x7e]*)?')
CONTENT_LENGTH = re.compile(r'[0-9]{1,15}')
CLIENT_ADDRESS = 'x-mte-client-address'
CLIENT_NAME = 'x-mte-client'
NAME = re.compile(r'[A-Za-z0-9_-]{1,64}')
NEVER_INSIDE = {
    'connection',
    'keep-alive',
    'proxy-authenticate',
    'proxy-authentication-info',
    'proxy-authorization',
    'proxy-connection',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
    'expect',
    'host',
}

Fields = list[tuple[str, str]]


class HeadRefused(Exception):
    """The head violates a rule of section 6."""


@dataclass(frozen=True)
class RequestHead:
    method: str
    scheme: str
    authority: str
    path: str
    fields: Fields


@dataclass(frozen=True)
class ResponseHead:
    status: int
    fields: Fields


def _integer(value: int) -> bytes:
    """Encodes a variable-length integer (RFC 9000, section 16) in its shortest form."""
    for prefix, size in enumerate((1, 2, 4, 8)):
        if value < 1 << 8 * size - 2:
            return (value | prefix << 8 * size - 2).to_bytes(size, 'big')
    raise ValueError('the number is too large for a variable-length integer')


def _text(value: str) -> bytes:
    octets = value.encode('latin1')
    return _integer(len(octets)) + octets


def _field_section(fields: Fields) -> bytes:
    lines = b''.join(_text(name) + _text(value) for name, value in fields)
    return _integer(len(lines)) + lines


def encode_request_head(head: RequestHead) -> bytes:
    check_request(head)
    return request_octets(head)


def encode_response_head(head: ResponseHead) -> bytes:
    check_response(head)
    return response_octets(head)


def request_octets(head: RequestHead) -> bytes:
    """Encodes a head whatever its fields are. Raises HeadRefused if it is too long."""
    control = [head.method, head.scheme, head.authority, head.path]
    return _bounded(b'\0' + b''.join(map(_text, control)) + _field_section(head.fields))


def response_octets(head: ResponseHead) -> bytes:
    return _bounded(b'\1' + _integer(head.status) + _field_section(head.fields))


class _Reader:
    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def take(self, count: int) -> bytes:
        taken = self._octets[self._at : self._at + count]
        if len(taken) < count:
            raise HeadRefused('the head is truncated')
        self._at += count
        return taken

    def integer(self) -> int:
        first = self.take(1)
        rest = self.take((1 << (first[0] >> 6)) - 1)
        return int.from_bytes(bytes([first[0] & 0x3F]) + rest, 'big')

    def text(self) -> str:
        return self.take(self.integer()).decode('latin1')

    def at_end(self) -> bool:
        return self._at == len(self._octets)

    def fields(self) -> Fields:
        section = _Reader(self.take(self.integer()))
        fields = []
        while not section.at_end():
            fields.append((section.text(), section.text()))
        if not self.at_end():
            raise HeadRefused('bytes follow the field section')
        return fields


def decode_request_head(octets: bytes) -> RequestHead:
    head = read_request_head(octets)
    check_request(head)
    return head


def decode_response_head(octets: bytes) -> ResponseHead:
    head = read_response_head(octets)
    check_response(head)
    return head


def read_request_head(octets: bytes) -> RequestHead:
    """Decodes a head whose form is right, whatever its fields are."""
    reader = _Reader(_bounded(octets))
    if reader.take(1) != b'\0':
        raise HeadRefused('not a request')
    method, scheme, authority, path = (reader.text() for _ in range(4))
    return RequestHead(method, scheme, authority, path, reader.fields())


def read_response_head(octets: bytes) -> ResponseHead:
    reader = _Reader(_bounded(octets))
    if reader.take(1) != b'\1':
        raise HeadRefused('not a response')
    status = reader.integer()
    return ResponseHead(status, reader.fields())


def _bounded(octets: bytes) -> bytes:
    if len(octets) > MAX_HEAD_BYTES:
        raise HeadRefused('the head exceeds 64 KiB')
    return octets


def check_request(head: RequestHead) -> None:
    if not TOKEN.fullmatch(head.method) or head.method.upper() in ('CONNECT', 'TRACE'):
        raise HeadRefused('the method is not allowed')
    if head.scheme not in ('http', 'https'):
        raise HeadRefused('the scheme is not http or https')
    if head.authority and not is_authority(head.authority):
        raise HeadRefused('the authority is not host[:port]')
    if not PATH.fullmatch(head.path):
        raise HeadRefused('the path is invalid')
    unaddressed = _without(head.fields, CLIENT_ADDRESS, _is_address)
    check_fields(_without(unaddressed, CLIENT_NAME, NAME.fullmatch))


def _without(fields: Fields, added: str, is_valid: Callable[[str], object]) -> Fields:
    values = [value for name, value in fields if name == added]
    if len(values) > 1 or not all(map(is_valid, values)):
        raise HeadRefused(f'{added} is invalid or repeated')
    return [(name, value) for name, value in fields if name != added]


def _is_address(text: str) -> bool:
    if text.startswith('['):
        return is_authority(text) and text.endswith(']')
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def is_authority(text: str) -> bool:
    match = AUTHORITY.fullmatch(text)
    if match is None or len(text) > MAX_AUTHORITY_OCTETS:
        return False
    ipv6, port = match.groups()
    return (ipv6 is None or _is_ipv6(ipv6)) and (port is None or int(port) <= MAX_PORT)


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def check_response(head: ResponseHead) -> None:
    if not 200 <= head.status <= 599:
        raise HeadRefused('the status is not between 200 and 599')
    check_fields(head.fields)


def check_fields(fields: Fields) -> None:
    if len(fields) > MAX_FIELDS:
        raise HeadRefused('the head has too many fields')
    for name, value in fields:
        if not FIELD_NAME.fullmatch(name) or not FIELD_VALUE.fullmatch(value):
            raise HeadRefused('a field has an invalid name or value')
        if name in NEVER_INSIDE or name.startswith('x-mte-'):
            raise HeadRefused(f'the field {name} is not allowed')
    lengths = content_lengths(fields)
    if len(lengths) > 1 or not all(map(CONTENT_LENGTH.fullmatch, lengths)):
        raise HeadRefused('content-length is invalid or repeated')


def content_lengths(fields: Fields) -> list[str]:
    return [value for name, value in fields if name == 'content-length']
