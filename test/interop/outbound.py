"""
The outbound relay of docs/protocol.md (A), driven by hand or by a test:

    CLIENT_ID_SECRET=… python3 -B test/interop/outbound.py http://inbound.example:8080

This reads one JSON object per line and prints one result for each, until its input ends. Bodies are base64.

    {"do": "probe"}
    {"do": "pair", "clockOffsetMs": 0}
    {"do": "send", "type": "mke", "method": "POST", "path": "/", "fields": [["a", "b"]], "pieces": ["aGk="]}

`send` also accepts faults that an honest sender never commits: "seq" (an arbitrary sequence number), "flip"
([record, octet]: flips one bit) and "withoutLast" (omits the last record). With "emptyLast" the message ends
with an empty record, the other of the two valid endings.

For tests only: it has no timers, and it pairs and retries only on command.
"""

import base64
import json
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import urlsplit

import pairing
import records
import x_wing
from head import (
    Fields,
    HeadRefused,
    RequestHead,
    ResponseHead,
    content_lengths,
    decode_response_head,
    encode_request_head,
)
from notation import b64
from relay_headers import TUNNEL_RESPONSE, derive_secret_keys, sign_client_id, verify_error

TIMEOUT_SECONDS = 20
WITHOUT_BODY = (204, 304)


class Outbound:
    """One peer and at most one session with it."""

    def __init__(self, origin: str, secret: str, client_id: str) -> None:
        self._address = urlsplit(origin)
        self._origin = origin
        self._keys = derive_secret_keys(secret)
        self._client_id = client_id
        self._session: pairing.Session | None = None
        self._seq = 0

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
        answer = self._post('/api/mte-pair', client_id_header, '1', headers, [body])
        if answer.status != 200 or relay_header(answer) != '1':
            outcome = self._error(client_id_header, answer)
            if outcome['status'] == 566 and outcome['signed'] and clock_offset_ms != 0:
                return {**self.pair(), 'corrected': outcome['unixMs']}
            return {'error': outcome}
        th = pairing.transcript_hash(client_id_header, body)
        identity = f'{self._keys.kid}.{self._client_id}'
        self._session = pairing.finish(self._keys, identity, th, seed, answer.read())
        self._seq = 0
        return {
            'sid': self._session.sid,
            'lifetimeSeconds': self._session.lifetime_seconds,
            'maxMessages': self._session.max_messages,
        }

    def send(self, kind: str, head: RequestHead, pieces: list[bytes], **faults) -> dict:
        """Section 6: sends one message within the session and returns the result."""
        session = self._session
        if session is None:
            raise RuntimeError('pair first')
        self._seq += 1
        seq = faults.get('seq') or self._seq
        request_header = f'1.{session.sid}.{seq}.{kind}.{b64(os.urandom(16))}'
        client_id_header = sign_client_id(self._keys, self._client_id, 'tunnel', request_header)
        key = records.request_key(session.k_c2s, request_header)
        sealed = records.seal_message(
            key, encode_request_head(head), pieces, bool(faults.get('emptyLast'))
        )
        chunks = (b'%x\r\n%s\r\n' % (len(part), part) for part in spoil(sealed, faults))
        headers = [('transfer-encoding', 'chunked')]
        answer = self._post(
            '/api/mte-tunnel', client_id_header, request_header, headers, [*chunks, b'0\r\n\r\n']
        )
        response_header = relay_header(answer)
        if answer.status != 200 or not TUNNEL_RESPONSE.fullmatch(response_header):
            return {'error': self._error(client_id_header, answer)}
        key = records.response_key(session.k_s2c, request_header, response_header)
        return open_answer(kind, head.method, key, answer)

    def _error(self, client_id_header: str, answer: HTTPResponse) -> dict:
        """Describes a signed error, or reports any other response as unsigned."""
        error = verify_error(self._keys, client_id_header, answer.status, relay_header(answer))
        if error is None:
            return {'status': answer.status, 'signed': False}
        return {'status': error.status, 'signed': True, 'p': error.p, 'unixMs': error.unix_ms}

    def _connect(self) -> HTTPConnection:
        return HTTPConnection(self._address.hostname, self._address.port, timeout=TIMEOUT_SECONDS)

    def _post(
        self,
        path: str,
        client_id_header: str,
        relay: str,
        headers: Fields,
        octets: Iterable[bytes],
    ) -> HTTPResponse:
        connection = self._connect()
        connection.putrequest('POST', path, skip_accept_encoding=True)
        for name, value in [
            ('content-type', 'application/octet-stream'),
            ('cache-control', 'no-store'),
            ('x-mte-client-id', client_id_header),
            ('x-mte-relay', relay),
            *headers,
        ]:
            connection.putheader(name, value)
        connection.endheaders()
        try:
            for part in octets:
                connection.send(part)
        except (BrokenPipeError, ConnectionResetError):
            pass  # The peer has stopped reading, but its response may still be readable.
        return connection.getresponse()


def relay_header(answer: HTTPResponse) -> str:
    """Returns the value of x-mte-relay. Several values are joined into one that matches no pattern."""
    return ', '.join(answer.headers.get_all('x-mte-relay') or [])


def spoil(sealed: list[bytes], faults: dict) -> list[bytes]:
    if 'flip' in faults:
        record, octet = faults['flip']
        changed = bytearray(sealed[record])
        changed[octet] ^= 1
        sealed = [*sealed[:record], bytes(changed), *sealed[record + 1 :]]
    return sealed[:-1] if faults.get('withoutLast') else sealed


def open_answer(kind: str, method: str, key: bytes, answer: HTTPResponse) -> dict:
    """Opens a response. MKE releases the content before a bad record, MTE only complete messages."""
    head: ResponseHead | None = None
    body: list[bytes] = []
    try:
        for i, content in enumerate(records.open_message(key, answer.read)):
            if i == 0:
                head = decode_response_head(content)
            else:
                body.append(content)
        expect_announced_length(method, head, body)
    except (records.RecordRefused, HeadRefused, HTTPException, ConnectionError) as error:
        released = described(head, body) if kind == 'mke' and head is not None else None
        return {'refused': str(error), 'released': released}
    return {'answer': described(head, body)}


def expect_announced_length(method: str, head: ResponseHead, body: list[bytes]) -> None:
    bodiless = method == 'HEAD' or head.status in WITHOUT_BODY
    announced = [] if bodiless else content_lengths(head.fields)
    length = sum(map(len, body))
    if (bodiless and length > 0) or any(int(value) != length for value in announced):
        raise records.RecordRefused('the body does not have the announced length')


def described(head: ResponseHead, body: list[bytes]) -> dict:
    octets = b''.join(body)
    return {**asdict(head), 'body': base64.b64encode(octets).decode(), 'pieces': len(body)}


def carry_out(outbound: Outbound, command: dict) -> dict:
    match command.pop('do'):
        case 'probe':
            return outbound.probe()
        case 'pair':
            return outbound.pair(command.get('clockOffsetMs', 0))
        case 'send':
            fields = [(name, value) for name, value in command.pop('fields', [])]
            head = RequestHead(command.pop('method'), 'http', command.pop('path'), fields)
            pieces = [base64.b64decode(piece) for piece in command.pop('pieces', [])]
            return outbound.send(command.pop('type'), head, pieces, **command)
        case unknown:
            raise ValueError(f'unknown command: {unknown}')


def main() -> None:
    client_id = os.environ.get('CLIENT_ID', 'interop')
    outbound = Outbound(sys.argv[1], os.environ['CLIENT_ID_SECRET'], client_id)
    for line in sys.stdin:
        print(json.dumps(carry_out(outbound, json.loads(line))), flush=True)


if __name__ == '__main__':
    main()
