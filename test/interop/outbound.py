"""
The outbound relay of docs/protocol.md (A), driven by hand or by a test:

    CLIENT_ID_SECRET=… python3 -B test/interop/outbound.py http://inbound.example:8080

This reads one JSON object per line and prints one result for each, until its input ends. Bodies are base64.

    {"do": "probe"}
    {"do": "pair", "clockOffsetMs": 0}
    {"do": "check"}
    {"do": "send", "type": "mke", "method": "POST", "path": "/", "fields": [["a", "b"]], "pieces": ["aGk="]}
    {"do": "request", …}

`send` sends one message within the session. `request` does with the same arguments what A does with the request of a
client: it pairs or checks the session if need be, and repeats the request as section 8 has it.

`send` and `check` also accept faults that an honest sender never commits: "seq" and "age" (arbitrary numbers), "flip"
([record, octet]: flips one bit) and "withoutLast" (omits the last record). "replaces" is the number that a message
replaces. With "emptyLast" a message ends with an empty record, the other of the two valid endings.

channel_commands.py describes further commands, for channels, and upgrade_commands.py those for upgraded connections.

For tests only: it has no timers, opens a connection for each message, and pairs again in advance only on command.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import urlsplit

import pairing
import records
import x_wing
from active_session import ActiveSession
from channel_commands import OutboundChannels, message_of
from head import Fields, RequestHead, encode_request_head
from relay_headers import (
    TUNNEL_RESPONSE,
    TunnelHeader,
    derive_proof,
    derive_secret_keys,
    encode_tunnel_header,
    sign_client_id,
    verify_error,
)
from responses import Headed, is_coded, open_answer, outcome_of, relay_header, summary
from retries import SAFE_METHODS, End, Step, after_check, after_first_attempt, forwarded
from upgrade_commands import OutboundUpgrades

TIMEOUT_SECONDS = 20


class NoAnswer(Exception):
    """No head of a response came. `result` says whether any octet of the request was sent."""

    def __init__(self, end: End) -> None:
        super().__init__(end)
        self.end = end
        self.result = {end.value: True}


class Outbound:
    """One peer and at most one session with it."""

    def __init__(self, origin: str, secret: str, client_id: str) -> None:
        self.address = urlsplit(origin)
        self._origin = origin
        self._keys = derive_secret_keys(secret)
        self._client_id = client_id
        self._session: ActiveSession | None = None

    def probe(self) -> dict:
        connection = self._connect()
        connection.request('HEAD', '/api/mte-relay')
        answer = connection.getresponse()
        return {'status': answer.status, 'relay': relay_header(answer)}

    def pair(self, clock_offset_ms: int = 0) -> dict:
        """Section 4. If the peer reports that the clock is wrong, corrects it once and pairs again."""
        seed = os.urandom(32)
        body = pairing.encode_request(
            time.time_ns() // 10**6 + clock_offset_ms, self._origin, x_wing.public_key(seed)
        )
        client_id_header = sign_client_id(self._keys, self._client_id, 'pair', '1', body)
        headers = [('content-length', str(len(body)))]
        sent_at = time.monotonic()
        try:
            answer = self._post('/api/mte-pair', client_id_header, '1', headers, [body])
        except NoAnswer as error:
            return error.result
        if answer.status != 200 or relay_header(answer) != '1' or is_coded(answer):
            outcome = self.error_of(client_id_header, answer)
            if outcome['status'] == 566 and outcome['signed'] and clock_offset_ms != 0:
                return {**self.pair(), 'corrected': outcome['unixMs']}
            return {'error': outcome}
        th = pairing.transcript_hash(client_id_header, body)
        identity = f'{self._keys.kid}.{self._client_id}'
        session = pairing.finish(self._keys, identity, th, seed, answer.read())
        self._session = ActiveSession(session, time.monotonic(), sent_at)
        return {
            'sid': session.sid,
            'lifetimeSeconds': session.lifetime_seconds,
            'maxMessages': session.max_messages,
        }

    def request(self, kind: str, head: RequestHead, pieces: list[bytes]) -> dict:
        """Sections 4 and 8: what A does with a client's request."""
        failure = self._prepare(head.method)
        if failure is not None:
            return {**failure, 'forwarded': 'no', 'attempts': []}
        results = [self.send(kind, head, pieces)]
        first = self._session.last_seq
        step = after_first_attempt(head.method, outcome_of(results[0]))
        if step is Step.NEW_SESSION and self._failure_to_pair() is not None:
            step = Step.GIVE_UP
        if step is not Step.GIVE_UP:
            replaced = {'replaces': first} if step is Step.REPLACE else {}
            results.append(self.send(kind, head, pieces, **replaced))
        outcomes = [outcome_of(result) for result in results]
        if outcomes[-1].status in (559, 560) or [at.status for at in outcomes] == [562, 562]:
            self._session = None
        word = forwarded(outcomes, is_replaced=step is Step.REPLACE)
        verdict = {} if 'answer' in results[-1] else {'forwarded': word}
        return {**results[-1], **verdict, 'attempts': list(map(summary, results))}

    def _prepare(self, method: str) -> dict | None:
        """Section 4. Returns why there is no session that the peer knows, or None if there is one."""
        session = self._session
        if session is None:
            return self._failure_to_pair()
        if method in SAFE_METHODS or not session.check_is_due():
            return None
        for is_second in (False, True):
            result = self.check()
            if 'answer' in result:
                return None
            step = after_check(outcome_of(result), is_second)
            if step is not Step.NEW_NUMBER:
                break
        self._session = None
        return self._failure_to_pair() if step is Step.NEW_SESSION else result

    def _failure_to_pair(self) -> dict | None:
        result = self.pair()
        return None if 'sid' in result else result

    def check(self, **faults) -> dict:
        """A message that asks only whether the peer still has the session. Its answer is a 204."""
        result = self._exchange('check', faults, lambda _: [], 'HEAD')
        if 'answer' in result and result['answer']['status'] != 204:
            return {'refused': 'not the answer to a check', 'released': None}
        return result

    def send(self, kind: str, head: RequestHead, pieces: list[bytes], **faults) -> dict:
        """Section 6: sends one message within the session and returns the result."""

        def sealed(key: bytes) -> list[bytes]:
            empty_last = bool(faults.get('emptyLast'))
            return spoil(
                records.seal_message(key, encode_request_head(head), pieces, empty_last), faults
            )

        return self._exchange(kind, faults, sealed, head.method)

    def _exchange(
        self, kind: str, faults: dict, seal: Callable[[bytes], list[bytes]], method: str
    ) -> dict:
        session, request_header, client_id_header = self.next_headers(kind, faults)
        sealed = seal(records.request_key(session.keys.k_c2s, request_header))
        chunks = (b'%x\r\n%s\r\n' % (len(part), part) for part in sealed)
        headers = [('transfer-encoding', 'chunked')]
        sent_at = time.monotonic()
        try:
            answer = self._post(
                '/api/mte-tunnel', client_id_header, request_header, headers, [*chunks, b'0\r\n\r\n']
            )
        except NoAnswer as error:
            session.in_doubt |= error.end is End.BROKEN
            return error.result
        session.in_doubt |= answer.will_close
        response_header = relay_header(answer)
        if answer.status != 200 or not TUNNEL_RESPONSE.fullmatch(response_header):
            proof = derive_proof(session.keys.k_s2c)
            return {'error': self.error_of(client_id_header, answer, proof)}
        if is_coded(answer):
            return {'error': {'status': 200, 'signed': False}}
        key = records.response_key(session.keys.k_s2c, request_header, response_header)
        result = open_answer(kind, method, key, answer)
        if result.get('answer') or result.get('released'):
            session.proved_at, session.in_doubt = sent_at, answer.will_close
        return result

    def next_headers(self, kind: str, faults: dict) -> tuple[ActiveSession, str, str]:
        """Takes the next number of the session. Returns x-mte-relay and x-mte-client-id with it."""
        session = self._session
        if session is None:
            raise RuntimeError('pair first')
        session.last_seq += 1
        seq = faults.get('seq', session.last_seq)
        age = faults.get('age', session.age_seconds())
        header = TunnelHeader(session.keys.sid, seq, faults.get('replaces'), age, kind)
        request_header = encode_tunnel_header(header, os.urandom(16))
        return (
            session,
            request_header,
            sign_client_id(self._keys, self._client_id, 'tunnel', request_header),
        )

    def error_of(
        self, client_id_header: str, answer: Headed, proof: bytes | None = None
    ) -> dict:
        """Describes a signed error, or reports any other response as unsigned. `proof` is that of a message's session."""
        header = relay_header(answer)
        error = verify_error(self._keys, client_id_header, answer.status, header, proof)
        if error is None:
            return {'status': answer.status, 'signed': False}
        return {'status': error.status, 'signed': True, 'p': error.p, 'unixMs': error.unix_ms}

    def _connect(self) -> HTTPConnection:
        return HTTPConnection(self.address.hostname, self.address.port, timeout=TIMEOUT_SECONDS)

    def _post(
        self,
        path: str,
        client_id_header: str,
        relay: str,
        headers: Fields,
        octets: Iterable[bytes],
    ) -> HTTPResponse:
        connection = self._connect()
        try:
            connection.connect()
        except OSError:
            raise NoAnswer(End.UNSENT) from None
        connection.putrequest('POST', path, skip_accept_encoding=True)
        for name, value in [
            ('content-type', 'application/octet-stream'),
            ('cache-control', 'no-store'),
            ('accept-encoding', 'identity'),
            ('x-mte-client-id', client_id_header),
            ('x-mte-relay', relay),
            *headers,
        ]:
            connection.putheader(name, value)
        try:
            connection.endheaders()
            for part in octets:
                connection.send(part)
        except (BrokenPipeError, ConnectionResetError):
            pass  # The peer has stopped reading, but its response may still be readable.
        try:
            return connection.getresponse()
        except (ConnectionError, HTTPException):
            raise NoAnswer(End.BROKEN) from None


def spoil(sealed: list[bytes], faults: dict) -> list[bytes]:
    if 'flip' in faults:
        record, octet = faults['flip']
        changed = bytearray(sealed[record])
        changed[octet] ^= 1
        sealed = [*sealed[:record], bytes(changed), *sealed[record + 1 :]]
    return sealed[:-1] if faults.get('withoutLast') else sealed


def carry_out(
    outbound: Outbound, channels: OutboundChannels, upgrades: OutboundUpgrades, command: dict
) -> dict:
    match command.pop('do'):
        case 'probe':
            return outbound.probe()
        case 'pair':
            return outbound.pair(command.get('clockOffsetMs', 0))
        case 'check':
            return outbound.check(**command)
        case 'send':
            kind = command.pop('type')
            return outbound.send(kind, *message_of(command), **command)
        case 'request':
            return outbound.request(command.pop('type'), *message_of(command))
        case 'upgrade' | 'outcome' | 'push' | 'pull' | 'reset' as name:
            return upgrades.carry_out(name, command)
        case name:
            return channels.carry_out(name, command)


def main() -> None:
    client_id = os.environ.get('CLIENT_ID', 'interop')
    outbound = Outbound(sys.argv[1], os.environ['CLIENT_ID_SECRET'], client_id)
    channels = OutboundChannels(outbound)
    upgrades = OutboundUpgrades(channels)
    for line in sys.stdin:
        result = carry_out(outbound, channels, upgrades, json.loads(line))
        print(json.dumps(result), flush=True)


if __name__ == '__main__':
    main()
