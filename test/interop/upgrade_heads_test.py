"""Self-tests of the heads of upgraded connections: docs/protocol.md, section 11.8."""

import head
from known_answers import MORE, expect, expect_refusal, octets
from upgrade_heads import (
    decode_switching,
    decode_upgrade_request,
    encode_switching,
    encode_upgrade_request,
    is_same_protocol,
)

KNOWN = MORE['upgrade_heads']
MAX_FIELDS = 256


def fields_of(known: dict) -> head.Fields:
    flat = known['head']['fields']
    return list(zip(flat[0::2], flat[1::2]))


def every_known_head_of_an_upgrade_is_encoded_and_decoded_as_known() -> None:
    expect((len(KNOWN['requests']) >= 6, len(KNOWN['switching']) >= 3), (True, True))
    for known in KNOWN['requests']:
        decoded = head.RequestHead(**{**known['head'], 'fields': fields_of(known)})
        expect(decode_upgrade_request(octets(known['head_bytes'])), decoded)
        expect(encode_upgrade_request(decoded).hex(), known['head_bytes'])
    for known in KNOWN['switching']:
        decoded = head.ResponseHead(known['head']['status'], fields_of(known))
        expect(decode_switching(octets(known['head_bytes'])), decoded)
        expect(encode_switching(decoded.fields).hex(), known['head_bytes'])


def every_known_bad_head_of_an_upgrade_is_refused() -> None:
    expect((len(KNOWN['refused_requests']) >= 14, len(KNOWN['refused_switching']) >= 10), (True, True))
    for kind, decode in (('requests', decode_upgrade_request), ('switching', decode_switching)):
        for known in KNOWN[f'refused_{kind}']:
            expect((known['rule'], is_refused(decode, octets(known['head_bytes']))), (known['rule'], True))


def is_refused(decode, encoded: bytes) -> bool:
    try:
        decode(encoded)
    except head.HeadRefused:
        return True
    return False


def heads_of_upgrades_are_refused_without_UPGRADE() -> None:
    for known in KNOWN['requests']:
        expect_refusal(head.HeadRefused, lambda: head.decode_request_head(octets(known['head_bytes'])))
    for known in KNOWN['switching']:
        expect_refusal(head.HeadRefused, lambda: head.decode_response_head(octets(known['head_bytes'])))


def upgrade_does_not_count_as_one_of_the_fields_that_section_6_allows() -> None:
    for count, is_valid in ((MAX_FIELDS, True), (MAX_FIELDS + 1, False)):
        fields = [*[('a', '')] * count, ('upgrade', 'websocket')]
        encoded = head.request_octets(head.RequestHead('GET', 'http', '', '/', fields))
        expect((count, is_refused(decode_upgrade_request, encoded)), (count, not is_valid))


def protocols_are_compared_without_regard_to_case() -> None:
    for value, is_same in (('WebSocket', True), ('websocket', True), ('h2c', False), ('websocket/13', False), (None, False)):
        expect((value, is_same_protocol(value, 'websocket')), (value, is_same))


TESTS = [
    every_known_head_of_an_upgrade_is_encoded_and_decoded_as_known,
    every_known_bad_head_of_an_upgrade_is_refused,
    heads_of_upgrades_are_refused_without_UPGRADE,
    upgrade_does_not_count_as_one_of_the_fields_that_section_6_allows,
    protocols_are_compared_without_regard_to_case,
]
