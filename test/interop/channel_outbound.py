"""A channel at A, from its opening to its end: docs/protocol.md, section 11."""

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

from channel_frames import Frame
from channel_link import ChannelLink, Ending
from channel_settings import Settings
from head import RequestHead
from opening_retries import Failure
from outbound_end import OutboundEnd
from outbound_streams import OutboundStreams
from outbound_upgrade import OutboundUpgrade
from pairing import Session
from records import request_key, response_key
from relay_headers import TUNNEL_RESPONSE
from responses import relay_header
from websocket_handshake import (
    HandshakeResponse,
    NoHandshake,
    is_acceptance,
    new_key,
    read_response,
    request_head,
)

OPENING_SECONDS, RESPONSE_SECONDS = 5, 60


@dataclass(frozen=True)
class WebSocketUse:
    """How A uses WebSockets: its masks, and the largest fragment of a message."""

    make_mask: Callable[[], bytes]
    fragment_bytes: int


@dataclass(frozen=True)
class Opening:
    """What one opening says. Its number is consumed by the first delivery. `kind` is chan or conn."""

    session: Session
    kind: str
    relay_header: str
    client_id_header: str


class OpeningFailed(Exception):
    """`response` is None if no head of a response came."""

    def __init__(self, failure: Failure, response: HandshakeResponse | None = None) -> None:
        super().__init__(failure)
        self.failure = failure
        self.response = response


def open_channel(
    address: tuple[str, int], opening: Opening, own: Settings, use: WebSocketUse
) -> 'OutboundChannel':
    """Raises OpeningFailed."""
    try:
        connection = socket.create_connection(address, OPENING_SECONDS)
    except OSError:
        raise OpeningFailed(Failure(was_reached=False)) from None
    try:
        response = _switch(connection, address, opening)
        channel = OutboundChannel(connection, opening, response, own, use)
        if not channel.start(response.rest):
            raise OpeningFailed(Failure(status=response.status), response)
    except ConnectionError:
        connection.close()
        raise OpeningFailed(Failure(was_reached=False)) from None
    except (OSError, NoHandshake):
        connection.close()
        raise OpeningFailed(Failure()) from None
    return channel


def _switch(
    connection: socket.socket, address: tuple[str, int], opening: Opening
) -> HandshakeResponse:
    key = new_key()
    fields = [
        ('x-mte-relay', opening.relay_header),
        ('x-mte-client-id', opening.client_id_header),
    ]
    connection.sendall(request_head(f'{address[0]}:{address[1]}', key, fields))
    response = read_response(connection)
    if not is_acceptance(response, key) or not TUNNEL_RESPONSE.fullmatch(relay_header(response)):
        connection.close()
        raise OpeningFailed(Failure(status=response.status), response)
    return response


class OutboundChannel:
    def __init__(
        self,
        connection: socket.socket,
        opening: Opening,
        response: HandshakeResponse,
        own: Settings,
        use: WebSocketUse,
    ) -> None:
        session, request_header = opening.session, opening.relay_header
        self.end = OutboundEnd(
            request_key(session.k_c2s, request_header),
            response_key(session.k_s2c, request_header, relay_header(response)),
            own,
            opening.kind == 'conn',
        )
        self.streams = OutboundStreams(self.end)
        self._upgrade: OutboundUpgrade | None = None
        self.link = ChannelLink(
            connection, self.end, self._take, use.make_mask, use.fragment_bytes
        )

    def start(self, early: bytes) -> bool:
        """Returns whether the first record of B came in time and is authentic, so that the channel is open."""
        self._thread = threading.Thread(target=self.link.run, args=[early], daemon=True)
        self._thread.start()
        is_settled = lambda: self.end.peer is not None or self.link.ending is not None
        with self.link.changed:
            self.link.changed.wait_for(is_settled, 2 * OPENING_SECONDS)
        return self.end.peer is not None

    def together(self, requests: list[tuple[RequestHead, bytes]]) -> dict:
        """Sends all requests at once. Returns their results, and the order in which these became known."""
        with self.link.changed:
            exchanges = [self.streams.request(head, body) for head, body in requests]
            are_settled = lambda: all(each.result is not None for each in exchanges)
            self.link.changed.notify_all()
            has_ended = lambda: are_settled() or self.link.ending is not None
            if not self.link.changed.wait_for(has_ended, RESPONSE_SECONDS):
                raise TimeoutError('a stream was not answered')
            if not are_settled():
                self.streams.channel_broke()
        order = [exchanges.index(each) for each in self.streams.finished if each in exchanges]
        return {'results': [each.result for each in exchanges], 'order': order}

    def carry(self, upgrade: OutboundUpgrade) -> None:
        """Is called once, under the lock of a channel of type conn."""
        self._upgrade = upgrade
        self.link.changed.notify_all()

    def wait_for(self, is_there: Callable[[], bool]) -> None:
        """Waits, under the lock, for what concerns the upgraded connection. It is lost with its channel."""
        self.link.changed.notify_all()
        has_ended = lambda: is_there() or self.link.ending is not None
        if not self.link.changed.wait_for(has_ended, RESPONSE_SECONDS):
            raise TimeoutError('the upgraded connection is silent')
        if not is_there():
            self._upgrade.channel_broke()

    def _take(self, frame: Frame) -> None:
        if self._upgrade is None:
            return self.streams.take(frame)
        self._upgrade.take(frame)
        self.link.changed.notify_all()

    def finish(self) -> Ending:
        """Ends the channel in an orderly way, once no stream is left."""
        with self.link.changed:
            self.end.finish()
            self.link.changed.notify_all()
        return self.wait_for_end()

    def wait_for_end(self) -> Ending:
        self._thread.join(RESPONSE_SECONDS)
        if self.link.ending is None:
            raise TimeoutError('the channel did not end')
        return self.link.ending
