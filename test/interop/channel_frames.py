"""The frames of a channel and their form: docs/protocol.md, section 11.3."""

from dataclasses import dataclass

from channel_error import ChannelError

DATA, HEADERS, RST_STREAM, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 6, 7, 8
END_STREAM, ACK, UPGRADE = 0x01, 0x01, 0x40
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, REFUSED_STREAM, CANCEL = 0, 1, 2, 7, 8
HEADER_BYTES = 9
MAX_PAYLOAD_BYTES = 65536
MAX_WINDOW = 2**31 - 1
FLAGS = {
    DATA: (0, END_STREAM),
    HEADERS: (0, END_STREAM, UPGRADE),
    RST_STREAM: (0,),
    PING: (0, ACK),
    GOAWAY: (0,),
    WINDOW_UPDATE: (0,),
}
SIZES = {RST_STREAM: 4, PING: 8, GOAWAY: 8, WINDOW_UPDATE: 4}


@dataclass(frozen=True)
class Frame:
    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def ends_stream(self) -> bool:
        return self.kind in (DATA, HEADERS) and bool(self.flags & END_STREAM)

    @property
    def upgrades(self) -> bool:
        return self.kind == HEADERS and bool(self.flags & UPGRADE)

    @property
    def number(self) -> int:
        """The first u32 of the payload: an error code, a last stream or an increment."""
        return int.from_bytes(self.payload[:4], 'big')


def encode_frame(frame: Frame) -> bytes:
    size, stream = len(frame.payload).to_bytes(3, 'big'), frame.stream.to_bytes(4, 'big')
    return size + bytes([frame.kind, frame.flags]) + stream + frame.payload


def number_frame(kind: int, stream: int, number: int) -> Frame:
    """RST_STREAM or WINDOW_UPDATE."""
    return Frame(kind, 0, stream, number.to_bytes(4, 'big'))


def decode_frames(content: bytes, is_from_a: bool, is_conn: bool) -> list[Frame]:
    """Decodes a whole record. Raises ChannelError if the form of any frame is wrong."""
    frames, at = [], 0
    while at < len(content):
        head = content[at : at + HEADER_BYTES]
        size = int.from_bytes(head[:3], 'big')
        payload = content[at + HEADER_BYTES : at + HEADER_BYTES + size]
        if len(head) < HEADER_BYTES or len(payload) < size:
            raise ChannelError('a frame is longer than its record')
        frame = Frame(head[3], head[4], int.from_bytes(head[5:], 'big'), payload)
        _expect_form(frame)
        _expect_allowed(frame, is_from_a, is_conn)
        frames.append(frame)
        at += HEADER_BYTES + size
    return frames


def _expect_form(frame: Frame) -> None:
    if frame.flags not in FLAGS.get(frame.kind, ()):
        raise ChannelError('a frame has an unknown type or flag')
    if (frame.stream == 0) != (frame.kind in (PING, GOAWAY)) or frame.stream > MAX_WINDOW:
        raise ChannelError('a frame is on the wrong stream')
    size = len(frame.payload)
    if size > MAX_PAYLOAD_BYTES or size != SIZES.get(frame.kind, size):
        raise ChannelError('a frame has the wrong length')
    if size == 0 and not (frame.kind == DATA and frame.ends_stream):
        raise ChannelError('a frame is empty')
    if frame.kind == WINDOW_UPDATE and not 1 <= frame.number <= MAX_WINDOW:
        raise ChannelError('an increment is out of bounds')


def _expect_allowed(frame: Frame, is_from_a: bool, is_conn: bool) -> None:
    """What depends on who sent the frame, and in which channel."""
    if frame.kind == GOAWAY and is_from_a:
        raise ChannelError('GOAWAY from A')
    if frame.upgrades and not is_conn:
        raise ChannelError('UPGRADE in a channel of many exchanges')
    if frame.kind == HEADERS and is_from_a and is_conn and not frame.upgrades:
        raise ChannelError('HEADERS without UPGRADE in a channel of one upgraded connection')
