"""What one end of a channel has to send, and the records that are made of it: docs/protocol.md, section 11.4."""

from collections import deque
from collections.abc import Callable

from channel_frames import (
    DATA,
    END_STREAM,
    HEADER_BYTES,
    HEADERS,
    MAX_PAYLOAD_BYTES,
    RST_STREAM,
    UPGRADE,
    WINDOW_UPDATE,
    Frame,
    encode_frame,
    number_frame,
)
from channel_records import MAX_CONTENT_BYTES, ChannelSealer
from channel_settings import Settings, encode_settings
from channel_stream import Stream

TURN_BYTES = 16384
RESET_BYTES = HEADER_BYTES + 4


class Outbox:
    """
    `give_number` is asked before the HEADERS of a stream without a number; it returns False if there is no place.
    `may_end` tells whether the record that holds everything there is to send is the last one.
    """

    def __init__(
        self,
        sealer: ChannelSealer,
        settings: Settings,
        give_number: Callable[[Stream], bool],
        may_end: Callable[[], bool],
    ) -> None:
        self._sealer = sealer
        self._settings: Settings | None = settings
        self._give_number = give_number
        self._may_end = may_end
        self._streams: deque[Stream] = deque()
        self.pings: deque[Frame] = deque()
        self.increments: dict[int, int] = {}
        self.goaways: deque[Frame] = deque()
        self.has_sent_last = False

    def add(self, stream: Stream) -> None:
        if stream not in self._streams:
            self._streams.append(stream)

    def discard(self, stream: Stream) -> None:
        if stream in self._streams:
            self._streams.remove(stream)

    def next_record(self) -> bytes | None:
        """Returns a record of what has gathered, as much as fits, or None if there is nothing to send."""
        if self._settings is not None:
            content, self._settings = encode_settings(self._settings), None
            return self._sealer.settings(content)
        if self.has_sent_last:
            return None
        frames = _Record()
        self._put_control(frames)
        self._put_streams(frames)
        self.has_sent_last = not self._streams and self._may_end()
        if not frames.content and not self.has_sent_last:
            return None
        return self._sealer.frames(bytes(frames.content), frames.has_head, self.has_sent_last)

    def _put_control(self, record: '_Record') -> None:
        while self.pings and record.room > MAX_PAYLOAD_BYTES // 2:
            record.put(self.pings.popleft())
        for number in list(self.increments):
            if record.room <= MAX_PAYLOAD_BYTES // 2:
                return
            record.put(number_frame(WINDOW_UPDATE, number, self.increments.pop(number)))
        while self.goaways:
            record.put(self.goaways.popleft())

    def _put_streams(self, record: '_Record') -> None:
        """Turn by turn, until nothing more fits or is there. The next record goes on with the next stream."""
        idle = 0
        while idle < len(self._streams):
            stream = self._streams[0]
            self._streams.rotate(-1)
            before = len(record.content)
            self._put_turn(record, stream)
            idle = 0 if len(record.content) > before else idle + 1
            if stream.reset_code is None and (stream.has_sent_end or stream.was_reset):
                self.discard(stream)

    def _put_turn(self, record: '_Record', stream: Stream) -> None:
        if stream.head is not None:
            fits = record.room >= HEADER_BYTES + len(stream.head)
            if not fits or (stream.number == 0 and not self._give_number(stream)):
                return
            self._put_head(record, stream)
        others_wait = sum(other.has_to_send for other in self._streams) > 1
        most = min(record.room - HEADER_BYTES, stream.send_window, MAX_PAYLOAD_BYTES)
        self._put_data(record, stream, min(most, TURN_BYTES) if others_wait else most)
        if stream.reset_code is not None and not stream.body and record.room >= RESET_BYTES:
            record.put(number_frame(RST_STREAM, stream.number, stream.reset_code))
            stream.reset_code = None

    def _put_head(self, record: '_Record', stream: Stream) -> None:
        stream.has_sent_end = stream.ends and not stream.body
        flags = (END_STREAM if stream.has_sent_end else 0) | (UPGRADE if stream.upgrades else 0)
        record.put(Frame(HEADERS, flags, stream.number, stream.head))
        record.has_head, stream.head = True, None

    def _put_data(self, record: '_Record', stream: Stream, most: int) -> None:
        octets = bytes(stream.body[: max(most, 0)])
        is_end = stream.ends and len(octets) == len(stream.body) and not stream.has_sent_end
        if (not octets and not is_end) or record.room < HEADER_BYTES:
            return
        record.put(Frame(DATA, END_STREAM if is_end else 0, stream.number, octets))
        del stream.body[: len(octets)]
        stream.send_window -= len(octets)
        stream.has_sent_end = is_end


class _Record:
    """The content of a record that is being made."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.has_head = False

    @property
    def room(self) -> int:
        return MAX_CONTENT_BYTES - len(self.content)

    def put(self, frame: Frame) -> None:
        self.content += encode_frame(frame)
