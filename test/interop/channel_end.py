"""
One end of a channel without its socket: docs/protocol.md, sections 11.2 to 11.5. What the two roles have in common;
outbound_end.py is A, inbound_end.py is B.
"""

from collections.abc import Iterator

from channel_error import ChannelError
from channel_frames import (
    ACK,
    DATA,
    GOAWAY,
    HEADERS,
    MAX_WINDOW,
    PING,
    WINDOW_UPDATE,
    Frame,
    decode_frames,
)
from channel_outbox import Outbox
from channel_records import RECORDS_PER_KEY, ChannelOpener, ChannelSealer
from channel_settings import Settings, decode_settings
from channel_stream import Stream


class ChannelEnd:
    """After a ChannelError nothing may be called any more."""

    def __init__(
        self, send_key: bytes, receive_key: bytes, own: Settings, is_a: bool, is_conn: bool
    ) -> None:
        self.own = own
        self.peer: Settings | None = None
        self._sealer = ChannelSealer(send_key)
        self.outbox = Outbox(self._sealer, own, self._give_number, self._ends)
        self.streams: dict[int, Stream] = {}
        self.highest = -1
        self.has_received_last = False
        self._opener = ChannelOpener(receive_key)
        self._own_ping: bytes | None = None
        self._is_a = is_a
        self._is_conn = is_conn

    @property
    def is_finished(self) -> bool:
        return self.has_received_last and self.outbox.has_sent_last

    @property
    def is_past_lifetime(self) -> bool:
        """A opens no further stream, and B sends GOAWAY."""
        return max(self._opener.next, self._sealer.next) >= RECORDS_PER_KEY

    def receive(self, message: bytes) -> Iterator[Frame]:
        """
        Takes one WebSocket message. Yields each frame that took effect on streams, before the next does. Raises
        ChannelError.
        """
        if self.has_received_last:
            raise ChannelError('a record behind the last one')
        content, last = self._opener.open(message)
        if self.peer is None:
            self.peer = decode_settings(content, is_from_a=not self._is_a)
            frames = []
        else:
            frames = decode_frames(content, not self._is_a, self._is_conn)
        if last:
            self._expect_last()
        for frame in frames:
            if self._apply(frame):
                self._forget_if_over(frame.stream)
                yield frame
        self.has_received_last = last

    def consumed(self, stream: Stream, count: int) -> None:
        """The consumer has taken octets. Grants them in steps of a quarter of the initial window."""
        stream.ungranted += count
        if 4 * stream.ungranted < self.own.initial_window or stream.has_received_end or stream.is_over:
            return
        waiting = self.outbox.increments.get(stream.number, 0)
        self.outbox.increments[stream.number] = waiting + stream.ungranted
        stream.receive_window += stream.ungranted
        stream.ungranted = 0

    def reset(self, stream: Stream, code: int) -> None:
        if not stream.is_over:
            stream.reset(code)
            self.outbox.add(stream)
            self._forget_if_over(stream.number)

    def next_record(self) -> bytes | None:
        """The number of a stream that has ended on both sides is free as soon as its last frame is in a record."""
        record = self.outbox.next_record()
        for number in [number for number, stream in self.streams.items() if stream.is_over]:
            self._forget_if_over(number)
        return record

    @property
    def ping_was_answered(self) -> bool:
        return self._own_ping is None

    def seal_unchecked(self, content: bytes) -> bytes:
        """The next record with any content, for tests of the peer."""
        return self._sealer.frames(content, has_head=False, last=False)

    def ping(self, octets: bytes) -> None:
        self._own_ping = octets
        self.outbox.pings.append(Frame(PING, 0, 0, octets))

    def _new_stream(self) -> Stream:
        return Stream(self.peer.initial_window, self.own.initial_window)

    def _forget_if_over(self, number: int) -> None:
        stream = self.streams.get(number)
        if stream is not None and stream.is_over:
            del self.streams[number]
            self.outbox.increments.pop(number, None)

    def _apply(self, frame: Frame) -> bool:
        """Returns whether the frame says something about streams and was not dropped."""
        if frame.kind == PING:
            self._apply_ping(frame)
            return False
        if frame.kind == GOAWAY:
            self._apply_goaway(frame)
            return True
        if frame.kind == HEADERS:
            return self._apply_headers(frame)
        if frame.stream % 2 == 0 or frame.stream > self.highest:
            raise ChannelError('a frame for a stream that was never opened')
        stream = self.streams.get(frame.stream)
        if stream is None:
            return False
        if frame.kind == DATA:
            self._apply_data(stream, frame)
        elif frame.kind == WINDOW_UPDATE:
            self._apply_increment(stream, frame.number)
        else:
            stream.reset(None)
            self.outbox.discard(stream)
        return True

    def _apply_ping(self, frame: Frame) -> None:
        if frame.flags & ACK:
            if frame.payload == self._own_ping:
                self._own_ping = None
            return
        if any(waiting.flags & ACK for waiting in self.outbox.pings):
            raise ChannelError('a second PING before the first was answered')
        self.outbox.pings.append(Frame(PING, ACK, 0, frame.payload))

    def _apply_data(self, stream: Stream, frame: Frame) -> None:
        if not stream.has_received_headers or stream.has_received_end:
            raise ChannelError('DATA before HEADERS or behind END_STREAM')
        if len(frame.payload) > stream.receive_window:
            raise ChannelError('more DATA than was granted')
        stream.receive_window -= len(frame.payload)
        stream.has_received_end = frame.ends_stream

    def _apply_increment(self, stream: Stream, increment: int) -> None:
        if 4 * increment < self.peer.initial_window:
            raise ChannelError('an increment below a quarter of the initial window')
        stream.send_window += increment
        if stream.send_window > MAX_WINDOW:
            raise ChannelError('a window above 2^31-1')

    def _ends(self) -> bool:
        """No last record is sent while a stream is left."""
        return self._may_end() and all(stream.is_over for stream in self.streams.values())

    def _may_end(self) -> bool:
        raise NotImplementedError

    def _give_number(self, stream: Stream) -> bool:
        raise NotImplementedError

    def _apply_headers(self, frame: Frame) -> bool:
        raise NotImplementedError

    def _apply_goaway(self, frame: Frame) -> None:
        raise NotImplementedError

    def _expect_last(self) -> None:
        """Raises ChannelError if the peer must not end its direction now."""
