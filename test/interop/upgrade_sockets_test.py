"""Self-tests of upgraded connections between the two programs, over real sockets: docs/protocol.md, section 11.8."""

import base64
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from channel_sockets_test import Relays, relays
from inbound_upgrade import Upgrades
from known_answers import expect
from upgrade_faults import WRONG_HEADS
from upgrade_pipe import send_reset_on_close
from websocket_handshake import HEAD_END

# More than the window that B announces.
LARGE = bytes(range(251)) * 700
SECONDS = 20


class Api:
    """An API that grants upgrades, or does not, each as its path says."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._changed = threading.Condition()
        self.heads: list[bytes] = []
        self.ended: list[str] = []

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=[connection], daemon=True).start()

    def wait_for_request(self, path: str) -> None:
        self._wait(lambda: any(f' {path} '.encode() in head for head in self.heads))

    def wait_for_end(self, how: str) -> None:
        self._wait(lambda: how in self.ended)

    def _wait(self, is_there: Callable[[], bool]) -> None:
        with self._changed:
            expect(self._changed.wait_for(is_there, SECONDS), True)

    def _answer(self, connection: socket.socket) -> None:
        head = b''
        while HEAD_END not in head:
            head += connection.recv(1) or HEAD_END
        with self._changed:
            self.heads.append(head)
            self._changed.notify_all()
        path = head.split(b' ')[1].decode()
        how = 'ended'
        try:
            self._behave(path, connection)
        except ConnectionError:
            how = 'lost'
        connection.close()
        with self._changed:
            self.ended.append(f'{path} {how}')
            self._changed.notify_all()

    def _behave(self, path: str, connection: socket.socket) -> None:
        match path:
            case '/refuses':
                connection.sendall(b'HTTP/1.1 403 No\r\ncontent-length: 2\r\nx-why: so\r\n\r\nno')
            case '/hints':
                connection.sendall(b'HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 426 Other\r\n\r\nlater')
            case '/other':
                connection.sendall(switching('other'))
            case '/none':
                connection.sendall(b'HTTP/1.1 101 Switching Protocols\r\n\r\n')
            case '/greets':
                connection.sendall(switching('WebSocket') + b'hello')
            case '/resets':
                connection.sendall(switching('websocket'))
                connection.recv(1)
                send_reset_on_close(connection)
            case '/silent':
                if not connection.recv(1):
                    raise ConnectionAbortedError
            case '/counts':
                connection.sendall(switching('websocket'))
                count = sum(len(octets) for octets in iter(lambda: connection.recv(65536), b''))
                connection.sendall(str(count).encode())
            case _:
                connection.sendall(switching('websocket'))
                for octets in iter(lambda: connection.recv(65536), b''):
                    connection.sendall(octets)


def switching(protocol: str) -> bytes:
    fields = f'connection: Upgrade\r\nupgrade: {protocol}\r\nx-api: yes\r\ncontent-length: 0'
    return f'HTTP/1.1 101 Switching Protocols\r\n{fields}\r\n\r\n'.encode()


@contextmanager
def tunnel(most: int = 10) -> Iterator[tuple[Relays, Api]]:
    with socket.create_server(('127.0.0.1', 0)) as listener:
        api = Api(listener)
        threading.Thread(target=api.serve, daemon=True).start()
        origin = f'http://127.0.0.1:{listener.getsockname()[1]}'
        with relays(Upgrades(origin, ('websocket',), most)) as both:
            yield both, api
        listener.shutdown(socket.SHUT_RDWR)


def ask(both: Relays, path: str, *upgrade: str, **more) -> dict:
    fields = [('upgrade', value) for value in upgrade or ['websocket']]
    return both.do(do='upgrade', method='GET', path=path, fields=fields, **more)


def push(both: Relays, octets: bytes, ends: bool = False) -> None:
    both.do(do='push', pieces=[base64.b64encode(octets).decode()], ends=ends)


def pull(both: Relays, count: int) -> tuple[bytes, bool]:
    result = both.do(do='pull', octets=count)
    return base64.b64decode(result['octets']), result['ended']


def an_upgraded_connection_carries_octets_both_ways_and_each_end() -> None:
    with tunnel() as (both, api):
        asked = both.do(
            do='upgrade',
            method='GET',
            path='/echo',
            fields=[
                ('x-mte-client-address', '127.0.0.1'),
                ('x-mte-client', 'billing'),
                ('upgrade', 'WebSocket'),
            ],
        )
        expect(asked, {'switched': {'status': 101, 'fields': [('x-api', 'yes'), ('upgrade', 'websocket')]}})
        expect(b'upgrade: WebSocket\r\n' in api.heads[0] and b'connection: upgrade\r\n' in api.heads[0], True)
        expect(b'x-mte' in api.heads[0] or b'content-length' in api.heads[0], False)
        push(both, b'hello')
        expect(pull(both, 5), (b'hello', False))
        push(both, LARGE, ends=True)
        received = b''
        while not (part := pull(both, 100_000))[1]:
            received += part[0]
        expect(received + part[0] == LARGE, True)
        expect(both.do(do='end')['orderly'], True)
        api.wait_for_end('/echo ended')


def a_short_body_is_asked_with_and_nothing_more() -> None:
    with tunnel() as (both, api):
        upgrade = {'do': 'upgrade', 'method': 'POST', 'path': '/echo', 'pieces': ['YWJj']}
        stating = lambda length: [('content-length', length), ('upgrade', 'websocket')]
        expect('switched' in both.do(**upgrade, fields=stating('3')), True)
        expect(api.heads[0].count(b'content-length: 3\r\n'), 1)
        push(both, b'd', ends=True)
        expect(pull(both, 5), (b'abcd', True))
        expect(both.do(**upgrade, fields=stating('2')), {'reset': 1, 'forwarded': 'no'})
        expect(both.do(**upgrade, fields=stating('4'), waits=False), {'asked': True})
        push(both, b'', ends=True)
        expect(both.do(do='outcome'), {'reset': 1, 'forwarded': 'no'})
        expect(len(api.heads), 1)


def the_end_of_one_direction_leaves_the_other() -> None:
    with tunnel() as (both, api):
        ask(both, '/counts')
        push(both, LARGE, ends=True)
        expect(pull(both, 100), (str(len(LARGE)).encode(), True))
        ask(both, '/greets')
        expect(pull(both, 100), (b'hello', True))
        push(both, b'', ends=True)
        expect(both.do(do='end')['orderly'], True)


def an_api_that_does_not_switch_answers_as_ever() -> None:
    with tunnel() as (both, _):
        answer = ask(both, '/refuses')['answer']
        expect((answer['status'], base64.b64decode(answer['body'])), (403, b'no'))
        expect(('x-why', 'so') in answer['fields'], True)
        expect(both.do(do='end')['orderly'], True)
        answer = ask(both, '/hints')['answer']
        expect((answer['status'], base64.b64decode(answer['body'])), (426, b'later'))


def another_protocol_than_asked_is_an_inner_error() -> None:
    with tunnel() as (both, api):
        for path in ('/other', '/none'):
            expect(ask(both, path)['answer']['status'], 502)
        expect(ask(both, '/echo', 'irc')['answer']['status'], 501)
        expect(len(api.heads), 2)
    with relays() as both:
        expect(ask(both, '/echo')['answer']['status'], 502)


def a_lost_socket_is_a_reset() -> None:
    with tunnel() as (both, api):
        ask(both, '/resets')
        push(both, b'a')
        expect(both.do(do='pull', octets=1)['result'], {'reset': 2})
        expect(both.do(do='end')['orderly'], True)
        ask(both, '/echo')
        both.do(do='reset')
        expect(both.do(do='end')['orderly'], True)
        api.wait_for_end('/echo lost')


def a_response_that_breaks_a_rule_is_refused() -> None:
    with tunnel() as (both, _):
        for name in WRONG_HEADS:
            result = ask(both, f'/wrong/{name}')
            expect((name, 'refused' in result, result.get('forwarded')), (name, True, 'maybe'))
            expect(both.do(do='end')['orderly'], True)


def only_a_proof_says_that_a_request_was_not_forwarded() -> None:
    with tunnel() as (both, _):
        for code, word in ((1, 'no'), (2, 'maybe'), (7, 'no'), (8, 'maybe')):
            expect(ask(both, f'/reset/{code}'), {'reset': code, 'forwarded': word})
        expect(ask(both, '/unheard'), {'broken': True, 'forwarded': 'maybe'})


def a_broken_channel_is_a_reset_of_both_sockets() -> None:
    with tunnel() as (both, api):
        ask(both, '/echo')
        both.do(do='break', content='AAAA')
        expect(both.do(do='pull', octets=1)['result'], {'broken': True})
        api.wait_for_end('/echo lost')


def there_is_no_data_before_the_101() -> None:
    with tunnel() as (both, api):
        for octets, ends in ((b'early', False), (b'', True)):
            expect(ask(both, '/silent', waits=False), {'asked': True})
            api.wait_for_request('/silent')
            push(both, octets, ends)
            expect(both.do(do='outcome'), {'reset': 2, 'forwarded': 'maybe'})
            expect(both.do(do='end')['orderly'], True)
            api.wait_for_end('/silent lost')
            api.heads.clear()
            api.ended.clear()


def a_head_that_breaks_a_rule_never_becomes_a_stream_and_is_refused_if_it_does() -> None:
    with tunnel() as (both, api):
        for upgrade in (['websocket, h2c'], ['websocket', 'websocket'], ['']):
            expect(ask(both, '/echo', *upgrade)['forwarded'], 'no')
            expect(ask(both, '/echo', *upgrade, unchecked=True), {'reset': 1, 'forwarded': 'no'})
        missing = {'do': 'upgrade', 'method': 'GET', 'path': '/echo', 'fields': []}
        expect(both.do(**missing, unchecked=True), {'reset': 1, 'forwarded': 'no'})
        expect(api.heads, [])


def an_opening_is_tried_again_only_after_some_errors() -> None:
    with tunnel(most=1) as (both, _):
        for faults in ({'seq': 1}, {'age': 99999}):
            expect('switched' in ask(both, '/echo', **faults), True)
            both.do(do='reset')
            both.do(do='end')
        both.server.store.forget()
        expect('switched' in ask(both, '/echo'), True)
        refused = ask(both, '/echo')
        expect((refused['error']['status'], refused['forwarded']), (564, 'no'))
        expect('unsupported' in refused, False)


TESTS = [
    an_upgraded_connection_carries_octets_both_ways_and_each_end,
    a_short_body_is_asked_with_and_nothing_more,
    the_end_of_one_direction_leaves_the_other,
    an_api_that_does_not_switch_answers_as_ever,
    another_protocol_than_asked_is_an_inner_error,
    a_lost_socket_is_a_reset,
    a_response_that_breaks_a_rule_is_refused,
    only_a_proof_says_that_a_request_was_not_forwarded,
    a_broken_channel_is_a_reset_of_both_sockets,
    there_is_no_data_before_the_101,
    a_head_that_breaks_a_rule_never_becomes_a_stream_and_is_refused_if_it_does,
    an_opening_is_tried_again_only_after_some_errors,
]
