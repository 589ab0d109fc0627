"""
Tests this implementation against the test vectors of the standards and of test/vectors:

    python3 -B test/interop/self_test.py

Prints one line for each test that passes and stops with an error at the first that fails.
"""

import json
from io import BytesIO
from pathlib import Path

import head
import ml_kem
import pairing
import records
import x_wing
from aes_gcm import AesGcm, AuthenticationError
from notation import lp
from relay_headers import derive_secret_keys, sign_client_id, sign_error, verify_client_id, verify_error
from x25519 import BASE_POINT, x25519

VECTORS = Path(__file__).parent.parent / 'vectors'
ONE = json.loads((VECTORS / 'protocol-1.json').read_text())
MORE = json.loads((VECTORS / 'protocol-1-more.json').read_text())
MESSAGES = [name for name in MORE if name.startswith(('request_', 'response_'))]


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


def expect(actual: object, expected: object) -> None:
    if actual != expected:
        raise AssertionError(f'expected {expected!r}, got {actual!r}')


def expect_refusal(error: type[Exception], call) -> None:
    try:
        call()
    except error:
        return
    raise AssertionError(f'{error.__name__} was not raised')


def aes_gcm_matches_the_gcm_specification() -> None:
    """Test cases 13, 14 and 16 of the GCM specification by McGrew and Viega."""
    zero = AesGcm(bytes(32))
    expect(zero.seal(bytes(12), b'', b'').hex(), '530f8afbc74536b9a963b4f1c4cb738b')
    expect(
        zero.seal(bytes(12), bytes(16), b'').hex(),
        'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
    )
    key = octets('feffe9928665731c6d6a8f9467308308' * 2)
    plaintext = octets(
        'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72'
        '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39'
    )
    aad = octets('feedfacedeadbeeffeedfacedeadbeefabaddad2')
    nonce = octets('cafebabefacedbaddecaf888')
    sealed = AesGcm(key).seal(nonce, plaintext, aad)
    expect(
        sealed.hex(),
        '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa'
        '8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662'
        '76fc6ece0f4e1768cddf8853bb2d551b',
    )
    expect(AesGcm(key).open(nonce, sealed, aad), plaintext)
    for changed in (sealed[:-1] + b'\0', b'\0' + sealed[1:], sealed[:15]):
        expect_refusal(AuthenticationError, lambda: AesGcm(key).open(nonce, changed, aad))


def x25519_matches_rfc_7748() -> None:
    """Section 5.2: the first vector, and one iteration from the base point."""
    scalar = octets('a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4')
    point = octets('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c')
    expect(
        x25519(scalar, point).hex(),
        'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
    )
    expect(
        x25519(BASE_POINT, BASE_POINT).hex(),
        '422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079',
    )


def x_wing_matches_the_draft() -> None:
    """The first test vector in appendix C of the draft."""
    seed = octets('7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26')
    eseed = octets(
        '3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2'
        '35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2'
    )
    pk = x_wing.public_key(seed)
    expect((len(pk), pk[:16].hex()), (1216, 'e2236b35a8c24b39b10aa1323a96a919'))
    shared_secret, ct = x_wing.encapsulate(pk, eseed)
    expect((len(ct), ct[:16].hex()), (1120, 'b83aa828d4d62b9a83ceffe1d3d3bb1e'))
    expect(shared_secret.hex(), 'd2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384')
    expect(x_wing.decapsulate(seed, ct), shared_secret)


def x_wing_returns_another_secret_for_a_changed_ciphertext() -> None:
    seed = bytes(range(32))
    shared_secret, ct = x_wing.encapsulate(x_wing.public_key(seed), bytes(64))
    changed = bytes([ct[0] ^ 1]) + ct[1:]
    implicit = x_wing.decapsulate(seed, changed)
    expect(implicit == shared_secret, False)
    expect(x_wing.decapsulate(seed, changed), implicit)


def x_wing_rejects_a_key_with_a_coefficient_that_is_not_less_than_q() -> None:
    pk = b'\xff\xff' + x_wing.public_key(bytes(32))[2:]
    expect_refusal(ml_kem.InvalidKey, lambda: x_wing.encapsulate(pk, bytes(64)))


def x_wing_rejects_a_point_of_small_order() -> None:
    pk = x_wing.public_key(bytes(32))[:-32] + bytes(32)
    expect_refusal(ml_kem.InvalidKey, lambda: x_wing.encapsulate(pk, bytes(64)))


def the_keys_of_both_secrets_match_the_vectors() -> None:
    for expected in (ONE, MORE, MORE['alternative']):
        keys = derive_secret_keys(expected['client_id_secret'])
        expect(keys.kid, expected['kid'])
        for name in ('k_sender', 'k_error', 'k_store', 'psk'):
            expect(getattr(keys, name).hex(), expected[name])


def the_pairing_requests_of_both_secrets_match_the_vectors() -> None:
    body = pairing.encode_request(
        ONE['time_ms'], ONE['aud'], x_wing.public_key(octets(ONE['xwing_seed']))
    )
    expect(body.hex(), ONE['pair_request_body'])
    expect(body.hex(), MORE['pairing']['request_body'])
    for secret, header in (
        (ONE, ONE['pair_client_id_header']),
        (MORE['alternative'], MORE['alternative']['pair_client_id_header']),
    ):
        keys = derive_secret_keys(secret['client_id_secret'])
        expect(sign_client_id(keys, ONE['client_id'], 'pair', '1', body), header)
        expect(verify_client_id(keys, header, 'pair', '1', body), f'{keys.kid}.relay-a-1')
        expect(verify_client_id(keys, header, 'pair', '1', body + b'\0'), None)


def both_sides_derive_the_same_session() -> None:
    keys = derive_secret_keys(ONE['client_id_secret'])
    identity = f'{ONE["kid"]}.{ONE["client_id"]}'
    request = octets(ONE['pair_request_body'])
    th = pairing.transcript_hash(ONE['pair_client_id_header'], request)
    pk = pairing.decode_request(request).pk
    eseed, seed = octets(ONE['xwing_eseed']), octets(ONE['xwing_seed'])
    b_session, response = pairing.respond(keys, identity, th, pk, 3600, 2**20 - 1, eseed)
    expect(response.hex(), ONE['pair_response_body'])
    a_session = pairing.finish(keys, identity, th, seed, response)
    expect(a_session, b_session)
    expect(a_session.sid, ONE['sid'])
    expect((a_session.k_c2s.hex(), a_session.k_s2c.hex()), (ONE['k_c2s'], ONE['k_s2c']))
    for i in (2, 9, 10, len(response) - 1):
        changed = response[:i] + bytes([response[i] ^ 1]) + response[i + 1 :]
        expect_refusal(
            pairing.PairingRefused, lambda: pairing.finish(keys, identity, th, seed, changed)
        )


def the_stored_session_matches_the_vectors() -> None:
    keys = derive_secret_keys(MORE['client_id_secret'])
    store = MORE['store']
    epoch, nonce = store['epoch'].encode(), octets(store['nonce'])
    session = MORE['pairing']
    identity = f'{keys.kid}.{MORE["client_id"]}'
    expiry = store['expires_at_ms'].to_bytes(8, 'big')
    sealed = AesGcm(keys.k_store).seal(
        nonce,
        octets(session['k_c2s']) + octets(session['k_s2c']) + expiry,
        lp('mte-relay/1 store', session['sid'], identity, epoch),
    )
    expect((epoch + octets(keys.kid) + nonce + sealed).hex(), store['blob'])


def the_messages_of_the_first_vectors_can_be_opened() -> None:
    keys = derive_secret_keys(ONE['client_id_secret'])
    header = ONE['tunnel_relay_header']
    expect(sign_client_id(keys, ONE['client_id'], 'tunnel', header), ONE['tunnel_client_id_header'])
    key = records.request_key(octets(ONE['k_c2s']), header)
    expect(key.hex(), ONE['k_request'])
    expect(opened(key, octets(ONE['request_records'])), [b'head', b'hello'])
    key = records.response_key(octets(ONE['k_s2c']), header, ONE['response_relay_header'])
    expect(key.hex(), ONE['k_response'])
    opened(key, octets(ONE['response_records']))


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
    return head.RequestHead(*(vector['head'][name] for name in ('method', 'scheme', 'path')), fields)


def every_message_can_be_sealed_and_opened() -> None:
    keys = derive_secret_keys(MORE['client_id_secret'])
    expect(len(MESSAGES), 6)
    for vector in map(MORE.get, MESSAGES):
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


def a_head_that_violates_the_rules_is_rejected() -> None:
    request = lambda **other: {'method': 'GET', 'scheme': 'http', 'path': '/', 'fields': [], **other}
    for parts in (
        request(method='CONNECT'),
        request(method='trace'),
        request(method='A B'),
        request(scheme='ftp'),
        request(path='//a'),
        request(path='/\\'),
        request(path='/#a'),
        request(path='*'),
        request(fields=[('A', 'b')]),
        request(fields=[('a', 'b\r\n')]),
        request(fields=[('x-mte-relay', '1')]),
        request(fields=[('transfer-encoding', 'chunked')]),
        request(fields=[('content-length', '1'), ('content-length', '1')]),
        request(fields=[('content-length', '+1')]),
        request(fields=[('a', 'b')] * 257),
        request(fields=[('a', 'b' * 65536)]),
    ):
        expect_refusal(head.HeadRefused, lambda: head.encode_request_head(head.RequestHead(**parts)))
    encoded = octets(MORE['response_two_cookies']['head_bytes'])
    for changed in (encoded + b'\0', encoded[:-1], b'\0' + encoded[1:], b'\1\x40\xc7\0'):
        expect_refusal(head.HeadRefused, lambda: head.decode_response_head(changed))
    expect(head.decode_response_head(octets('01800000c9c000000000000000')).status, 201)


def signed_errors_match_the_vectors() -> None:
    keys = derive_secret_keys(MORE['client_id_secret'])
    for vector in (MORE['pair_error_566_p0'], MORE['tunnel_error_560_p0']):
        status, p, unix_ms = vector['status'], vector['p'], vector['unixms']
        client_id_header, header = vector['client_id_header'], vector['header']
        expect(sign_error(keys, client_id_header, status, p, unix_ms), header)
        error = verify_error(keys, client_id_header, status, header)
        expect((error.status, error.p, error.unix_ms), (status, p, unix_ms))
        expect(verify_error(keys, client_id_header, status + 1, header), None)
        expect(verify_error(keys, client_id_header + 'A', status, header), None)
        expect(verify_error(keys, client_id_header, status, header.replace('.0.', '.1.')), None)


TESTS = [
    aes_gcm_matches_the_gcm_specification,
    x25519_matches_rfc_7748,
    x_wing_matches_the_draft,
    x_wing_returns_another_secret_for_a_changed_ciphertext,
    x_wing_rejects_a_key_with_a_coefficient_that_is_not_less_than_q,
    x_wing_rejects_a_point_of_small_order,
    the_keys_of_both_secrets_match_the_vectors,
    the_pairing_requests_of_both_secrets_match_the_vectors,
    both_sides_derive_the_same_session,
    the_stored_session_matches_the_vectors,
    the_messages_of_the_first_vectors_can_be_opened,
    every_message_can_be_sealed_and_opened,
    a_changed_message_is_rejected,
    a_head_that_violates_the_rules_is_rejected,
    signed_errors_match_the_vectors,
]


if __name__ == '__main__':
    for test in TESTS:
        test()
        print('passed:', test.__name__.replace('_', ' '))
