"""Self-tests of secrets, signatures and pairing: docs/protocol.md, sections 1, 2 and 4."""

import pairing
import x_wing
from known_answers import MORE, ONE, expect, expect_refusal, octets
from relay_headers import derive_secret_keys, sign_client_id, sign_error, verify_client_id, verify_error


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


def signed_errors_match_the_vectors() -> None:
    keys = derive_secret_keys(MORE['client_id_secret'])
    errors = [MORE['pair_error_566_p0'], MORE['tunnel_error_560_p1'], *MORE['errors']]
    expect(len(errors), 2 + 6 + 5 * 9)
    for vector in errors:
        status, p, unix_ms = vector['status'], vector['p'], vector['unixms']
        client_id_header, header = vector['client_id_header'], vector['header']
        expect(sign_error(keys, client_id_header, status, p, unix_ms), header)
        error = verify_error(keys, client_id_header, status, header)
        expect((error.status, error.p, error.unix_ms), (status, p, unix_ms))
        expect(verify_error(keys, client_id_header, status + 1, header), None)
        expect(verify_error(keys, client_id_header + 'A', status, header), None)
        other_p = header.replace(f'.{p}.', f'.{1 - p}.')
        expect(verify_error(keys, client_id_header, status, other_p), None)


def the_errors_of_the_first_vectors_are_those_of_their_messages() -> None:
    keys = derive_secret_keys(ONE['client_id_secret'])
    for name, status, p in (
        ('error_559_p0', 559, 0),
        ('error_560_p1', 560, 1),
        ('error_562_p0', 562, 0),
        ('error_565_p1', 565, 1),
        ('replace_error_560_p1', 560, 1),
    ):
        message = 'replace' if name.startswith('replace') else 'tunnel'
        client_id_header = ONE[f'{message}_client_id_header']
        expect(sign_error(keys, client_id_header, status, p, ONE['time_ms']), ONE[name])
        other = ONE['tunnel_client_id_header' if message == 'replace' else 'replace_client_id_header']
        expect(verify_error(keys, other, status, ONE[name]), None)


TESTS = [
    the_keys_of_both_secrets_match_the_vectors,
    the_pairing_requests_of_both_secrets_match_the_vectors,
    both_sides_derive_the_same_session,
    signed_errors_match_the_vectors,
    the_errors_of_the_first_vectors_are_those_of_their_messages,
]
