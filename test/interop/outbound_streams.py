"""The requests of a channel at A, until their responses are known or lost: docs/protocol.md, sections 11.3 and 11.7."""

from dataclasses import dataclass, field

from channel_frames import (
    DATA,
    GOAWAY,
    HEADERS,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    RST_STREAM,
    Frame,
)
from channel_stream import Stream
from head import (
    HeadRefused,
    RequestHead,
    ResponseHead,
    content_lengths,
    decode_response_head,
    encode_request_head,
)
from outbound_end import OutboundEnd
from records import RecordRefused
from responses import described, expect_announced_length

NEVER_FORWARDED = (PROTOCOL_ERROR, REFUSED_STREAM)


@dataclass(eq=False)
class OutboundExchange:
    """`result` is what outbound.py prints, once it is known."""

    method: str
    stream: Stream
    head: ResponseHead | None = None
    pieces: list[bytes] = field(default_factory=list)
    result: dict | None = None

    def released(self) -> dict | None:
        """What the client has received so far. What would make the body complete waits for END_STREAM."""
        if self.head is None:
            return None
        octets = b''.join(self.pieces)
        lengths = [int(length) for length in content_lengths(self.head.fields)]
        is_withheld = bool(lengths) and len(octets) >= lengths[0]
        return described(self.head, [octets[: max(lengths[0] - 1, 0)] if is_withheld else octets])


class OutboundStreams:
    def __init__(self, end: OutboundEnd) -> None:
        self._end = end
        self._waiting: list[OutboundExchange] = []
        # Those whose result is known, in this order.
        self.finished: list[OutboundExchange] = []

    def request(self, head: RequestHead, body: bytes) -> OutboundExchange:
        """Raises HeadRefused: a head that breaks a rule never becomes a stream."""
        exchange = OutboundExchange(head.method, self._end.request(encode_request_head(head), body))
        self._waiting.append(exchange)
        if self._end.last_stream is not None:
            self._give_up_above(self._end.last_stream)
        return exchange

    def cancel(self, exchange: OutboundExchange, code: int) -> None:
        self._end.reset(exchange.stream, code)
        self._finish(exchange, {'cancelled': True, 'forwarded': 'maybe'})

    def take(self, frame: Frame) -> None:
        if frame.kind == GOAWAY:
            return self._give_up_above(frame.number)
        exchange = self._exchange_of(frame.stream)
        if exchange is None:
            return
        if frame.kind == RST_STREAM:
            return self._finish(exchange, self._result_of_reset(exchange, frame.number))
        try:
            self._take_response(exchange, frame)
        except (HeadRefused, RecordRefused) as error:
            self._end.reset(exchange.stream, PROTOCOL_ERROR)
            result = {'refused': str(error), 'released': exchange.released(), 'forwarded': 'maybe'}
            self._finish(exchange, result)

    def channel_broke(self) -> None:
        """A request whose HEADERS never got into a record was never sent."""
        for exchange in list(self._waiting):
            word = 'no' if exchange.stream.number == 0 else 'maybe'
            result = {'broken': True, 'released': exchange.released(), 'forwarded': word}
            self._finish(exchange, result)

    def _take_response(self, exchange: OutboundExchange, frame: Frame) -> None:
        if frame.kind == HEADERS:
            exchange.head = decode_response_head(frame.payload)
        elif frame.kind == DATA:
            exchange.pieces.append(frame.payload)
            self._end.consumed(exchange.stream, len(frame.payload))
        if frame.ends_stream:
            expect_announced_length(exchange.method, exchange.head, exchange.pieces)
            self._finish(exchange, {'answer': described(exchange.head, exchange.pieces)})

    def _result_of_reset(self, exchange: OutboundExchange, code: int) -> dict:
        is_proof = code in NEVER_FORWARDED and exchange.head is None
        word = 'no' if is_proof else 'maybe'
        return {'reset': code, 'released': exchange.released(), 'forwarded': word}

    def _give_up_above(self, last_stream: int) -> None:
        """What has no number yet does not get one in this channel."""
        for exchange in list(self._waiting):
            if exchange.stream.number == 0 or exchange.stream.number > last_stream:
                self._finish(exchange, {'goneAway': True, 'forwarded': 'no'})

    def _exchange_of(self, number: int) -> OutboundExchange | None:
        return next((each for each in self._waiting if each.stream.number == number), None)

    def _finish(self, exchange: OutboundExchange, result: dict) -> None:
        exchange.result = result
        self._waiting.remove(exchange)
        self.finished.append(exchange)
