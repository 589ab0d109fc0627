"""Passes the octets of an upgraded connection between its stream and the API: docs/protocol.md, section 11.8."""

import select
import socket
import threading
from contextlib import suppress

from channel_end import ChannelEnd
from channel_frames import INTERNAL_ERROR
from channel_stream import Stream

BACKLOG_BYTES = 262_144
POLL_MS = 50


class UpgradePipe:
    """`changed` guards the stream. `put`, `end` and `lose` are called under it; `run` has a thread of its own."""

    def __init__(
        self, connection: socket.socket, end: ChannelEnd, stream: Stream, changed: threading.Condition
    ) -> None:
        self._socket = connection
        self._end = end
        self._stream = stream
        self._changed = changed
        self._received = bytearray()
        self._has_sent_fin = False
        self._is_lost = False
        self._woken, self._waking = socket.socketpair()
        self._waking.setblocking(False)

    def put(self, octets: bytes) -> None:
        """Takes octets of A, or nothing if A has sent END_STREAM."""
        self._received += octets
        self._wake()

    def lose(self) -> None:
        self._is_lost = True
        self._wake()

    def run(self) -> None:
        """Returns once both directions have ended, or one was lost."""
        self._socket.setblocking(False)
        try:
            while not self._is_over():
                self._wait()
                self._send()
                self._receive()
        except ConnectionError:
            with self._changed:
                self._end.reset(self._stream, INTERNAL_ERROR)
                self._is_lost = True
                self._changed.notify_all()
        if self._is_lost:
            send_reset_on_close(self._socket)
        for each in (self._socket, self._woken, self._waking):
            each.close()

    def _wake(self) -> None:
        with suppress(OSError):  # It is awake already, or has come to its end.
            self._waking.send(b'\0')

    def _is_over(self) -> bool:
        with self._changed:
            return self._is_lost or (self._stream.ends and self._has_sent_fin)

    def _wait(self) -> None:
        with self._changed:
            reads = not self._stream.ends and len(self._stream.body) < BACKLOG_BYTES
            is_full = not self._stream.ends and not reads
            events = (select.POLLIN if reads else 0) | (select.POLLOUT if self._received else 0)
        poll = select.poll()
        poll.register(self._socket, events)
        poll.register(self._woken, select.POLLIN)
        # Nothing wakes this when a record has taken from the backlog.
        ready = dict(poll.poll(POLL_MS if is_full else None))
        if self._woken.fileno() in ready:
            self._woken.recv(65536)
        if ready.get(self._socket.fileno(), 0) & select.POLLERR and not reads:
            raise ConnectionResetError

    def _send(self) -> None:
        with self._changed:
            octets = bytes(self._received)
            is_end = self._stream.has_received_end
        try:
            count = self._socket.send(octets) if octets else 0
        except BlockingIOError:
            return
        with self._changed:
            del self._received[:count]
            self._end.consumed(self._stream, count)
            self._changed.notify_all()
        if is_end and count == len(octets) and not self._has_sent_fin:
            self._socket.shutdown(socket.SHUT_WR)
            self._has_sent_fin = True

    def _receive(self) -> None:
        with self._changed:
            if self._stream.ends or len(self._stream.body) >= BACKLOG_BYTES:
                return
        try:
            octets = self._socket.recv(65536)
        except BlockingIOError:
            return
        with self._changed:
            self._stream.body += octets
            self._stream.ends = not octets
            self._end.outbox.add(self._stream)
            self._changed.notify_all()


def send_reset_on_close(connection: socket.socket) -> None:
    linger_no_time = (1).to_bytes(4, 'little') + bytes(4)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_no_time)
