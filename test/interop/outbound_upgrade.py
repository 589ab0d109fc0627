"""An upgraded connection at A, from its request to its end: docs/protocol.md, sections 11.3, 11.7 and 11.8."""

import base64
from dataclasses import asdict

from channel_frames import CANCEL, DATA, GOAWAY, HEADERS, PROTOCOL_ERROR, RST_STREAM, Frame
from head import HeadRefused, RequestHead, ResponseHead, decode_response_head
from outbound_end import OutboundEnd
from outbound_streams import NEVER_FORWARDED
from records import RecordRefused
from responses import described, expect_announced_length
from upgrade_heads import decode_switching, protocol_of


class OutboundUpgrade:
    """
    The only stream of its channel, which ends with it. All is called under the lock of the channel. An honest sender calls
    `send` only once `is_switched`.
    """

    def __init__(self, end: OutboundEnd, head: RequestHead, encoded: bytes, body: bytes) -> None:
        self._end = end
        self._head = head
        self._stream = end.request(encoded, body, ends=False)
        self._stream.upgrades = True
        self._response: ResponseHead | None = None
        self._received = bytearray()
        self._has_ended = False
        self.is_switched = False
        # What outbound.py prints, if the API did not switch or the stream has broken.
        self.result: dict | None = None
        if end.last_stream is not None:
            self._give_up_above(end.last_stream)
        end.finish()

    def take(self, frame: Frame) -> None:
        if frame.kind == GOAWAY:
            self._give_up_above(frame.number)
        elif frame.kind == RST_STREAM:
            self._settle({'reset': frame.number}, is_proof=frame.number in NEVER_FORWARDED)
        elif frame.kind in (HEADERS, DATA):
            self._take_response(frame)

    def send(self, octets: bytes, ends: bool) -> None:
        """What the client sends, and its FIN."""
        if not self._stream.is_over:
            self._stream.body += octets
            self._stream.ends |= ends
            self._end.outbox.add(self._stream)

    def reset(self) -> None:
        """The client has gone."""
        was_sent = self._stream.number > 0
        self._end.reset(self._stream, CANCEL)
        self._settle({'cancelled': True}, is_proof=not was_sent)

    def channel_broke(self) -> None:
        """Nothing happens to a stream that had ended on both sides."""
        if not (self._stream.is_over and self._has_ended):
            self._settle({'broken': True}, is_proof=self._stream.number == 0)

    def has_received(self, count: int) -> bool:
        """Whether so many octets are there, or no more will come."""
        return len(self._received) >= count or self._has_ended or self.result is not None

    def taken(self) -> dict:
        """What the client takes now. Only this grants the peer further octets."""
        octets = bytes(self._received)
        self._received.clear()
        self._end.consumed(self._stream, len(octets))
        broken = {} if self.result is None else {'result': self.result}
        return {'octets': base64.b64encode(octets).decode(), 'ended': self._has_ended, **broken}

    def outcome(self) -> dict:
        """What is known once `is_switched` or `result` is set."""
        return {'switched': asdict(self._response)} if self.is_switched else self.result

    def _give_up_above(self, last_stream: int) -> None:
        if self._stream.number == 0 or self._stream.number > last_stream:
            self._settle({'goneAway': True}, is_proof=True)

    def _take_response(self, frame: Frame) -> None:
        try:
            if frame.kind == HEADERS:
                self._take_head(frame)
            else:
                self._take_octets(frame.payload)
            self._has_ended |= frame.ends_stream
            if self._has_ended and not self.is_switched:
                self._take_ordinary_end()
        except (HeadRefused, RecordRefused) as error:
            self._end.reset(self._stream, PROTOCOL_ERROR)
            self._settle({'refused': str(error)})

    def _take_head(self, frame: Frame) -> None:
        if frame.upgrades:
            self._response = decode_switching(frame.payload)
            if protocol_of(self._response.fields) != protocol_of(self._head.fields):
                raise HeadRefused('a 101 with another protocol')
            self.is_switched = True
        else:
            self._response = decode_response_head(frame.payload)
            self.send(b'', ends=True)

    def _take_octets(self, octets: bytes) -> None:
        """The body of an ordinary response is taken at once, the octets of an upgraded connection by `taken`."""
        self._received += octets
        if not self.is_switched:
            self._end.consumed(self._stream, len(octets))

    def _take_ordinary_end(self) -> None:
        body = [bytes(self._received)]
        expect_announced_length(self._head.method, self._response, body)
        self.result = {'answer': described(self._response, body)}

    def _settle(self, result: dict, is_proof: bool = False) -> None:
        """The verdict is about a request whose response has not begun. Whoever has its 101 knows."""
        if self.result is None:
            word = 'no' if is_proof and self._response is None else 'maybe'
            self.result = {**result, **({} if self.is_switched else {'forwarded': word})}
