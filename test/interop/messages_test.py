"""Self-tests of heads and records: docs/protocol.md, section 6."""

from io import BytesIO

import head
import records
from known_answers import MORE, ONE, expect, expect_refusal, octets
from relay_headers import derive_secret_keys, sign_client_id

MESSAGES = [name for name in MORE if name.startswith(('request_', 'response_'))]


def the_messages_of_the_first_vectors_can_be_opened() -> None:
    keys = derive_secret_keys(ONE['client_id_secret'])
    k_c2s, k_s2c = octets(ONE['k_c2s']), octets(ONE['k_s2c'])
    for message in ('tunnel', 'replace', 'check'):
        signed = sign_client_id(keys, ONE['client_id'], 'tunnel', ONE[f'{message}_relay_header'])
        expect(signed, ONE[f'{message}_client_id_header'])
    for message, prefix in (('tunnel', ''), ('replace', 'replace_')):
        header = ONE[f'{message}_relay_header']
        key = records.request_key(k_c2s, header)
        expect(key.hex(), ONE[f'{prefix}k_request'])
        expect(opened(key, octets(ONE[f'{prefix}request_records'])), [b'head', b'hello'])
        key = records.response_key(k_s2c, header, ONE['response_relay_header'])
        expect(key.hex(), ONE[f'{prefix}k_response'])
    key = octets(ONE['k_response'])
    expect(opened(key, octets(ONE['response_records'])), [b'head'])


def the_answer_to_a_check_is_a_head_without_fields() -> None:
    key = records.response_key(
        octets(ONE['k_s2c']), ONE['check_relay_header'], ONE['check_response_relay_header']
    )
    expect(key.hex(), ONE['check_k_response'])
    encoded = head.encode_response_head(head.ResponseHead(204, []))
    expect(encoded.hex(), ONE['check_response_head'])
    sealed = records.seal_message(key, encoded, [])
    expect([record.hex() for record in sealed], [ONE['check_response_records']])
    expect(opened(key, sealed[0]), [encoded])
    keys = derive_secret_keys(MORE['client_id_secret'])
    for check in MORE['checks']:
        header = check['response']['request_relay_header']
        expect(sign_client_id(keys, MORE['client_id'], 'tunnel', header), check['client_id_header'])


def opened(key: bytes, message: bytes) -> list[bytes]:
    return list(records.open_message(key, BytesIO(message).read))


def message_key(vector: dict) -> bytes:
    session = MORE['pairing']
    if 'request_relay_header' in vector:
        k_s2c = octets(session['k_s2c'])
        return records.response_key(k_s2c, vector['request_relay_header'], vector['relay_header'])
    return records.request_key(octets(session['k_c2s']), vector['relay_header'])


def decoded_head(vector: dict) -> head.RequestHead | head.ResponseHead:
    flat = vector['head']['fields']
    fields = list(zip(flat[0::2], flat[1::2]))
    if 'status' in vector['head']:
        return head.ResponseHead(vector['head']['status'], fields)
    return head.RequestHead(*(vector['head'][name] for name in ('method', 'scheme', 'authority', 'path')), fields)


def every_message_can_be_sealed_and_opened() -> None:
    keys = derive_secret_keys(MORE['client_id_secret'])
    expect(len(MESSAGES), 10)
    checks = [check['response'] for check in MORE['checks']]
    for vector in [*map(MORE.get, MESSAGES), *checks]:
        key = message_key(vector)
        expect(key.hex(), vector['key'])
        is_request = 'client_id_header' in vector
        encode = head.encode_request_head if is_request else head.encode_response_head
        decode = head.decode_request_head if is_request else head.decode_response_head
        expected_head = decoded_head(vector)
        encoded = encode(expected_head)
        expect(encoded.hex(), vector['head_bytes'])
        expect(decode(encoded), expected_head)
        body = [octets(piece) for piece in vector['body']]
        empty_last = bool(body) and body[-1] == b''
        pieces = body[:-1] if empty_last else body
        sealed = records.seal_message(key, encoded, pieces, empty_last)
        expect([record.hex() for record in sealed], vector['records'])
        expect(opened(key, b''.join(sealed)), [encoded, *pieces])
        if is_request:
            client_id_header = sign_client_id(keys, MORE['client_id'], 'tunnel', vector['relay_header'])
            expect(client_id_header, vector['client_id_header'])


def a_changed_message_is_rejected() -> None:
    vector = MORE['request_two_data_records']
    key, sealed = message_key(vector), [octets(record) for record in vector['records']]
    whole = b''.join(sealed)
    first, second, third = sealed
    for changed in (
        first + third,
        first + third + second,
        first + second,
        whole[:-1],
        whole + first,
        first + second + third[:4],
        second + third,
        bytes([first[0] | 0x80]) + first[1:],
        first + bytes([second[0] | 0x80]) + second[1:],
        first + second + bytes([third[0] & 0x7F]) + third[1:],
        *(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :] for i in range(0, len(whole), 7)),
    ):
        expect_refusal(records.RecordRefused, lambda: opened(key, changed))


ADDRESS = 'x-mte-client-address'
NAME = 'x-mte-client'
AUTHORITIES = ['', 'a_b', '192.0.2.1:1', '[::1]', '[2001:DB8::192.0.2.1]:65535', 'a' * 255]
NO_AUTHORITIES = [
    *('a@b', 'a:', ':80', 'a:0', 'a:080', 'a:65536', 'a,b', 'a b', 'a/', 'a%2eb', 'a\r\n'),
    *('::1', '[::1', '[]', '[1:2]', '[127.0.0.1]', '[fe80::1%eth0]', '[v1.a]', 'a' * 256),
]


def a_head_that_violates_the_rules_is_rejected() -> None:
    valid = {'method': 'GET', 'scheme': 'http', 'authority': '', 'path': '/', 'fields': []}
    request = lambda **other: {**valid, **other}
    for parts in (
        request(method='CONNECT'),
        request(method='trace'),
        request(method='A B'),
        request(scheme='ftp'),
        *(request(authority=text) for text in NO_AUTHORITIES),
        request(path='//a'),
        request(path='/\\'),
        request(path='/\\?a'),
        request(path='/#a'),
        request(path='/?#a'),
        request(path='/?a b'),
        request(path='*'),
        request(fields=[('A', 'b')]),
        request(fields=[('a', 'b\r\n')]),
        request(fields=[('x-mte-relay', '1')]),
        request(fields=[(ADDRESS, '192.0.2.256')]),
        request(fields=[(ADDRESS, '::1')]),
        request(fields=[(ADDRESS, '[::1]:80')]),
        request(fields=[(ADDRESS, '192.0.2.1')] * 2),
        *(request(fields=[(NAME, name)]) for name in ('', 'a b', 'a.b', 'a,b', 'a' * 65, 'a\n')),
        request(fields=[(NAME, 'billing')] * 2),
        request(fields=[('transfer-encoding', 'chunked')]),
        request(fields=[('content-length', '1'), ('content-length', '1')]),
        request(fields=[('content-length', '+1')]),
        request(fields=[('a', 'b')] * 257),
        request(fields=[('a', 'b' * 65536)]),
    ):
        expect_refusal(head.HeadRefused, lambda: head.encode_request_head(head.RequestHead(**parts)))
    for text in AUTHORITIES:
        encoded = head.encode_request_head(head.RequestHead(**request(authority=text)))
        expect(head.decode_request_head(encoded).authority, text)
    for text in ('192.0.2.1', '[2001:db8::1]'):
        fields = [(ADDRESS, text), *[('a', 'b')] * 256, (NAME, 'Shop_2-eu')]
        head.encode_request_head(head.RequestHead(**request(fields=fields)))
    encoded = octets(MORE['response_two_cookies']['head_bytes'])
    for changed in (encoded + b'\0', encoded[:-1], b'\0' + encoded[1:], b'\1\x40\xc7\0'):
        expect_refusal(head.HeadRefused, lambda: head.decode_response_head(changed))
    expect(head.decode_response_head(octets('01800000c9c000000000000000')).status, 201)


def a_backslash_is_accepted_in_a_query() -> None:
    sent = head.RequestHead('GET', 'http', '', '/?path=C:\\temp', [])
    expect(head.decode_request_head(head.encode_request_head(sent)), sent)


TESTS = [
    the_messages_of_the_first_vectors_can_be_opened,
    the_answer_to_a_check_is_a_head_without_fields,
    every_message_can_be_sealed_and_opened,
    a_changed_message_is_rejected,
    a_head_that_violates_the_rules_is_rejected,
    a_backslash_is_accepted_in_a_query,
]
