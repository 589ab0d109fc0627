"""B's end of a channel: docs/protocol.md, section 11.3."""

from channel_end import ChannelEnd
from channel_error import ChannelError
from channel_frames import GOAWAY, NO_ERROR, REFUSED_STREAM, Frame
from channel_settings import Settings
from channel_stream import Stream


class InboundEnd(ChannelEnd):
    def __init__(self, k_req: bytes, k_res: bytes, own: Settings, is_conn: bool = False) -> None:
        super().__init__(k_res, k_req, own, is_a=False, is_conn=is_conn)
        self._last_stream: int | None = None

    def respond(self, stream: Stream, head: bytes, body: bytes) -> None:
        """Sends a whole response, unless the stream was reset meanwhile."""
        if not stream.is_over:
            stream.head, stream.body, stream.ends = head, bytearray(body), True
            self.outbox.add(stream)

    def switch(self, stream: Stream, head: bytes, octets: bytes, upgrades: bool = True) -> None:
        """Sends the 101 of an upgraded connection, and what came behind it."""
        stream.head, stream.body, stream.upgrades = head, bytearray(octets), upgrades
        self.outbox.add(stream)

    def go_away(self) -> None:
        """No further stream is forwarded."""
        if self._last_stream is None:
            self._last_stream = max(self.highest, 0)
            payload = self._last_stream.to_bytes(4, 'big') + NO_ERROR.to_bytes(4, 'big')
            self.outbox.goaways.append(Frame(GOAWAY, 0, 0, payload))

    def next_record(self) -> bytes | None:
        if self.is_past_lifetime:
            self.go_away()
        if self.has_received_last:
            self._drop_incomplete()
        return super().next_record()

    def _may_end(self) -> bool:
        return self.has_received_last

    def _drop_incomplete(self) -> None:
        """What A has not sent by its last record never comes."""
        for stream in list(self.streams.values()):
            if not stream.has_received_end:
                stream.reset(None)
                self.outbox.discard(stream)
                self._forget_if_over(stream.number)

    def _apply_headers(self, frame: Frame) -> bool:
        if frame.stream != self.highest + 2:
            raise ChannelError('HEADERS under a used, skipped or even number')
        if self._is_conn and frame.stream > 1:
            raise ChannelError('a second stream in a channel of one upgraded connection')
        self.highest = frame.stream
        if self._last_stream is not None:
            return False
        stream = self._new_stream()
        stream.number = frame.stream
        stream.has_received_headers, stream.has_received_end = True, frame.ends_stream
        if len(self.streams) >= self.own.max_streams:
            stream.reset(REFUSED_STREAM)
            self.outbox.add(stream)
            return False
        self.streams[stream.number] = stream
        return True
