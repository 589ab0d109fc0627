"""
Runs one end of a channel over its WebSocket: docs/protocol.md, sections 11.2 and 11.5.

One thread reads and one writes. `changed` guards the end and everything that belongs to its streams.
"""

import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from socket import SHUT_RDWR, SHUT_WR, socket

from channel_end import ChannelEnd
from channel_error import POLICY_VIOLATION, ChannelError
from channel_frames import Frame
from channel_records import MAX_MESSAGE_BYTES
from liveness import Liveness, Sign
from websocket_frames import BINARY, CLOSE, PING, PONG, encode_frame, fragments
from websocket_messages import MessageDecoder, WebSocketMessage, close_code

GOING_AWAY, ABNORMAL = 1001, 1006
OPENING_SECONDS, LAST_SECONDS, LINGER_SECONDS = 5, 10, 5
PINGS_PER_SECOND = 10
POLL_SECONDS = 0.25


@dataclass(frozen=True)
class Ending:
    """How a channel ended. Codes are those of RFC 6455; 1006 says that no Close came."""

    code: int
    by_peer: bool
    is_orderly: bool
    reason: str


class ChannelLink:
    """
    `take` receives each frame that took effect, under the lock. `make_mask` is None at a server. `fragment_bytes` cuts
    messages as an intermediary might.
    """

    def __init__(
        self,
        connection: socket,
        end: ChannelEnd,
        take: Callable[[Frame], None],
        make_mask: Callable[[], bytes] | None,
        fragment_bytes: int = MAX_MESSAGE_BYTES,
    ) -> None:
        self.end = end
        self.changed = threading.Condition()
        self.ending: Ending | None = None
        self._connection = connection
        self._take = take
        self._make_mask = make_mask
        self._fragment_bytes = fragment_bytes
        self._messages = MessageDecoder(make_mask is None, MAX_MESSAGE_BYTES)
        self._writing = threading.Lock()
        self._opened_at = time.monotonic()
        self.liveness = Liveness(self._opened_at)
        self._last_sent_at: float | None = None
        self._websocket_pings: deque[float] = deque(maxlen=PINGS_PER_SECOND)

    def run(self, early: bytes = b'') -> Ending:
        """Reads until the channel has ended, while another thread writes. `early` was read with the handshake."""
        self._connection.settimeout(None)
        threading.Thread(target=self._write, daemon=True).start()
        try:
            self._feed(early)
            while self.ending is None:
                self._read()
        except ChannelError as error:
            self._close(error.close_code, str(error))
        except OSError as error:
            self._ended(Ending(ABNORMAL, True, False, str(error)))
        self._disconnect()
        return self.ending

    def send_raw(self, message: bytes, opcode: int = BINARY) -> None:
        """Sends a WebSocket message as it is, for tests of the peer."""
        self._send(opcode, message)

    def break_off(self) -> None:
        self._ended(Ending(ABNORMAL, False, False, 'broken off'))
        self._connection.shutdown(SHUT_RDWR)

    def _read(self) -> None:
        readable, _, _ = select.select([self._connection], [], [], POLL_SECONDS)
        if readable:
            octets = self._connection.recv(65536)
            if not octets:
                return self._ended(Ending(ABNORMAL, True, False, 'the connection ended'))
            self._feed(octets)
        self._look_at_the_clock(time.monotonic())

    def _feed(self, octets: bytes) -> None:
        for message in self._messages.feed(octets):
            if self.ending is not None:
                return
            self._receive(message)

    def _receive(self, message: WebSocketMessage) -> None:
        if message.opcode == BINARY:
            return self._receive_record(message.payload)
        if message.opcode == CLOSE:
            code = close_code(message.payload)
            self._ended(Ending(code, True, self.end.is_finished, 'Close of the peer'))
            self._send(CLOSE, message.payload[:2])
        elif message.opcode == PING:
            self._expect_few_pings()
            self._send(PONG, message.payload)
        elif message.opcode != PONG:
            raise ChannelError('a text message')

    def _receive_record(self, message: bytes) -> None:
        with self.changed:
            for frame in self.end.receive(message):
                self._take(frame)
            self.liveness.received(time.monotonic())
            if self.end.ping_was_answered:
                self.liveness.answered()
            self.changed.notify_all()
            is_finished = self.end.is_finished
        if is_finished:
            self._close(GOING_AWAY, 'both directions have ended')

    def _expect_few_pings(self) -> None:
        now, pings = time.monotonic(), self._websocket_pings
        if len(pings) == PINGS_PER_SECOND and now - pings[0] < 1:
            raise ChannelError('too many pings', POLICY_VIOLATION)
        pings.append(now)

    def _look_at_the_clock(self, now: float) -> None:
        if self.end.peer is None and now > self._opened_at + OPENING_SECONDS:
            raise ChannelError('no record came')
        if self._last_sent_at is not None and now > self._last_sent_at + LAST_SECONDS:
            return self._close(GOING_AWAY, 'the last record was not answered')
        with self.changed:
            sign = self.liveness.due(now)
            if sign is Sign.PING:
                self.end.ping(os.urandom(8))
                self.liveness.made_ping(now)
                self.changed.notify_all()
        if sign is Sign.BROKEN:
            self._ended(Ending(ABNORMAL, False, False, 'the peer is silent'))

    def _write(self) -> None:
        try:
            while (record := self._next_record()) is not None:
                self._send(BINARY, record)
                now = time.monotonic()
                self.liveness.ping_left(now)
                if self.end.outbox.has_sent_last:
                    self._last_sent_at = now
                if self.end.is_finished:
                    self._close(GOING_AWAY, 'both directions have ended')
        except OSError:
            pass  # The reading thread notices as well, once it has read what came before.

    def _next_record(self) -> bytes | None:
        with self.changed:
            while self.ending is None:
                record = self.end.next_record()
                if record is not None:
                    return record
                self.changed.wait()
        return None

    def _send(self, opcode: int, payload: bytes) -> None:
        with self._writing:
            for frame in fragments(opcode, payload, self._fragment_bytes):
                mask = None if self._make_mask is None else self._make_mask()
                self._connection.sendall(encode_frame(frame, mask))

    def _close(self, code: int, reason: str) -> None:
        """Sends Close and nothing else."""
        if self._ended(Ending(code, False, self.end.is_finished, reason)):
            try:
                self._send(CLOSE, code.to_bytes(2, 'big'))
            except OSError:
                pass

    def _ended(self, ending: Ending) -> bool:
        """Returns whether the channel was open until now."""
        with self.changed:
            if self.ending is not None:
                return False
            self.ending = ending
            self.changed.notify_all()
            return True

    def _disconnect(self) -> None:
        """Closing a socket with octets still unread would discard the Close that was sent."""
        try:
            self._connection.shutdown(SHUT_WR)
            self._connection.settimeout(LINGER_SECONDS)
            end = time.monotonic() + LINGER_SECONDS
            while time.monotonic() < end and self._connection.recv(65536):
                pass
        except OSError:
            pass
        self._connection.close()
