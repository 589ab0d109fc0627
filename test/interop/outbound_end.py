"""A's end of a channel: docs/protocol.md, section 11.3."""

from channel_end import ChannelEnd
from channel_error import ChannelError
from channel_frames import Frame
from channel_settings import Settings
from channel_stream import Stream


class OutboundEnd(ChannelEnd):
    def __init__(self, k_req: bytes, k_res: bytes, own: Settings, is_conn: bool = False) -> None:
        super().__init__(k_req, k_res, own, is_a=True, is_conn=is_conn)
        self.last_stream: int | None = None
        self._reset_here: set[int] = set()
        self._is_ending = False

    def request(self, head: bytes, body: bytes, ends: bool = True) -> Stream:
        """Adds a stream, which gets its number as soon as there is a place. `peer` must be known."""
        stream = self._new_stream()
        stream.head, stream.body, stream.ends = head, bytearray(body), ends
        self.outbox.add(stream)
        return stream

    def reset(self, stream: Stream, code: int) -> None:
        """A stream without a number never existed for B."""
        if stream.number == 0:
            stream.reset(None)
            self.outbox.discard(stream)
            return
        self._reset_here.add(stream.number)
        super().reset(stream, code)

    def finish(self) -> None:
        """The last record follows once no stream is left."""
        self._is_ending = True

    def _may_end(self) -> bool:
        return self._is_ending

    def _give_number(self, stream: Stream) -> bool:
        may_open = self.last_stream is None and not self.is_past_lifetime
        if not may_open or len(self.streams) >= self.peer.max_streams:
            return False
        self.highest += 2
        stream.number = self.highest
        self.streams[stream.number] = stream
        return True

    def _apply_headers(self, frame: Frame) -> bool:
        if frame.stream in self._reset_here:
            return False
        stream = self.streams.get(frame.stream)
        if stream is None or stream.has_received_headers:
            raise ChannelError('HEADERS for a stream that does not wait for them')
        stream.has_received_headers = True
        stream.has_received_end = frame.ends_stream
        return True

    def _apply_goaway(self, frame: Frame) -> None:
        if self.last_stream is not None and frame.number > self.last_stream:
            raise ChannelError('the last stream of GOAWAY rises')
        self.last_stream = frame.number
        for number in [number for number in self.streams if number > frame.number]:
            stream = self.streams[number]
            stream.reset(None)
            self.outbox.discard(stream)
            self._forget_if_over(number)

    def _expect_last(self) -> None:
        if not self.outbox.has_sent_last:
            raise ChannelError('last from B, unasked')
