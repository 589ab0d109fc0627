"""
The inbound relay of docs/protocol.md (B), with the API of upstream.py as its upstream:

    CLIENT_ID_SECRET=… python3 -B test/interop/inbound.py

This listens on a free port of 127.0.0.1 and prints one JSON object per line: first the port, then every pairing
and every request that it forwarded. The first request for the path `/forgotten` loses its session.

For tests only: sessions are kept in memory, there are no limits, and messages of both types are buffered until
they are complete.
"""

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import ml_kem
import pairing
import records
from head import (
    HeadRefused,
    RequestHead,
    ResponseHead,
    content_lengths,
    decode_request_head,
    encode_response_head,
)
from notation import b64
from relay_headers import MAX_SEQ, TUNNEL_REQUEST, derive_secret_keys, sign_error, verify_client_id
from upstream import Answer, answer

LIFETIME_SECONDS = 3600
MAX_MESSAGES = 2**18 - 1
MAX_CLOCK_SKEW_MS = 120_000
DRAIN_SECONDS, DRAIN_BYTES = 2, 4 * 2**20


def now_ms() -> int:
    return time.time_ns() // 10**6


def report(**event: object) -> None:
    """Writes each line with one call, since several exchanges may report at the same time."""
    os.write(1, json.dumps(event).encode() + b'\n')


class WireError(Exception):
    """An error response of section 8, which is unsigned if it has no `p`."""

    def __init__(self, status: int, p: int | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.p = p


@dataclass
class StoredSession:
    identity: str
    keys: pairing.Session
    expires_at_ms: int
    marked: set[int] = field(default_factory=set)


class SessionStore:
    """The operations of section 5, in memory. The value None marks a session that has ended."""

    def __init__(self) -> None:
        self._sessions: dict[str, StoredSession | None] = {}
        self._lock = threading.Lock()

    def reserve(self, sid: str) -> bool:
        with self._lock:
            if sid in self._sessions:
                return False
            self._sessions[sid] = None
            return True

    def put(self, session: StoredSession) -> None:
        self._sessions[session.keys.sid] = session

    def open(self, sid: str) -> StoredSession | None:
        return self._sessions.setdefault(sid, None)

    def mark(self, session: StoredSession, seq: int) -> None:
        """Marks the sequence number as consumed. Raises the error for A if the message must not be forwarded."""
        with self._lock:
            if self._sessions.get(session.keys.sid) is not session:
                raise WireError(560, 0)
            if seq in session.marked:
                raise WireError(565, 1)
            session.marked.add(seq)

    def kill(self, sid: str) -> None:
        self._sessions[sid] = None


class Inbound(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, secret: str) -> None:
        super().__init__(('127.0.0.1', 0), Exchange)
        self.keys = derive_secret_keys(secret)
        self.store = SessionStore()
        self.forgot_once = False


class BodyReader:
    """The body of one request, chunked or of known length."""

    def __init__(self, exchange: 'Exchange') -> None:
        self._file = exchange.rfile
        self._chunked = exchange.headers.get('transfer-encoding', '').lower() == 'chunked'
        self._left = 0 if self._chunked else int(exchange.headers.get('content-length', '0'))
        self._begun = False
        self.ended = not self._chunked and self._left == 0

    def read(self, count: int) -> bytes:
        """Returns fewer octets than `count` only at the end of the body or of the connection."""
        octets = b''
        while len(octets) < count and not self.ended:
            if self._chunked and self._left == 0:
                self._next_chunk()
                continue
            part = self._file.read(min(count - len(octets), self._left))
            octets += part
            self._left -= len(part)
            self.ended = part == b'' or (not self._chunked and self._left == 0)
        return octets

    def _next_chunk(self) -> None:
        if self._begun:
            self._file.readline()
        self._begun = True
        line = self._file.readline().split(b';')[0].strip()
        self._left = int(line, 16) if line else 0
        if self._left == 0:
            while self._file.readline().strip():
                pass
            self.ended = True


class Exchange(BaseHTTPRequestHandler):
    """One request from A: section 3."""

    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True
    server: Inbound

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        if self.path != '/api/mte-relay':
            return self._answer(404, [])
        self._answer(200, [('x-mte-relay', '1')])

    do_GET = do_HEAD

    def do_POST(self) -> None:
        self._body = BodyReader(self)
        try:
            if self.path == '/api/mte-pair':
                self._pair()
            else:
                self._tunnel()
        except WireError as error:
            self._answer_error(error)

    def _relay_header(self, name: str) -> str:
        values = self.headers.get_all(name)
        if values is None:
            raise WireError(569)
        return ', '.join(values)

    def _pair(self) -> None:
        """Carries out section 4 in the order of its steps."""
        keys, store = self.server.keys, self.server.store
        client_id_header = self._relay_header('x-mte-client-id')
        relay = self._relay_header('x-mte-relay')
        length = self.headers.get('content-length', '')
        if relay != '1' or not length.isdecimal() or int(length) > pairing.MAX_REQUEST_BYTES:
            raise WireError(566)
        body = self._body.read(int(length))
        identity = verify_client_id(keys, client_id_header, 'pair', relay, body)
        if identity is None:
            raise WireError(566)
        try:
            request = pairing.decode_request(body)
        except pairing.PairingRefused:
            raise WireError(566) from None
        if abs(request.unix_ms - now_ms()) > MAX_CLOCK_SKEW_MS:
            raise WireError(566, 0)
        th = pairing.transcript_hash(client_id_header, body)
        if not store.reserve(pairing.session_id(th)):
            raise WireError(565, 0)
        try:
            session, response = pairing.respond(
                keys, identity, th, request.pk, LIFETIME_SECONDS, MAX_MESSAGES
            )
        except ml_kem.InvalidKey:
            raise WireError(562, 0) from None
        store.put(StoredSession(identity, session, now_ms() + LIFETIME_SECONDS * 1000))
        report(paired=session.sid, audience=request.audience)
        self._answer(200, [('x-mte-relay', '1')], response)

    def _tunnel(self) -> None:
        """Carries out section 7 in the order of its steps."""
        keys, store = self.server.keys, self.server.store
        client_id_header = self._relay_header('x-mte-client-id')
        request_header = self._relay_header('x-mte-relay')
        match = TUNNEL_REQUEST.fullmatch(request_header)
        identity = verify_client_id(keys, client_id_header, 'tunnel', request_header)
        if match is None or int(match[2]) > MAX_SEQ or identity is None:
            raise WireError(566)
        sid, seq, kind = match[1], int(match[2]), match[3]
        if seq > MAX_MESSAGES:
            store.kill(sid)
            raise WireError(559, 0)
        session = store.open(sid)
        if session is None:
            raise WireError(560, 0)
        if session.identity != identity:
            raise WireError(566)
        if now_ms() > session.expires_at_ms:
            store.kill(sid)
            raise WireError(559, 0)
        contents = records.open_message(
            records.request_key(session.keys.k_c2s, request_header), self._body.read
        )
        head, body = self._open(contents, kind, session, seq)
        report(forwarded=head.path, type=kind, seq=seq)
        response_header = f'1.{b64(os.urandom(16))}'
        key = records.response_key(session.keys.k_s2c, request_header, response_header)
        self._answer_sealed(response_header, key, head, answer(head, body))

    def _open(
        self, contents: Iterator[bytes], kind: str, session: StoredSession, seq: int
    ) -> tuple[RequestHead, bytes]:
        """Returns the request, marked as consumed: an mte message after its end, an mke message after its head."""
        store = self.server.store
        try:
            head = decode_request_head(next(contents))
            body = b''.join(contents) if kind == 'mte' else b''
        except (records.RecordRefused, HeadRefused):
            store.mark(session, seq)
            raise WireError(562, 0) from None
        if head.path == '/forgotten' and not self.server.forgot_once:
            self.server.forgot_once = True
            store.kill(session.keys.sid)
        store.mark(session, seq)
        try:
            body += b''.join(contents)
        except records.RecordRefused:
            raise WireError(562, 1) from None
        if any(int(length) != len(body) for length in content_lengths(head.fields)):
            raise WireError(562, 1)
        return head, body

    def _answer_sealed(self, relay: str, key: bytes, request: RequestHead, inner: Answer) -> None:
        bodiless = request.method == 'HEAD' or inner.status in (204, 304)
        head = encode_response_head(ResponseHead(inner.status, inner.fields))
        sealed = records.seal_message(key, head, [] if bodiless else inner.pieces)
        if inner.flip_record is not None:
            changed = bytearray(sealed[inner.flip_record])
            changed[-1] ^= 1
            sealed[inner.flip_record] = bytes(changed)
        if inner.without_last:
            sealed.pop()
        self._answer(200, [('x-mte-relay', relay)], b''.join(sealed))

    def _answer_error(self, error: WireError) -> None:
        fields = []
        if error.p is not None:
            header = self.headers['x-mte-client-id']
            value = sign_error(self.server.keys, header, error.status, error.p, now_ms())
            fields.append(('x-mte-relay', value))
        if self._body.ended:
            return self._answer(error.status, fields)
        self._answer(error.status, [*fields, ('connection', 'close')])
        self._drain()

    def _answer(self, status: int, fields: list[tuple[str, str]], body: bytes = b'') -> None:
        self.send_response_only(status, '')
        for name, value in [
            *fields,
            ('content-type', 'application/octet-stream'),
            ('cache-control', 'no-store'),
            ('content-length', str(len(body))),
        ]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _drain(self) -> None:
        """Section 7: closing a socket with octets still unread would discard the response."""
        self.close_connection = True
        self.connection.settimeout(DRAIN_SECONDS)
        left = DRAIN_BYTES
        try:
            while left > 0 and (octets := self.rfile.read1(65536)):
                left -= len(octets)
        except (TimeoutError, ConnectionError):
            pass


def main() -> None:
    inbound = Inbound(os.environ['CLIENT_ID_SECRET'])
    report(port=inbound.server_address[1])
    inbound.serve_forever()


if __name__ == '__main__':
    main()
