"""Self-tests of channels between the two programs, over real sockets: docs/protocol.md, section 11."""

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

import inbound
import outbound
from channel_commands import OutboundChannels
from channel_outbound import OutboundChannel
from inbound_upgrade import Upgrades
from known_answers import expect
from upgrade_commands import OutboundUpgrades
from websocket_frames import PING, TEXT

SECRET = 'a secret of the self-tests, 40 octets.'
LARGE = bytes(range(251)) * 270


class Relays:
    """A and B in this process. B's events are kept instead of printed."""

    def __init__(self, server: inbound.Inbound) -> None:
        self.server = server
        origin = f'http://127.0.0.1:{server.server_address[1]}'
        self._outbound = outbound.Outbound(origin, SECRET, 'self-test')
        self._channels = OutboundChannels(self._outbound)
        self._upgrades = OutboundUpgrades(self._channels)
        expect('sid' in self.do(do='pair'), True)

    @property
    def channel(self) -> OutboundChannel:
        return self._channels._channel

    def do(self, **command) -> dict:
        return outbound.carry_out(self._outbound, self._channels, self._upgrades, command)


@contextmanager
def relays(upgrades: Upgrades = Upgrades()) -> Iterator[Relays]:
    report, inbound.report = inbound.report, lambda **event: None
    server = inbound.Inbound(SECRET, 'self-test-inbound', upgrades)
    threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    try:
        yield Relays(server)
    finally:
        server.shutdown()
        server.server_close()
        inbound.report = report


def request(method: str, path: str, body: bytes = b'') -> dict:
    return {'method': method, 'path': path, 'pieces': [base64.b64encode(body).decode()]}


def channels_carry_several_requests_at_once_with_any_masks() -> None:
    with relays() as both:
        for masks in ('random', 'zero'):
            opened = both.do(do='open', masks=masks, window=65536)
            expect((opened.get('opened'), opened.get('maxStreams')), (True, 256))
            result = both.do(
                do='together',
                requests=[
                    # This one is answered only once the last one has come.
                    request('POST', f'/held/{masks}', LARGE),
                    request('POST', '/small', b'abc'),
                    request('HEAD', '/seen'),
                    request('POST', f'/paused/{masks}', LARGE[1:]),
                    request('GET', '/empty'),
                    request('GET', '/announced/7'),
                    request('GET', f'/release/{masks}'),
                ],
            )
            held, small, seen, paused, empty, announced, _ = result['results']
            expect(digest(held), sha256(LARGE).hexdigest())
            expect(digest(paused), sha256(LARGE[1:]).hexdigest())
            expect(base64.b64decode(small['answer']['body']), b'abc')
            expect((seen['answer']['status'], seen['answer']['body']), (200, ''))
            expect(empty['answer']['status'], 204)
            expect(announced['forwarded'], 'maybe')
            ended = both.do(do='end')
            expect((ended['closed'], ended['orderly']), (1001, True))


def digest(result: dict) -> str:
    return sha256(base64.b64decode(result['answer']['body'])).hexdigest()


def a_replayed_opening_opens_nothing() -> None:
    with relays() as both:
        both.do(do='open')
        again = both.do(do='reopen')
        expect((again['error']['status'], again['error']['p']), (565, 1))
        expect(both.do(do='together', requests=[request('GET', '/empty')])['results'][0]['answer']['status'], 204)


def an_opening_is_repeated_under_a_new_number_or_session() -> None:
    with relays() as both:
        both.do(do='open')
        for faults, status in (({'seq': 1}, 565), ({'age': 99999}, 562)):
            result = both.do(do='open', **faults)
            expect((result['opened'], result['first']['status']), (True, status))
        both.server.store.forget()
        result = both.do(do='open')
        expect((result['opened'], result['first']['status']), (True, 560))


def a_peer_opens_no_more_channels_than_it_may() -> None:
    with relays() as both:
        for _ in range(16):
            expect(both.do(do='open')['opened'], True)
        refused = both.do(do='open')
        expect((refused['error']['status'], refused['error']['p']), (564, 0))
        expect(refused['againAfterSeconds'], 1)


def a_bad_record_breaks_the_channel_and_its_requests() -> None:
    ping = '0000080600000000000001020304050607'
    with relays() as both:
        for content, flip in (('000000', False), (ping, True), (ping + ping, False), ('00', False)):
            both.do(do='open')
            encoded = base64.b64encode(bytes.fromhex(content)).decode()
            ended = both.do(do='break', content=encoded, flip=flip)
            expect(ended, {'closed': 1002, 'byPeer': True, 'orderly': False})


def a_text_message_or_too_many_pings_end_the_channel() -> None:
    with relays() as both:
        for opcode, count, code in ((TEXT, 1, 1002), (PING, 11, 1008)):
            both.do(do='open')
            channel = both.channel
            for _ in range(count):
                channel.link.send_raw(b'', opcode)
            expect(channel.wait_for_end().code, code)


def a_request_whose_channel_broke_may_have_been_forwarded() -> None:
    with relays() as both:
        both.do(do='open')
        [result] = both.do(do='together', requests=[request('POST', '/unheard', b'a')])['results']
        expect((result['broken'], result['forwarded']), (True, 'maybe'))


TESTS = [
    channels_carry_several_requests_at_once_with_any_masks,
    a_replayed_opening_opens_nothing,
    an_opening_is_repeated_under_a_new_number_or_session,
    a_peer_opens_no_more_channels_than_it_may,
    a_bad_record_breaks_the_channel_and_its_requests,
    a_text_message_or_too_many_pings_end_the_channel,
    a_request_whose_channel_broke_may_have_been_forwarded,
]
