"""Self-tests of secrets, signatures and pairing: docs/protocol.md, sections 1, 2 and 4."""

import pairing
import x_wing
from known_answers import MORE, ONE, expect, expect_refusal, octets
from relay_headers import (
    derive_proof,
    derive_secret_keys,
    sign_client_id,
    sign_error,
    verify_client_id,
    verify_error,
)

PROOF = octets(MORE['proof'])


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


def a_replayed_pairing_makes_another_session_of_the_same_sid() -> None:
    keys = derive_secret_keys(ONE['client_id_secret'])
    known = MORE['recreated']
    identity = f'{ONE["kid"]}.{ONE["client_id"]}'
    request = octets(ONE['pair_request_body'])
    th = pairing.transcript_hash(ONE['pair_client_id_header'], request)
    pk = pairing.decode_request(request).pk
    eseed = octets(known['xwing_eseed'])
    session, response = pairing.respond(keys, identity, th, pk, 3600, 2**20 - 1, eseed)
    expect(response.hex(), known['response_body'])
    expect((session.sid, session.sid), (known['sid'], ONE['sid']))
    expect((session.k_c2s.hex(), session.k_s2c.hex()), (known['k_c2s'], known['k_s2c']))
    expect(derive_proof(session.k_s2c).hex(), known['proof'])
    expect(known['proof'] == MORE['proof'], False)


def the_proof_is_that_of_the_session() -> None:
    expect(derive_proof(octets(ONE['k_s2c'])).hex(), ONE['proof'])
    expect(ONE['proof'], MORE['proof'])


def an_error_proves_nothing_without_the_keys_of_the_session() -> None:
    keys = derive_secret_keys(MORE['client_id_secret'])
    recreated = MORE['recreated']
    for errors, proof in (
        (recreated['errors'], octets(recreated['proof'])),
        (MORE['errors_without_proof'], None),
    ):
        expect(len(errors), 12)
        for vector in errors:
            status, header = vector['status'], vector['header']
            signed = (keys, vector['client_id_header'], status)
            expect(sign_error(*signed, 0, vector['unixms'], proof), header)
            expect(verify_error(*signed, header, PROOF), None)
            expect(verify_error(*signed, header, proof).p, 0)


def signed_errors_match_the_vectors() -> None:
    keys = derive_secret_keys(MORE['client_id_secret'])
    errors = [MORE['pair_error_566_p0'], MORE['tunnel_error_560_p1'], *MORE['errors']]
    expect(len(errors), 2 + 6 + 5 * 9)
    for vector in errors:
        status, p, unix_ms = vector['status'], vector['p'], vector['unixms']
        client_id_header, header = vector['client_id_header'], vector['header']
        proof = PROOF if vector['about'] == 'message' else None
        expect(sign_error(keys, client_id_header, status, p, unix_ms, proof), header)
        error = verify_error(keys, client_id_header, status, header, proof)
        expect((error.status, error.p, error.unix_ms), (status, p, unix_ms))
        expect(verify_error(keys, client_id_header, status + 1, header, proof), None)
        expect(verify_error(keys, client_id_header + 'A', status, header, proof), None)
        other_p = header.replace(f'.{p}.', f'.{1 - p}.')
        expect(verify_error(keys, client_id_header, status, other_p, proof), None)
        # Only what is bound to a session cannot be verified without it.
        without = verify_error(keys, client_id_header, status, header)
        expect(without, None if proof is not None and p == 0 else error)


def the_errors_of_the_first_vectors_are_those_of_their_messages() -> None:
    keys = derive_secret_keys(ONE['client_id_secret'])
    for name, status, p in (
        ('error_559_p0', 559, 0),
        ('error_560_p1', 560, 1),
        ('error_562_p0', 562, 0),
        ('error_564_p0', 564, 0),
        ('error_565_p1', 565, 1),
        ('replace_error_560_p1', 560, 1),
        ('replace_error_562_p0', 562, 0),
    ):
        message = 'replace' if name.startswith('replace') else 'tunnel'
        client_id_header = ONE[f'{message}_client_id_header']
        expect(sign_error(keys, client_id_header, status, p, ONE['time_ms'], PROOF), ONE[name])
        other = ONE['tunnel_client_id_header' if message == 'replace' else 'replace_client_id_header']
        expect(verify_error(keys, other, status, ONE[name], PROOF), None)


TESTS = [
    the_keys_of_both_secrets_match_the_vectors,
    the_pairing_requests_of_both_secrets_match_the_vectors,
    both_sides_derive_the_same_session,
    a_replayed_pairing_makes_another_session_of_the_same_sid,
    the_proof_is_that_of_the_session,
    an_error_proves_nothing_without_the_keys_of_the_session,
    signed_errors_match_the_vectors,
    the_errors_of_the_first_vectors_are_those_of_their_messages,
]
