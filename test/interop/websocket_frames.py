"""The framing of WebSockets: RFC 6455, section 5."""

import os
from dataclasses import dataclass

from channel_error import TOO_LARGE, ChannelError

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FIN, RESERVED, MASKED = 0x80, 0x70, 0x80
MAX_CONTROL_BYTES = 125
MASK_BYTES = 4
# Legal on the wire like any other. What is sealed looks random to every intermediary without a mask.
ZERO_MASK = bytes(MASK_BYTES)


@dataclass(frozen=True)
class WebSocketFrame:
    is_final: bool
    opcode: int
    payload: bytes


def random_mask() -> bytes:
    return os.urandom(MASK_BYTES)


def apply_mask(payload: bytes, mask: bytes) -> bytes:
    if mask == ZERO_MASK:
        return payload
    repeated = (mask * (len(payload) // MASK_BYTES + 1))[: len(payload)]
    mixed = int.from_bytes(payload, 'big') ^ int.from_bytes(repeated, 'big')
    return mixed.to_bytes(len(payload), 'big')


def encode_frame(frame: WebSocketFrame, mask: bytes | None) -> bytes:
    """`mask` is None at a server, which never masks."""
    size = len(frame.payload)
    masked = 0 if mask is None else MASKED
    head = bytes([(FIN if frame.is_final else 0) | frame.opcode])
    if size < 126:
        head += bytes([masked | size])
    elif size < 1 << 16:
        head += bytes([masked | 126]) + size.to_bytes(2, 'big')
    else:
        head += bytes([masked | 127]) + size.to_bytes(8, 'big')
    return head + frame.payload if mask is None else head + mask + apply_mask(frame.payload, mask)


def fragments(opcode: int, payload: bytes, most: int) -> list[WebSocketFrame]:
    """One message, in frames of at most `most` octets."""
    starts = range(0, max(len(payload), 1), most)
    return [
        WebSocketFrame(
            at + most >= len(payload), CONTINUATION if at else opcode, payload[at : at + most]
        )
        for at in starts
    ]


class FrameDecoder:
    """Decodes the octets of one direction, however they are cut."""

    def __init__(self, are_masked: bool, max_payload: int) -> None:
        self._are_masked = are_masked
        self._max_payload = max_payload
        self._octets = bytearray()

    def feed(self, octets: bytes) -> list[WebSocketFrame]:
        """Returns the frames that are complete now. Raises ChannelError for one that the peer must not send."""
        self._octets += octets
        frames = []
        while (frame := self._take()) is not None:
            frames.append(frame)
        return frames

    def _take(self) -> WebSocketFrame | None:
        octets = self._octets
        if len(octets) < 2:
            return None
        if octets[0] & RESERVED:
            raise ChannelError('a WebSocket frame has a reserved bit')
        if bool(octets[1] & MASKED) != self._are_masked:
            raise ChannelError('only the frames of a client are masked')
        size, at = self._size()
        if size is None:
            return None
        self._expect_allowed(octets[0] & 0x0F, bool(octets[0] & FIN), size)
        start = at + (MASK_BYTES if self._are_masked else 0)
        if len(octets) < start + size:
            return None
        payload = bytes(octets[start : start + size])
        if self._are_masked:
            payload = apply_mask(payload, bytes(octets[at:start]))
        frame = WebSocketFrame(bool(octets[0] & FIN), octets[0] & 0x0F, payload)
        del octets[: start + size]
        return frame

    def _size(self) -> tuple[int | None, int]:
        """Returns the size of the payload, None if it is not there yet, and where the size ends."""
        short = self._octets[1] & 0x7F
        if short < 126:
            return short, 2
        end = 4 if short == 126 else 10
        if len(self._octets) < end:
            return None, end
        size = int.from_bytes(self._octets[2:end], 'big')
        if size < (126 if short == 126 else 1 << 16):
            raise ChannelError('the size of a WebSocket frame is not in its shortest form')
        return size, end

    def _expect_allowed(self, opcode: int, is_final: bool, size: int) -> None:
        if opcode in (CLOSE, PING, PONG):
            if not is_final or size > MAX_CONTROL_BYTES:
                raise ChannelError('a control frame is fragmented or too long')
        elif opcode not in (CONTINUATION, TEXT, BINARY):
            raise ChannelError('an unknown opcode')
        elif size > self._max_payload:
            raise ChannelError('a WebSocket message is too large', TOO_LARGE)
