"""Self-tests of streams, between two ends without sockets: docs/protocol.md, sections 11.3 to 11.7."""

from channel_error import ChannelError
from channel_frames import (
    CANCEL,
    DATA,
    HEADERS,
    PING,
    REFUSED_STREAM,
    WINDOW_UPDATE,
    Frame,
    decode_frames,
    encode_frame,
    number_frame,
)
from channel_records import RECORDS_PER_KEY, ChannelOpener, next_key
from channel_settings import MIN_INITIAL_WINDOW, Settings
from head import RequestHead, ResponseHead, encode_response_head
from inbound_end import InboundEnd
from inbound_streams import InboundRequest, InboundStreams
from known_answers import expect, expect_refusal
from outbound_end import OutboundEnd
from outbound_streams import OutboundExchange, OutboundStreams

K_REQ, K_RES = bytes(32), bytes([1] * 32)
LARGE = bytes(range(251)) * 270


class Pair:
    """A and B, and every frame that passed. `requests` are those that B may answer; /paused is not taken."""

    def __init__(self, max_streams: int = 256) -> None:
        self.a = OutboundEnd(K_REQ, K_RES, Settings(MIN_INITIAL_WINDOW))
        self.b = InboundEnd(K_REQ, K_RES, Settings(MIN_INITIAL_WINDOW, max_streams))
        self.requests: list[InboundRequest] = []
        self.paused: list[InboundRequest] = []
        self.client = OutboundStreams(self.a)
        self.server = InboundStreams(self.b, self._begin, self.requests.append)
        self._from = {
            self.a: (ChannelOpener(K_REQ), self.b, self.server),
            self.b: (ChannelOpener(K_RES), self.a, self.client),
        }
        self.pass_all()

    def _begin(self, request: InboundRequest) -> None:
        request.is_paused = request.head.path == '/paused'
        if request.is_paused:
            self.paused.append(request)

    def request(self, path: str, body: bytes = b'') -> OutboundExchange:
        method = 'POST' if body else 'GET'
        return self.client.request(RequestHead(method, 'http', '', path, []), body)

    def answer(self, request: InboundRequest) -> None:
        head = encode_response_head(ResponseHead(200, []))
        self.b.respond(request.stream, head, bytes(request.body))

    def pass_one(self, sender: OutboundEnd | InboundEnd) -> list[Frame] | None:
        """Passes one record on. Returns its frames, or None if there is none."""
        record = sender.next_record()
        if record is None:
            return None
        opener, receiver, streams = self._from[sender]
        is_first = opener.next == 0
        content, _ = opener.open(record)
        for frame in receiver.receive(record):
            streams.take(frame)
        return [] if is_first else decode_frames(content, sender is self.a, is_conn=False)

    def pass_all(self) -> list[Frame]:
        frames, count = [], -1
        while len(frames) != count:
            count = len(frames)
            for sender in (self.a, self.b):
                while (passed := self.pass_one(sender)) is not None:
                    frames += passed
        return frames


def body_of(exchange: OutboundExchange) -> bytes:
    expect(exchange.result is not None and 'answer' in exchange.result, True)
    return b''.join(exchange.pieces)


def several_streams_at_once_are_answered_out_of_order() -> None:
    pair = Pair()
    bodies = [LARGE, b'', b'small', LARGE[7:], b'x' * MIN_INITIAL_WINDOW]
    exchanges = [pair.request(f'/{i}', body) for i, body in enumerate(bodies)]
    pair.pass_all()
    expect([request.stream.number for request in pair.requests[:3]], [3, 5, 9])
    for request in pair.requests:
        pair.answer(request)
    pair.pass_all()
    expect([body_of(exchange) for exchange in exchanges], bodies)
    expect((pair.a.streams, pair.b.streams), ({}, {}))


def a_small_request_is_one_record_and_does_not_wait_for_a_large_one() -> None:
    pair = Pair()
    pair.request('/paused', LARGE)
    pair.request('/small', b'abc')
    frames = pair.pass_one(pair.a)
    expect([(frame.stream, frame.kind) for frame in frames[:4]], [(1, HEADERS), (1, DATA), (3, HEADERS), (3, DATA)])
    expect((len(frames[1].payload), frames[3].ends_stream), (16384, True))


def what_the_consumer_does_not_take_is_not_granted() -> None:
    pair = Pair()
    exchange = pair.request('/paused', LARGE)
    frames = pair.pass_all()
    expect(sum(len(frame.payload) for frame in frames if frame.kind == DATA), MIN_INITIAL_WINDOW)
    expect([frame for frame in frames if frame.kind == WINDOW_UPDATE], [])
    small = pair.request('/other')
    pair.pass_all()
    pair.answer(pair.requests[0])
    pair.pass_all()
    expect((body_of(small), exchange.result), (b'', None))
    pair.server.resume(pair.paused[0])
    granted = [frame.number for frame in pair.pass_all() if frame.kind == WINDOW_UPDATE]
    expect(min(granted) >= MIN_INITIAL_WINDOW // 4, True)
    pair.answer(pair.requests[1])
    pair.pass_all()
    expect(body_of(exchange) == LARGE, True)


def a_sender_that_exceeds_its_window_ends_the_channel() -> None:
    pair = Pair()
    pair.request('/paused', LARGE)
    pair.pass_all()
    pair.a.streams[1].send_window += 1
    expect_refusal(ChannelError, pair.pass_all)


def a_stream_above_the_limit_waits_at_a_and_is_refused_at_b() -> None:
    pair = Pair(max_streams=2)
    exchanges = [pair.request(f'/{i}') for i in range(3)]
    pair.pass_all()
    expect([each.stream.number for each in exchanges], [1, 3, 0])
    pair.a.peer = Settings(MIN_INITIAL_WINDOW, 3)
    pair.pass_all()
    expect(exchanges[2].result, {'reset': REFUSED_STREAM, 'released': None, 'forwarded': 'no'})
    pair.answer(pair.requests[0])
    pair.pass_all()
    later = pair.request('/later')
    pair.pass_all()
    expect((later.stream.number, pair.requests[-1].head.path), (7, '/later'))


def a_cancelled_stream_is_forgotten_while_its_response_is_on_its_way() -> None:
    pair = Pair()
    exchange, other = pair.request('/cancelled', b'abc'), pair.request('/other')
    pair.pass_all()
    for request in pair.requests:
        pair.answer(request)
    pair.client.cancel(exchange, CANCEL)
    while pair.pass_one(pair.b) is not None:
        pass
    pair.pass_all()
    expect((exchange.head, body_of(other), pair.b.streams), (None, b'', {}))


def a_request_that_was_given_up_before_it_was_sent_never_had_a_number() -> None:
    pair = Pair()
    pair.client.cancel(pair.request('/never'), CANCEL)
    exchange = pair.request('/first')
    pair.pass_all()
    expect((exchange.stream.number, len(pair.requests)), (1, 1))


def what_is_above_the_last_stream_was_not_forwarded() -> None:
    pair = Pair(max_streams=2)
    below = pair.request('/below')
    pair.pass_all()
    pair.b.go_away()
    above, unsent = pair.request('/above'), pair.request('/unsent')
    pair.pass_one(pair.a)
    pair.pass_all()
    late = pair.request('/late')
    pair.answer(pair.requests[0])
    pair.pass_all()
    expect([request.head.path for request in pair.requests], ['/below'])
    expect(body_of(below), b'')
    for exchange, number in ((above, 3), (unsent, 0), (late, 0)):
        expect(exchange.result, {'goneAway': True, 'forwarded': 'no'})
        expect(exchange.stream.number, number)


def only_what_never_entered_a_record_is_unsent_when_a_channel_breaks() -> None:
    pair = Pair(max_streams=1)
    sent, unsent = pair.request('/sent'), pair.request('/unsent')
    pair.pass_all()
    pair.client.channel_broke()
    expect((sent.result['forwarded'], unsent.result['forwarded']), ('maybe', 'no'))


def the_last_octets_wait_for_the_end_of_the_stream() -> None:
    pair = Pair()
    exchange = pair.request('/')
    pair.pass_all()
    head = encode_response_head(ResponseHead(200, [('content-length', '3')]))
    stream = pair.requests[0].stream
    stream.head, stream.body = head, bytearray(b'abc')
    pair.b.outbox.add(stream)
    pair.pass_all()
    expect(exchange.result, None)
    pair.client.channel_broke()
    expect(exchange.result['released']['body'], 'YWI=')


def both_directions_end_in_an_orderly_way_once_no_stream_is_left() -> None:
    pair = Pair()
    exchange = pair.request('/')
    pair.a.finish()
    pair.pass_all()
    expect((pair.a.outbox.has_sent_last, pair.b.has_received_last), (False, False))
    pair.answer(pair.requests[0])
    pair.pass_all()
    expect((body_of(exchange), pair.a.is_finished, pair.b.is_finished), (b'', True, True))


def a_ping_is_answered_once_and_first() -> None:
    pair = Pair()
    pair.request('/')
    pair.pass_one(pair.a)
    pair.answer(pair.requests[0])
    pair.a.ping(b'12345678')
    expect(pair.pass_one(pair.a), [Frame(PING, 0, 0, b'12345678')])
    frames = pair.pass_one(pair.b)
    expect((frames[0].kind, frames[0].payload, frames[1].kind), (PING, b'12345678', HEADERS))
    expect(pair.a.ping_was_answered, True)


def a_channel_that_goes_on_with_its_next_key_takes_no_new_stream() -> None:
    pair = Pair()
    first = pair.request('/first')
    pair.pass_all()
    pair.a._sealer._sealer.next = pair.b._opener.next = RECORDS_PER_KEY
    pair._from[pair.a][0].next = RECORDS_PER_KEY
    pair.a.ping(b'12345678')
    later = pair.request('/later')
    pair.pass_all()
    pair.answer(pair.requests[0])
    pair.pass_all()
    expect((body_of(first), pair.a.last_stream, later.stream.number), (b'', 1, 0))


def the_key_that_follows_another_is_the_known_one() -> None:
    known = '1bf4e053a223f69a3667c44efd2289bd6f110e13276131c1624a3a37d2b6d9d2'
    expect(next_key(bytes(range(32))).hex(), known)


def malformed_frames_end_the_channel() -> None:
    for content in (b'\0', b'abc', encode_frame(Frame(2, 0, 1, b'a')), encode_frame(number_frame(WINDOW_UPDATE, 1, 0))):
        pair = Pair()
        pair.request('/paused', b'a')
        pair.pass_all()
        expect_refusal(ChannelError, lambda: [*pair.b.receive(pair.a.seal_unchecked(content))])


TESTS = [
    several_streams_at_once_are_answered_out_of_order,
    a_small_request_is_one_record_and_does_not_wait_for_a_large_one,
    what_the_consumer_does_not_take_is_not_granted,
    a_sender_that_exceeds_its_window_ends_the_channel,
    a_stream_above_the_limit_waits_at_a_and_is_refused_at_b,
    a_cancelled_stream_is_forgotten_while_its_response_is_on_its_way,
    a_request_that_was_given_up_before_it_was_sent_never_had_a_number,
    what_is_above_the_last_stream_was_not_forwarded,
    only_what_never_entered_a_record_is_unsent_when_a_channel_breaks,
    the_last_octets_wait_for_the_end_of_the_stream,
    both_directions_end_in_an_orderly_way_once_no_stream_is_left,
    a_ping_is_answered_once_and_first,
    a_channel_that_goes_on_with_its_next_key_takes_no_new_stream,
    the_key_that_follows_another_is_the_known_one,
    malformed_frames_end_the_channel,
]
