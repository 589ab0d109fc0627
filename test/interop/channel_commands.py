"""
The commands of outbound.py for channels, in the form that it describes:

    {"do": "open", "masks": "random", "window": 262144}
    {"do": "together", "requests": [{"method": "POST", "path": "/", "fields": [], "pieces": ["aGk="]}, …]}
    {"do": "end"}

`open` opens a channel within the session, and does after a failure what section 11.1 says, unless that is only later.
With "masks": "zero" every WebSocket frame has a mask of zeros, with "fragment": n at most n octets. "seq" and "age" are
faults, as in `send`. `together` sends all requests at once; "order" are their places in the order of their results.
`end` ends the channel.

What an honest sender never does:

    {"do": "reopen"}                                       delivers the opening of the channel once more
    {"do": "break", "content": "AAAA", "flip": false}      sends a record with this content, or a changed one
"""

import base64
from collections.abc import Callable
from typing import Protocol
from urllib.parse import SplitResult

from channel_link import Ending
from channel_outbound import (
    Opening,
    OpeningFailed,
    OutboundChannel,
    WebSocketUse,
    open_channel,
)
from channel_records import MAX_MESSAGE_BYTES
from channel_settings import DEFAULT_INITIAL_WINDOW, Settings
from head import RequestHead
from opening_retries import NO_CHANNELS, Delay, Failure, Step, after_failure
from relay_headers import derive_proof
from responses import Headed
from websocket_frames import ZERO_MASK, random_mask

MASKS: dict[str, Callable[[], bytes]] = {'random': random_mask, 'zero': lambda: ZERO_MASK}


class Sessions(Protocol):
    """What a channel needs of the relay that opens it: Outbound of outbound.py."""

    address: SplitResult

    def pair(self) -> dict: ...

    def next_headers(self, kind: str, faults: dict) -> tuple: ...

    def error_of(self, client_id_header: str, answer: Headed, proof: bytes | None) -> dict: ...


class OutboundChannels:
    """At most one channel, as outbound.py has at most one session."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._channel: OutboundChannel | None = None
        self._opening: Opening | None = None
        self._use = WebSocketUse(random_mask, MAX_MESSAGE_BYTES)
        self._own = Settings()

    def carry_out(self, name: str, command: dict) -> dict:
        match name:
            case 'open':
                make_mask = MASKS[command.pop('masks', 'random')]
                self._use = WebSocketUse(make_mask, command.pop('fragment', MAX_MESSAGE_BYTES))
                self._own = Settings(command.pop('window', DEFAULT_INITIAL_WINDOW))
                return self._open(command)[0]
            case 'together':
                requests = [message_of(request) for request in command['requests']]
                return self._channel.together([(head, b''.join(body)) for head, body in requests])
            case 'end':
                return described(self._channel.finish())
            case 'reopen':
                return self._reopen()
            case 'break':
                return described(self._break(base64.b64decode(command['content']), command.get('flip')))
            case unknown:
                raise ValueError(f'unknown command: {unknown}')

    def open_conn(self, faults: dict) -> tuple[dict, OutboundChannel | None]:
        """Opens a channel for one upgraded connection, or says what the client is told. Section 11.8."""
        result, delay = self._open(faults, 'conn')
        if delay is None:
            return result, self._channel
        unsupported = {'unsupported': True} if delay is NO_CHANNELS else {}
        told = {name: value for name, value in result.items() if name != 'againAfterSeconds'}
        return {**told, **unsupported, 'forwarded': 'no'}, None

    def _open(self, faults: dict, kind: str = 'chan') -> tuple[dict, Delay | None]:
        """Opens a second time at most. Returns the delay before the next opening, if none is open now."""
        result, failure = self._attempt(faults, kind)
        if failure is None:
            return result, None
        step, delay = after_failure(failure, is_second=False)
        if step is Step.LATER:
            return {**result, 'againAfterSeconds': delay.first}, delay
        if step is Step.NEW_SESSION:
            self._sessions.pair()
        second, failure = self._attempt({}, kind)
        second = {**second, 'first': result['error']}
        if failure is None:
            return second, None
        _, delay = after_failure(failure, is_second=True)
        return {**second, 'againAfterSeconds': delay.first}, delay

    def _attempt(self, faults: dict, kind: str) -> tuple[dict, Failure | None]:
        session, relay_header, client_id_header = self._sessions.next_headers(kind, faults)
        self._opening = Opening(session.keys, kind, relay_header, client_id_header)
        try:
            self._channel = self._opened()
        except OpeningFailed as failed:
            error = self._error(failed)
            failure = Failure(error['status'], error['signed'], failed.failure.was_reached)
            return {'error': error}, failure
        peer = self._channel.end.peer
        return {'opened': True, 'maxStreams': peer.max_streams, 'window': peer.initial_window}, None

    def _reopen(self) -> dict:
        try:
            self._opened()
        except OpeningFailed as failed:
            return {'error': self._error(failed)}
        return {'opened': True}

    def _opened(self) -> OutboundChannel:
        address = (self._sessions.address.hostname, self._sessions.address.port)
        return open_channel(address, self._opening, self._own, self._use)

    def _error(self, failed: OpeningFailed) -> dict:
        if failed.response is None:
            return {'status': None, 'signed': False}
        proof = derive_proof(self._opening.session.k_s2c)
        return self._sessions.error_of(self._opening.client_id_header, failed.response, proof)

    def _break(self, content: bytes, is_changed: bool) -> Ending:
        with self._channel.link.changed:
            record = self._channel.end.seal_unchecked(content)
        if is_changed:
            record = record[:-1] + bytes([record[-1] ^ 1])
        self._channel.link.send_raw(record)
        return self._channel.wait_for_end()


def message_of(command: dict) -> tuple[RequestHead, list[bytes]]:
    """Takes head and body out of a command."""
    fields = [(name, value) for name, value in command.pop('fields', [])]
    authority = command.pop('authority', '')
    head = RequestHead(command.pop('method'), 'http', authority, command.pop('path'), fields)
    return head, [base64.b64decode(piece) for piece in command.pop('pieces', [])]


def described(ending: Ending) -> dict:
    return {'closed': ending.code, 'byPeer': ending.by_peer, 'orderly': ending.is_orderly}
