"""Self-tests of WebSockets: RFC 6455 and docs/protocol.md, section 11.1."""

from email.message import Message

from channel_error import ChannelError
from known_answers import expect, expect_refusal, octets
from websocket_frames import BINARY, PING, TEXT, ZERO_MASK, WebSocketFrame, encode_frame, fragments
from websocket_handshake import accept_value, is_request, request_head
from websocket_messages import MessageDecoder

MAX_BYTES = 70000


def decoded(octets: bytes, are_masked: bool = False, step: int = 0) -> list[tuple[int, bytes]]:
    decoder = MessageDecoder(are_masked, MAX_BYTES)
    parts = [octets[i : i + step] for i in range(0, len(octets), step)] if step else [octets]
    return [(each.opcode, each.payload) for part in parts for each in decoder.feed(part)]


def the_examples_of_rfc_6455_are_decoded() -> None:
    expect(accept_value('dGhlIHNhbXBsZSBub25jZQ=='), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
    hello = [(TEXT, b'Hello')]
    expect(decoded(octets('810548656c6c6f')), hello)
    expect(decoded(octets('818537fa213d7f9f4d5158'), are_masked=True), hello)
    expect(decoded(octets('010348656c80026c6f')), hello)
    expect(decoded(octets('890548656c6c6f')), [(PING, b'Hello')])
    expect(encode_frame(WebSocketFrame(True, TEXT, b'Hello'), octets('37fa213d')).hex(), '818537fa213d7f9f4d5158')


def a_message_is_the_same_however_it_was_masked_and_cut() -> None:
    for size in (0, 1, 125, 126, 65535, 65536, 69662):
        payload = (bytes(range(256)) * 273)[:size]
        for mask in (ZERO_MASK, b'\1\2\3\4', None):
            encoded = encode_frame(WebSocketFrame(True, BINARY, payload), mask)
            for step in (0, 1 if size < 200 else 4093):
                expect(decoded(encoded, mask is not None, step), [(BINARY, payload)])


def a_message_is_the_same_in_fragments() -> None:
    for payload, most, count in ((b'', 1, 1), (b'abc', 3, 1), (b'abcd', 3, 2), (b'abcdef', 1, 6)):
        frames = fragments(BINARY, payload, most)
        expect(len(frames), count)
        expect(decoded(b''.join(encode_frame(frame, None) for frame in frames)), [(BINARY, payload)])


def a_control_frame_may_stand_between_fragments() -> None:
    message = octets('020161 890170 000162 800163')
    expect(decoded(message), [(PING, b'p'), (BINARY, b'abc')])


def a_frame_that_a_peer_must_not_send_ends_the_websocket() -> None:
    refused = {
        'a reserved bit': 'c20161',
        'an unknown opcode': '830161',
        'a masked frame of a server': '8281000000 0061',
        'a fragment of nothing': '800161',
        'a new message within another': '020161 820162',
        'a fragmented control frame': '090161',
        'a long control frame': '897e007e',
        'a long form of a short size': '827e0005',
        'a very long form of a short size': '827f000000000000ffff',
    }
    for text in refused.values():
        expect_refusal(ChannelError, lambda: decoded(octets(text)))
    expect_refusal(ChannelError, lambda: decoded(octets('820161'), are_masked=True))


def a_message_that_is_too_large_is_refused_by_its_size_alone() -> None:
    fragments = octets('027ef000') + bytes(0xF000) + octets('007ef000')
    for large in (octets('827f0000000000011171'), fragments + bytes(0xF000)):
        try:
            decoded(large)
        except ChannelError as error:
            expect(error.close_code, 1009)
        else:
            raise AssertionError('the message was accepted')


def handshake(**changed: str | None) -> bool:
    lines = request_head('b.example', 'AQIDBAUGBwgJCgsMDQ4PEA==', []).decode().split('\r\n')
    headers = Message()
    method, path, version = lines[0].split(' ')
    for line in lines[1:-2]:
        name, value = line.split(': ', 1)
        replacement = changed.get(name.replace('-', '_'), value)
        if replacement is not None:
            headers[name] = replacement
    if 'sec_websocket_extensions' in changed:
        headers['sec-websocket-extensions'] = changed['sec_websocket_extensions']
    return is_request(changed.get('method', method), changed.get('path', path), version, headers)


def only_the_handshake_of_a_channel_is_one() -> None:
    expect(handshake(), True)
    expect(handshake(connection='keep-alive, UPGRADE', upgrade='WebSocket'), True)
    for changed in (
        {'method': 'POST'},
        {'path': '/api/mte-tunnel'},
        {'connection': 'keep-alive'},
        {'upgrade': 'h2c'},
        {'sec_websocket_version': '8'},
        {'sec_websocket_key': 'AQID'},
        {'sec_websocket_key': None},
        {'sec_websocket_protocol': 'mte-relay.2'},
        {'sec_websocket_protocol': None},
        {'sec_websocket_extensions': 'permessage-deflate'},
    ):
        expect((changed, handshake(**changed)), (changed, False))


TESTS = [
    the_examples_of_rfc_6455_are_decoded,
    a_message_is_the_same_however_it_was_masked_and_cut,
    a_message_is_the_same_in_fragments,
    a_control_frame_may_stand_between_fragments,
    a_frame_that_a_peer_must_not_send_ends_the_websocket,
    a_message_that_is_too_large_is_refused_by_its_size_alone,
    only_the_handshake_of_a_channel_is_one,
]
