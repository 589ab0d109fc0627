"""An upgraded connection at B, from its request to its end: docs/protocol.md, section 11.8."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from channel_frames import DATA, HEADERS, INTERNAL_ERROR, PROTOCOL_ERROR, RST_STREAM, Frame
from channel_link import ChannelLink, Ending
from channel_stream import Stream
from head import HeadRefused, RequestHead, ResponseHead, encode_response_head
from inbound_end import InboundEnd
from upgrade_faults import reset_code, wrong_head
from upgrade_heads import body_length, decode_upgrade_request, encode_switching, protocol_of
from upgrade_pipe import UpgradePipe
from upgrade_upstream import BAD_GATEWAY, ApiConnection, Switched
from upstream import Answer

NOT_LISTED = Answer(501, [])


@dataclass(frozen=True)
class Upgrades:
    """Settings of B. `most` are upgraded connections at once. Without an upstream every upgrade is an inner 502."""

    upstream: str | None = None
    protocols: tuple[str, ...] = ('websocket',)
    most: int = 10_000


class InboundUpgrade:
    """
    The only stream of its channel. `begin` hears of the request once it is complete, and has another thread `serve` it.
    """

    link: ChannelLink
    _changed: threading.Condition

    def __init__(
        self, end: InboundEnd, upgrades: Upgrades, begin: Callable[[RequestHead, bytes], None]
    ) -> None:
        self._end = end
        self._upgrades = upgrades
        self._begin = begin
        self._stream: Stream | None = None
        self._head: RequestHead | None = None
        self._body = bytearray()
        self._has_begun = False
        self._api: ApiConnection | None = None
        self._pipe: UpgradePipe | None = None
        self._has_responded = False
        self._is_lost = False

    def run(self, link: ChannelLink) -> Ending:
        self.link, self._changed = link, link.changed
        ending = link.run()
        with self._changed:
            self._channel_ended()
        return ending

    def take(self, frame: Frame) -> None:
        """Is called under the lock of the channel."""
        if frame.kind == HEADERS:
            self._take_head(frame)
        elif frame.kind == DATA:
            self._take_data(frame)
        elif frame.kind == RST_STREAM:
            self._lose()

    def serve(self, head: RequestHead, body: bytes) -> None:
        """Asks the API, responds, and passes octets on until both directions have ended. In a thread of its own."""
        is_faulty = self._commit_fault(head.path)
        response = None if is_faulty else self._response(head, body)
        with self._changed:
            if not self._is_lost and not is_faulty:
                self._respond(response)
            self._changed.notify_all()
        if self._pipe is not None:
            self._pipe.run()
        elif self._api is not None:
            self._api.close()

    def _take_head(self, frame: Frame) -> None:
        self._stream = self._end.streams[frame.stream]
        try:
            self._head = decode_upgrade_request(frame.payload)
        except HeadRefused:
            return self._end.reset(self._stream, PROTOCOL_ERROR)
        self._begin_if_complete()

    def _take_data(self, frame: Frame) -> None:
        if self._pipe is not None:
            return self._pipe.put(frame.payload)
        self._body += frame.payload
        self._end.consumed(self._stream, len(frame.payload))
        # Only the body comes before the 101, and only behind another response its end.
        missing = body_length(self._head.fields) - len(self._body)
        if missing < 0 or (frame.ends_stream and not self._has_responded):
            # Only an API that was not asked is a proof.
            self._end.reset(self._stream, INTERNAL_ERROR if self._has_begun else PROTOCOL_ERROR)
            return self._lose()
        self._begin_if_complete()

    def _begin_if_complete(self) -> None:
        if not self._has_begun and len(self._body) == body_length(self._head.fields):
            self._has_begun = True
            self._begin(self._head, bytes(self._body))

    def _channel_ended(self) -> None:
        """What has not ended on both sides is lost. What has may still be on its way to the API."""
        stream = self._stream
        if stream is not None and not (stream.has_sent_end and stream.has_received_end):
            self._lose()

    def _lose(self) -> None:
        self._is_lost = True
        if self._pipe is not None:
            self._pipe.lose()
        elif self._api is not None:
            self._api.interrupt()

    def _commit_fault(self, path: str) -> bool:
        """For tests of the peer. Returns whether the path names a fault."""
        wrong, code = wrong_head(path), reset_code(path)
        with self._changed:
            if code is not None:
                self._end.reset(self._stream, code)
            elif wrong is not None:
                octets, upgrades = wrong
                self._end.switch(self._stream, octets, b'', upgrades)
        return code is not None or wrong is not None

    def _response(self, head: RequestHead, body: bytes) -> Switched | Answer:
        if protocol_of(head.fields) not in self._upgrades.protocols:
            return NOT_LISTED
        if self._upgrades.upstream is None:
            return BAD_GATEWAY
        try:
            api = ApiConnection(self._upgrades.upstream)
        except OSError:
            return BAD_GATEWAY
        with self._changed:
            self._api = api
            if self._is_lost:
                return BAD_GATEWAY
        return api.ask(head, body)

    def _respond(self, response: Switched | Answer) -> None:
        self._has_responded = True
        try:
            if isinstance(response, Answer):
                head = encode_response_head(ResponseHead(response.status, response.fields))
                return self._end.respond(self._stream, head, b''.join(response.pieces))
            self._end.switch(self._stream, encode_switching(response.fields), response.rest)
            self._pipe = UpgradePipe(self._api.socket, self._end, self._stream, self._changed)
        except HeadRefused:
            self._end.reset(self._stream, INTERNAL_ERROR)
