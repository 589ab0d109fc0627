"""Self-tests against the known answers of channels: docs/protocol.md, section 11; test/vectors/channel-1.json."""

from collections.abc import Iterator
from hashlib import sha256

from channel_error import ChannelError
from channel_frames import HEADERS, PROTOCOL_ERROR, RST_STREAM, Frame, decode_frames
from channel_records import ChannelOpener, ChannelSealer
from channel_settings import Settings
from inbound_end import InboundEnd
from inbound_streams import InboundStreams
from inbound_upgrade import InboundUpgrade, Upgrades
from known_answers import CHANNEL, expect, expect_refusal, octets, repeated_octets
from outbound_end import OutboundEnd
from records import Sealer, request_key, response_key
from relay_headers import decode_opening_header, decode_tunnel_header

KINDS = {'chan': CHANNEL, 'conn': CHANNEL['conn']}


def keys_of(kind: str) -> tuple[bytes, bytes]:
    values = KINDS[kind]
    request_header, response_header = values['request_x_mte_relay'], values['response_x_mte_relay']
    return (
        request_key(octets(CHANNEL['k_c2s']), request_header),
        response_key(octets(CHANNEL['k_s2c']), request_header, response_header),
    )


def every_value_of_x_mte_relay_of_an_opening_is_accepted_or_refused_as_known() -> None:
    for value in CHANNEL['relay_values']['valid']:
        expect((value, decode_opening_header(value) is not None), (value, True))
        expect((value, decode_tunnel_header(value)), (value, None))
    for value in CHANNEL['relay_values']['invalid_here']:
        expect((value, decode_opening_header(value)), (value, None))


def every_record_of_a_channel_can_be_sealed_and_opened() -> None:
    for kind, values in KINDS.items():
        k_req, k_res = keys_of(kind)
        expect((k_req.hex(), k_res.hex()), (values['k_req'], values['k_res']))
        for name, key in (('from_a', k_req), ('from_b', k_res)):
            opener, sealer = ChannelOpener(key), ChannelSealer(key)
            for known in values[name]:
                record = sealed(key, known['plaintext'], known['index'], known['last'])
                expect_record(record, known)
                content, last = opener.open(record)
                expect(last, known['last'])
                expect_record(sealed_again(sealer, content, known, kind, name), known)


def expect_record(record: bytes, known: dict) -> None:
    if 'record' in known:
        return expect(record.hex(), known['record'])
    expect((len(record), sha256(record).hexdigest()), (known['record_length'], known['record_sha256']))


def sealed_again(sealer: ChannelSealer, content: bytes, known: dict, kind: str, name: str) -> bytes:
    """As this implementation pads."""
    if known['index'] == 0:
        return sealer.settings(content)
    frames = decode_frames(content, name == 'from_a', kind == 'conn')
    has_head = any(frame.kind == HEADERS for frame in frames)
    return sealer.frames(content, has_head, known['last'])


def sealed(key: bytes, plaintext: str, index: int, last: bool) -> bytes:
    sealer = Sealer(key)
    sealer.next = index
    return sealer.record(repeated_octets(plaintext), last)


class Api:
    """B with an API that answers nothing and takes every body but that of /hold."""

    def __init__(self, kind: str) -> None:
        k_req, k_res = keys_of(kind)
        settings = Settings(max_streams=1 if kind == 'conn' else 256)
        self._key = k_req
        self.end = InboundEnd(k_req, k_res, settings, kind == 'conn')
        self.paths: list[str] = []
        if kind == 'conn':
            self._streams = InboundUpgrade(self.end, Upgrades(), lambda head, _: self.paths.append(head.path))
        else:
            self._streams = InboundStreams(self.end, self._begin, lambda request: None)
        self._sent = ChannelOpener(k_res)
        self.sent()

    def _begin(self, request) -> None:
        self.paths.append(request.head.path)
        request.is_paused = request.head.path == '/hold'

    def receive(self, record: str | dict) -> None:
        for frame in self.end.receive(message_of(self._key, record)):
            self._streams.take(frame)

    def sent(self) -> list[Frame]:
        return list(frames_sent(self.end, self._sent))


def message_of(key: bytes, record: str | dict) -> bytes:
    if isinstance(record, str):
        return repeated_octets(record)
    return sealed(key, record['seal'], record['index'], record['last'])


def frames_sent(end: InboundEnd, opener: ChannelOpener) -> Iterator[Frame]:
    while (record := end.next_record()) is not None:
        is_first = opener.next == 0
        content, _ = opener.open(record)
        if not is_first:
            yield from decode_frames(content, is_from_a=False, is_conn=False)


def opened_initiator(with_streams: list[str]) -> OutboundEnd:
    """A before its first record of B, with requests that wait for it."""
    k_req, k_res = keys_of('chan')
    end = OutboundEnd(k_req, k_res, Settings())
    end.next_record()
    end.peer = Settings(max_streams=256)
    for name in with_streams:
        end.request(octets(CHANNEL['heads'][name]), b'', ends=name == 'get')
    while end.next_record() is not None:
        pass
    end.peer = None
    return end


def what_must_break_a_channel_breaks_it_and_what_must_end_a_stream_ends_it() -> None:
    expect(len(CHANNEL['negative']) >= 72, True)
    for known in CHANNEL['negative']:
        receive, api = receiver_of(known)
        for message in known['before']:
            receive(message)
        try:
            receive(known['record'])
            resets = [frame for frame in api.sent() if frame.kind == RST_STREAM] if api else []
            outcome = [(frame.stream, frame.number) for frame in resets]
        except ChannelError:
            outcome = 'channel error'
        is_reset = known['outcome'] == 'RST_STREAM PROTOCOL_ERROR on stream 1'
        expected = [(1, PROTOCOL_ERROR)] if is_reset else 'channel error'
        expect((known['rule'], outcome), (known['rule'], expected))


def receiver_of(known: dict):
    if known['to'] == 'B':
        api = Api(known['kind'])
        return api.receive, api
    end = opened_initiator(['get', 'post'])
    key = keys_of(known['kind'])[1]
    return lambda record: [*end.receive(message_of(key, record))], None


def what_must_not_break_a_channel_does_not() -> None:
    expect(len(CHANNEL['positive']) >= 11, True)
    for known in CHANNEL['positive']:
        api = Api(known['kind'])
        for record in known['records']:
            api.receive(record)
            api.sent()
        expect((known['rule'], api.paths), (known['rule'], known['expect']))


def the_known_directions_are_accepted_as_a_whole() -> None:
    for kind, paths in (
        ('chan', ['/things?q=1', '/things', '/five', '/seven', '/longest', '/eleven']),
        ('conn', ['/chat']),
    ):
        api = Api(kind)
        key = keys_of(kind)[0]
        for known in KINDS[kind]['from_a']:
            api.receive(sealed(key, known['plaintext'], known['index'], known['last']).hex())
            api.sent()
        expect((api.paths, api.end.has_received_last), (paths, True))
    end = opened_initiator(['get'] + ['post'] * 5)
    third = end.streams[3]
    for known in CHANNEL['from_b']:
        if known['last']:
            end.finish()
            end.next_record()
        [*end.receive(octets(known['record']))]
        if third.has_received_end and not third.ends:
            third.ends = True
            end.outbox.add(third)
            end.next_record()
    expect((end.is_finished, end.streams, end.last_stream), (True, {}, 3))


def a_record_is_accepted_only_once_and_only_in_its_place() -> None:
    key = keys_of('chan')[0]
    records = [octets(known['record']) for known in CHANNEL['from_a'][:3]]
    for order in ([1], [0, 0], [0, 2], [0, 1, 1], [0, 1, 0]):
        opener = ChannelOpener(key)
        for i in order[:-1]:
            opener.open(records[i])
        expect_refusal(ChannelError, lambda: opener.open(records[order[-1]]))
    for i in range(len(records[0])):
        changed = records[0][:i] + bytes([records[0][i] ^ 1]) + records[0][i + 1 :]
        expect_refusal(ChannelError, lambda: ChannelOpener(key).open(changed))


TESTS = [
    every_value_of_x_mte_relay_of_an_opening_is_accepted_or_refused_as_known,
    every_record_of_a_channel_can_be_sealed_and_opened,
    what_must_break_a_channel_breaks_it_and_what_must_end_a_stream_ends_it,
    what_must_not_break_a_channel_does_not,
    the_known_directions_are_accepted_as_a_whole,
    a_record_is_accepted_only_once_and_only_in_its_place,
]
