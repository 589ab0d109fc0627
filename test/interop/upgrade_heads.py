"""
The heads of an upgraded connection: docs/protocol.md, section 11.8. They have what section 6 allows, and one field
`upgrade` with one protocol.
"""

from dataclasses import replace

from head import (
    TOKEN,
    Fields,
    HeadRefused,
    RequestHead,
    ResponseHead,
    check_fields,
    check_request,
    content_lengths,
    read_request_head,
    read_response_head,
    request_octets,
    response_octets,
)

SWITCHING = 101
MAX_BODY_BYTES = 32768


def encode_upgrade_request(head: RequestHead) -> bytes:
    _check_upgrade_request(head)
    return request_octets(head)


def decode_upgrade_request(octets: bytes) -> RequestHead:
    head = read_request_head(octets)
    _check_upgrade_request(head)
    return head


def encode_switching(fields: Fields) -> bytes:
    head = ResponseHead(SWITCHING, fields)
    _check_switching(head)
    return response_octets(head)


def decode_switching(octets: bytes) -> ResponseHead:
    head = read_response_head(octets)
    _check_switching(head)
    return head


def protocol_of(fields: Fields) -> str:
    """The one protocol that the fields name, in small letters: protocols are compared so. Raises HeadRefused."""
    values = [value for name, value in fields if name == 'upgrade']
    if len(values) != 1 or not _is_protocol(values[0]):
        raise HeadRefused('not exactly one field upgrade with exactly one protocol')
    return values[0].lower()


def is_same_protocol(value: str | None, protocol: str) -> bool:
    return value is not None and _is_protocol(value) and value.lower() == protocol


def body_length(fields: Fields) -> int:
    return sum(map(int, content_lengths(fields)))


def without_upgrade(fields: Fields) -> Fields:
    return [(name, value) for name, value in fields if name != 'upgrade']


def _is_protocol(value: str) -> bool:
    """RFC 9110, section 7.8: a name, and perhaps a version."""
    name, slash, version = value.partition('/')
    return bool(TOKEN.fullmatch(name)) and (not slash or bool(TOKEN.fullmatch(version)))


def _check_upgrade_request(head: RequestHead) -> None:
    protocol_of(head.fields)
    check_request(replace(head, fields=without_upgrade(head.fields)))
    if body_length(head.fields) > MAX_BODY_BYTES:
        raise HeadRefused('the body of a request for an upgrade is short')


def _check_switching(head: ResponseHead) -> None:
    if head.status != SWITCHING:
        raise HeadRefused('only a 101 comes with UPGRADE')
    protocol_of(head.fields)
    check_fields(without_upgrade(head.fields))
    if content_lengths(head.fields):
        raise HeadRefused('a 101 has no content-length')
