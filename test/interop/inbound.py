"""
The inbound relay of docs/protocol.md (B), with the API of upstream.py as its upstream:

    CLIENT_ID_SECRET=… python3 -B test/interop/inbound.py

This listens on a free port of 127.0.0.1 and prints one JSON object per line: first the port, then every pairing,
check, refusal, beginning and end of a channel, and request that it forwarded. Its only audience is the origin
http://127.0.0.1:<port>.

Some paths make it misbehave, as a network, a restart or a clock would, with the first request for that path and query:

    /forgotten  loses the session before MARK
    /stepped    sees the message 40 s late (/stepped/N: the first N of them)
    /lost       breaks the connection before MARK, without a response
    /unheard    forwards the request, then breaks the connection without a response
    /restarted  responds, then loses all sessions and closes the connection
    /recreated  forwards the request, loses its session, gets the pairing of that session once more, as an attacker
                would deliver it, and breaks the connection without a response

In a channel, /unheard breaks the channel and the others do nothing, but requests can wait for each other:

    /held/<name>    is answered only once /release/<name> was requested
    /paused/<name>  the body is taken only then; "windowUsedUp" tells that all of its window has come

It asks UPSTREAM, an origin, for upgrades to the UPGRADE_PROTOCOLS (default: websocket), for no more than
MAX_UPGRADED_CONNECTIONS at once (default: 10000). Without UPSTREAM each of them is an inner 502. Some paths are not asked
for: /unheard breaks the channel, /reset/<code> resets the stream, and upgrade_faults.py lists what answers /wrong/<name>.

For tests only: sessions are kept in memory, there are no limits, and messages of both types are buffered until
they are complete.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_WR

import pairing
import records
from admission import Admission, Message, Rules, WireError
from body_reader import BodyReader
from channel_inbound import InboundChannels, run_channel
from faults import Faults
from head import (
    HeadRefused,
    RequestHead,
    ResponseHead,
    content_lengths,
    decode_request_head,
    encode_response_head,
)
from inbound_upgrade import Upgrades
from notation import b64
from relay_headers import derive_secret_keys, sign_error
from session_creation import MAX_MESSAGES, create_session
from session_store import SessionStore, audience_hash
from upstream import Answer, answer
from websocket_handshake import PATH as CHANNEL_PATH
from websocket_handshake import switching_fields

MAX_CLOCK_SKEW_MS = 120_000
CLOCK_STEP_MS = 40_000
LINGER_SECONDS, SILENCE_SECONDS, LINGER_BYTES = 30, 5, 2**30
MAX_CHECK_BODY = 4 * 2**20
NO_CONTENT = Answer(204, [])


def now_ms() -> int:
    return time.time_ns() // 10**6


def report(**event: object) -> None:
    """Writes each line with one call, since several exchanges may report at the same time."""
    os.write(1, json.dumps(event).encode() + b'\n')


class ConnectionToBreak(Exception):
    """Ends an exchange without a response."""


class Inbound(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, secret: str, client_id: str, upgrades: Upgrades = Upgrades()) -> None:
        super().__init__(('127.0.0.1', 0), Exchange)
        self.keys = derive_secret_keys(secret)
        self.store = SessionStore()
        self.faults = Faults()
        # Each receives the pairing of a sid, as often as it is called.
        self.pairings: dict[str, Callable[[], tuple[str, bytes]]] = {}
        audience = f'http://127.0.0.1:{self.server_address[1]}'
        rules = Rules(MAX_MESSAGES, client_id, (audience,))
        self.admission = Admission([self.keys], self.store, rules)
        self.channels = InboundChannels(self.admission, self.faults, upgrades, report)


class Exchange(BaseHTTPRequestHandler):
    """One request from A: section 3."""

    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True
    server: Inbound

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path != CHANNEL_PATH or 'x-mte-relay' not in self.headers:
            return self.do_HEAD()
        self._body = BodyReader(self.rfile, self.headers)
        self.close_connection = True
        try:
            self._open_channel()
        except WireError as error:
            report(refused=error.status, p=error.p, path=self.path)
            self._answer_error(error)

    def do_HEAD(self) -> None:
        if self.path != '/api/mte-relay':
            return self._answer(404, [])
        self._answer(200, [('x-mte-relay', '1')])

    def do_POST(self) -> None:
        self._body = BodyReader(self.rfile, self.headers)
        try:
            if self.path == '/api/mte-pair':
                self._pair()
            else:
                self._tunnel()
        except WireError as error:
            report(refused=error.status, p=error.p, path=self.path)
            self._answer_error(error)
        except ConnectionToBreak:
            self.close_connection = True

    def _relay_header(self, name: str) -> str:
        values = self.headers.get_all(name)
        if values is None:
            raise WireError(569)
        return ', '.join(values)

    def _open_channel(self) -> None:
        """Carries out section 11.1, then serves the channel until it ends."""
        client_id_header = self._relay_header('x-mte-client-id')
        relay_header = self._relay_header('x-mte-relay')
        request_line = (self.command, self.path, self.request_version)
        with self.server.channels.opened(
            request_line, self.headers, client_id_header, relay_header
        ) as channel:
            response_header = f'1.{b64(os.urandom(16))}'
            self.send_response_only(101, 'Switching Protocols')
            fields = switching_fields(self.headers['sec-websocket-key'].strip())
            for name, value in [*fields, ('x-mte-relay', response_header)]:
                self.send_header(name, value)
            self.end_headers()
            run_channel(self.connection, channel, response_header)

    def _pair(self) -> None:
        """Carries out section 4 in the order of its steps."""
        admission = self.server.admission
        client_id_header = self._relay_header('x-mte-client-id')
        relay = self._relay_header('x-mte-relay')
        length = self.headers.get('content-length', '')
        if relay != '1' or not length.isdecimal() or int(length) > pairing.MAX_REQUEST_BYTES:
            raise WireError(566)
        body = self._body.read(int(length))
        keys, identity = admission.sender(client_id_header, 'pair', relay, body)
        try:
            request = pairing.decode_request(body)
        except pairing.PairingRefused:
            raise WireError(566) from None
        if not admission.accepts_audience(audience_hash(request.audience)):
            raise WireError(566)
        if abs(request.unix_ms - now_ms()) > MAX_CLOCK_SKEW_MS:
            raise WireError(566, 0)
        th = pairing.transcript_hash(client_id_header, body)

        def create() -> tuple[str, bytes]:
            return create_session(self.server.store, keys, identity, request, th)

        sid, response = create()
        self.server.pairings[sid] = create
        report(paired=sid, audience=request.audience)
        self._answer(200, [('x-mte-relay', '1')], response)

    def _tunnel(self) -> None:
        """Carries out section 7 in the order of its steps."""
        client_id_header = self._relay_header('x-mte-client-id')
        relay_header = self._relay_header('x-mte-relay')
        message = self.server.admission.open(client_id_header, relay_header, now_ms())
        if message.header.kind == 'check':
            return self._check(message)
        contents = records.open_message(
            records.request_key(message.session.k_c2s, relay_header), self._body.read
        )
        try:
            head = decode_request_head(next(contents))
        except (records.RecordRefused, HeadRefused):
            self.server.admission.refuse(message, 562)
        fault = self.server.faults.of(head.path)
        body = self._open_body(contents, head, message, fault)
        report(forwarded=head.path, **described(message))
        if fault == 'unheard':
            raise ConnectionToBreak
        if fault == 'recreated':
            self.server.store.evict(message.header.sid)
            self.server.pairings[message.header.sid]()
            raise ConnectionToBreak
        if fault == 'restarted':
            self.server.store.forget()
            self.close_connection = True
        self._answer_sealed(message, head, answer(head, body))

    def _check(self, message: Message) -> None:
        """A message without a request: it is marked and answered, whatever its body is."""
        admission = self.server.admission
        admission.expect_fresh(message, now_ms())
        admission.mark(message)
        self._body.skip(MAX_CHECK_BODY)
        self.close_connection |= not self._body.ended
        report(checked=message.header.sid, seq=message.header.seq)
        self._answer_sealed(message, RequestHead('HEAD', 'http', '', '/', []), NO_CONTENT)

    def _open_body(
        self, contents: Iterator[bytes], head: RequestHead, message: Message, fault: str | None
    ) -> bytes:
        """Returns the body of the message, marked as consumed: of type mte after its end, of type mke after its head."""
        admission = self.server.admission
        admission.expect_fresh(message, now_ms() + (CLOCK_STEP_MS if fault == 'stepped' else 0))
        try:
            body = b''.join(contents) if message.header.kind == 'mte' else b''
        except records.RecordRefused:
            admission.refuse(message, 562)
        if fault == 'lost':
            raise ConnectionToBreak
        if fault == 'forgotten':
            self.server.store.kill(message.header.sid)
        admission.mark(message)
        try:
            body += b''.join(contents)
        except records.RecordRefused:
            raise WireError(562, 1) from None
        if any(int(length) != len(body) for length in content_lengths(head.fields)):
            raise WireError(562, 1)
        return body

    def _answer_sealed(self, message: Message, request: RequestHead, inner: Answer) -> None:
        response_header = f'1.{b64(os.urandom(16))}'
        key = records.response_key(message.session.k_s2c, message.relay_header, response_header)
        bodiless = request.method == 'HEAD' or inner.status in (204, 304)
        head = encode_response_head(ResponseHead(inner.status, inner.fields))
        sealed = records.seal_message(key, head, [] if bodiless else inner.pieces)
        if inner.flip_record is not None:
            changed = bytearray(sealed[inner.flip_record])
            changed[-1] ^= 1
            sealed[inner.flip_record] = bytes(changed)
        if inner.without_last:
            sealed.pop()
        self._answer(200, [('x-mte-relay', response_header)], b''.join(sealed))

    def _answer_error(self, error: WireError) -> None:
        fields = []
        if error.p is not None:
            header = self.headers['x-mte-client-id']
            value = sign_error(
                self.server.keys, header, error.status, error.p, now_ms(), error.proof
            )
            fields.append(('x-mte-relay', value))
        self.close_connection |= not self._body.ended
        self._answer(error.status, fields)
        if not self._body.ended:
            self._linger()

    def _answer(self, status: int, fields: list[tuple[str, str]], body: bytes = b'') -> None:
        self.send_response_only(status, '')
        for name, value in [
            *fields,
            ('content-type', 'application/octet-stream'),
            ('cache-control', 'no-store, no-transform'),
            ('content-length', str(len(body))),
            *([('connection', 'close')] if self.close_connection else []),
        ]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _linger(self) -> None:
        """Section 7: closing a socket with octets still unread would discard the response."""
        self.wfile.flush()
        end, left = time.monotonic() + LINGER_SECONDS, LINGER_BYTES
        try:
            self.connection.shutdown(SHUT_WR)
            self.connection.settimeout(SILENCE_SECONDS)
            while left > 0 and time.monotonic() < end and (octets := self.rfile.read1(65536)):
                left -= len(octets)
        except OSError:
            pass


def described(message: Message) -> dict:
    header = message.header
    return {'type': header.kind, 'seq': header.seq, 'replaced': header.replaced, 'age': header.age_seconds}


def main() -> None:
    client_id = os.environ.get('CLIENT_ID', 'interop-inbound')
    protocols = os.environ.get('UPGRADE_PROTOCOLS', 'websocket').lower().split(',')
    most = int(os.environ.get('MAX_UPGRADED_CONNECTIONS', '10000'))
    upgrades = Upgrades(os.environ.get('UPSTREAM'), tuple(protocols), most)
    inbound = Inbound(os.environ['CLIENT_ID_SECRET'], client_id, upgrades)
    report(port=inbound.server_address[1])
    inbound.serve_forever()


if __name__ == '__main__':
    main()
