"""The messages of a WebSocket: RFC 6455, sections 5.4 and 5.5."""

from dataclasses import dataclass

from channel_error import TOO_LARGE, ChannelError
from websocket_frames import CLOSE, CONTINUATION, PING, PONG, FrameDecoder, WebSocketFrame

NO_STATUS = 1005


@dataclass(frozen=True)
class WebSocketMessage:
    opcode: int
    payload: bytes


class MessageDecoder:
    """Joins fragments into messages. Control frames, which may stand between them, are messages of their own."""

    def __init__(self, are_masked: bool, max_bytes: int) -> None:
        self._frames = FrameDecoder(are_masked, max_bytes)
        self._max_bytes = max_bytes
        self._opcode: int | None = None
        self._fragments = bytearray()

    def feed(self, octets: bytes) -> list[WebSocketMessage]:
        """Returns the messages that are complete now. Raises ChannelError."""
        joined = (self._join(frame) for frame in self._frames.feed(octets))
        return [message for message in joined if message is not None]

    def _join(self, frame: WebSocketFrame) -> WebSocketMessage | None:
        if frame.opcode in (CLOSE, PING, PONG):
            return WebSocketMessage(frame.opcode, frame.payload)
        if (frame.opcode == CONTINUATION) == (self._opcode is None):
            raise ChannelError('a fragment is not where it belongs')
        if len(self._fragments) + len(frame.payload) > self._max_bytes:
            raise ChannelError('a WebSocket message is too large', TOO_LARGE)
        self._opcode = frame.opcode if self._opcode is None else self._opcode
        self._fragments += frame.payload
        if not frame.is_final:
            return None
        message = WebSocketMessage(self._opcode, bytes(self._fragments))
        self._opcode = None
        self._fragments.clear()
        return message


def close_code(payload: bytes) -> int:
    return int.from_bytes(payload[:2], 'big') if len(payload) >= 2 else NO_STATUS
