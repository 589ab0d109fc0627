"""Self-tests of what the inbound relay decides, and of its store: docs/protocol.md, sections 2, 5 and 7."""

from admission import Admission, Rules, WireError
from known_answers import MORE, ONE, VERDICTS, expect, expect_refusal, octets
from relay_headers import (
    decode_tunnel_header,
    derive_proof,
    derive_secret_keys,
    encode_tunnel_header,
    sign_error,
    verify_error,
)
from session_store import (
    BIT_0,
    BLOB_BYTES,
    DEAD,
    EPOCH_BYTES,
    HEAD_BYTES,
    BlobRefused,
    SessionStore,
    StoredSession,
    StoreUnavailable,
    audience_hash,
    open_blob,
    seal_blob,
)

KEYS = [derive_secret_keys(each['client_id_secret']) for each in (ONE, MORE['alternative'])]
SID = ONE['sid']
DEFAULT_MAX_MESSAGES = 2**18 - 1


def every_value_of_x_mte_relay_is_accepted_or_refused_as_known() -> None:
    for values in (known['values'] for known in VERDICTS):
        for value in values['valid']['message']:
            header = decode_tunnel_header(value)
            salt = value.rsplit('.', 1)[1]
            encoded = encode_tunnel_header(header, bytes(16))
            expect(f'{encoded.rsplit(".", 1)[0]}.{salt}', value)
        for value in [*values['invalid'], *values['valid']['channel']]:
            expect((value, decode_tunnel_header(value)), (value, None))


def the_stored_sessions_match_the_vectors() -> None:
    of_one = {
        'kid': ONE['kid'],
        'audience': ONE['aud'],
        'audience_hash': ONE['aud_hash'],
        'epoch': ONE['epoch'],
        'nonce': ONE['blob_nonce'],
        'expires_at_ms': ONE['exp_ms'],
        'lifetime_seconds': ONE['lifetime'],
        'blob': ONE['blob'],
        'mark_argv2': ONE['mark_argv2'],
    }
    expect((ONE['blob_length'], ONE['blob_bit_0']), (BLOB_BYTES, BIT_0))
    recreated = MORE['recreated']
    for known in (of_one, MORE['store'], *MORE['more_stores'], recreated['store']):
        owner = recreated if known is recreated['store'] else ONE
        keys = next(each for each in KEYS if each.kid == known['kid'])
        identity = f'{keys.kid}.{ONE["client_id"]}'
        session = StoredSession(
            octets(owner['k_c2s']),
            octets(owner['k_s2c']),
            known['expires_at_ms'],
            known['lifetime_seconds'],
            audience_hash(known['audience']),
        )
        expect(session.audience_hash.hex(), known['audience_hash'])
        epoch, nonce = known['epoch'].encode(), octets(known['nonce'])
        blob = seal_blob(keys, SID, identity, epoch, session, nonce)
        expect(blob.hex(), known['blob'])
        expect(len(blob), BLOB_BYTES)
        expect(blob[:HEAD_BYTES].hex(), known['mark_argv2'])
        expect(open_blob(keys, SID, identity, blob), session)
        for i in (0, 40, 44, 56, 163):
            changed = blob[:i] + bytes([blob[i] ^ 1]) + blob[i + 1 :]
            expect_refusal(BlobRefused, lambda: open_blob(keys, SID, identity, changed))
        expect_refusal(BlobRefused, lambda: open_blob(keys, SID, f'{identity}0', blob))
        expect_refusal(BlobRefused, lambda: open_blob(keys, f'{SID[:-1]}A', identity, blob))
        expect_refusal(BlobRefused, lambda: open_blob(keys, SID, identity, blob[:-1]))


def marks_are_bits_behind_the_blob() -> None:
    for bit in MORE['mark_bits']:
        expect(bit['bit'], BIT_0 + bit['number'])
        string = store_with(MORE['store'], [bit['number']]).string()
        expect((len(string), string[bit['octet']]), (bit['octet'] + 1, bit['mask']))
        expect(any(string[BLOB_BYTES:-1]), False)
    for known in MORE['marked_stores']:
        expect(store_with(MORE['store'], known['numbers']).string().hex(), known['string'])


def marking_two_numbers_consumes_both_and_returns_what_they_were() -> None:
    store = store_with(MORE['store'], [])
    head = octets(MORE['store']['mark_argv2'])
    expect(store.mark(SID, head, 2, 1), (0, 0))
    expect(store.mark(SID, head, 1, None), (1, 0))
    expect(store.mark(SID, head, 3, 2), (0, 1))
    expect(store.mark(SID, head, 3, 4), (1, 0))
    expect(store.marked(), [1, 2, 3, 4])
    expect(store.mark(SID, head[:-1] + b'x', 5, None), None)
    expect(store.string(), DEAD)
    expect(store.mark(SID, head, 6, None), None)


class CaseStore(SessionStore):
    """A store with one session, whose operations fail as a case demands."""

    def __init__(self, epoch: bytes, string: bytes | None, **forced: object) -> None:
        super().__init__(epoch)
        self._forced = forced
        if string is not None:
            self._strings[SID] = string

    def string(self) -> bytes:
        return self._strings.get(SID, b'')

    def marked(self) -> list[int]:
        bits = ''.join(f'{octet:08b}' for octet in self.string()[BLOB_BYTES:])
        return [number for number, bit in enumerate(bits) if bit == '1']

    def open(self, sid: str) -> bytes | None:
        self._fail('open')
        return super().open(sid)

    def mark(self, sid: str, head: bytes, seq: int, replaced: int | None) -> tuple[int, int] | None:
        self._fail('mark')
        return None if self._forced.get('mark') == -1 else super().mark(sid, head, seq, replaced)

    def kill(self, sid: str) -> None:
        self._fail('kill')
        super().kill(sid)

    def _fail(self, operation: str) -> None:
        if self._forced.get(operation) == 'exception':
            raise StoreUnavailable


def store_with(known: dict, numbers: list[int], epoch: str | None = None, **forced) -> CaseStore:
    """A store that has this session, with these numbers marked."""
    blob = octets(known['blob'])
    store = CaseStore(blob[:EPOCH_BYTES], blob)
    for number in numbers:
        store.mark(SID, blob[:HEAD_BYTES], number, None)
    if epoch is None:
        epoch = blob[:EPOCH_BYTES].decode()
    return CaseStore(epoch.encode(), store.string(), **forced)


def every_case_has_the_known_verdict() -> None:
    cases = [case for known in VERDICTS for case in known['cases']]
    expect(len(cases), len({case['name'] for case in cases}))
    for case in cases:
        store = store_of(case)
        expect((case['name'], verdict(case, store)), (case['name'], case['verdict']))
        if 'marked_after' in case:
            expect((case['name'], store.marked()), (case['name'], case['marked_after']))
        if 'dead_after' in case:
            expect((case['name'], store.string()), (case['name'], DEAD))


def store_of(case: dict) -> CaseStore:
    forced = {name: case[name] for name in ('open', 'mark', 'kill') if name in case}
    known = MORE['more_stores'][case['more_store']] if 'more_store' in case else ONE
    if case.get('recreated'):
        known = MORE['recreated']['store']
    if case.get('absent') or 'state' in case:
        string = case['state'].encode() if 'state' in case else None
        return CaseStore(ONE['epoch'].encode(), string, **forced)
    return store_with(known, case.get('marked', []), case.get('store_epoch'), **forced)


def headers_of(case: dict) -> tuple[str, str]:
    """x-mte-client-id and x-mte-relay."""
    name = case.get('header', 'tunnel')
    if name in MORE['case_headers']:
        known = MORE['case_headers'][name]
        return known['client_id_header'], known['relay_header']
    return ONE[f'{name}_client_id_header'], ONE[f'{name}_relay_header']


def verdict(case: dict, store: CaseStore) -> str:
    audiences = case.get('relay_audience')
    rules = Rules(
        case.get('session_max_messages', DEFAULT_MAX_MESSAGES),
        case['own'].split('.', 1)[1] if 'own' in case else None,
        None if audiences is None else tuple(audiences),
    )
    admission = Admission(KEYS, store, rules)
    client_id_header, relay_header = headers_of(case)
    try:
        message = admission.open(client_id_header, relay_header, case['now_ms'])
        if case.get('record_0_bad'):
            admission.refuse(message, 562)
        admission.expect_fresh(message, case['now_ms'])
        if case.get('no_place') and message.header.kind != 'check':
            admission.refuse(message, 564)
        admission.mark(message)
    except WireError as error:
        return f'unsigned {error.status}' if error.p is None else told(client_id_header, error)
    return 'go on'


def told(client_id_header: str, error: WireError) -> str:
    """What A learns from a signed error, which the session of protocol-1.json has to verify."""
    keys = next(each for each in KEYS if client_id_header.startswith(each.kid))
    header = sign_error(keys, client_id_header, error.status, error.p, ONE['time_ms'], error.proof)
    proof = derive_proof(octets(ONE['k_s2c']))
    verified = verify_error(keys, client_id_header, error.status, header, proof)
    return f'unproved {error.status}' if verified is None else f'{verified.status} p={verified.p}'


def what_ran_before_a_replayed_pairing_is_never_said_not_to_have_run() -> None:
    """The message ran; then the store was lost, and its pairing delivered again; now A's replacement arrives."""
    known = MORE['recreated']['store']
    late = {'record_0_bad': True}
    for situation, status in (({'session_max_messages': 1}, 559), (late, 562), ({'no_place': True}, 564)):
        case = {'header': 'replace', 'now_ms': known['expires_at_ms'] - 3_550_000, **situation}
        store = store_with(known, [])
        expect((status, verdict(case, store)), (status, f'unproved {status}'))
        # It is consumed nevertheless, unless the session ended with it.
        expect(store.string() == DEAD or store.marked() == [1, 2], True)
        expect(verdict(case, store_with(ONE, [1])), '565 p=1')
        expect(verdict(case, store_with(ONE, [])), f'{status} p=0')


TESTS = [
    every_value_of_x_mte_relay_is_accepted_or_refused_as_known,
    the_stored_sessions_match_the_vectors,
    marks_are_bits_behind_the_blob,
    marking_two_numbers_consumes_both_and_returns_what_they_were,
    every_case_has_the_known_verdict,
    what_ran_before_a_replayed_pairing_is_never_said_not_to_have_run,
]
