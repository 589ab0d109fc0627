"""The requests of a channel at B, from their frames to the API: docs/protocol.md, sections 6 and 11.3."""

from collections.abc import Callable
from dataclasses import dataclass, field

from channel_frames import DATA, HEADERS, PROTOCOL_ERROR, Frame
from head import HeadRefused, RequestHead, content_lengths, decode_request_head
from inbound_end import InboundEnd
from channel_stream import Stream


@dataclass(eq=False)
class InboundRequest:
    stream: Stream
    head: RequestHead
    body: bytearray = field(default_factory=bytearray)
    # Octets that the API has not taken, because it takes none for now.
    is_paused: bool = False
    untaken: int = 0

    @property
    def has_stated_length(self) -> bool:
        """A head that ends its stream has no body, whatever length it states."""
        lengths = content_lengths(self.head.fields)
        return all(int(length) == len(self.body) for length in lengths)


class InboundStreams:
    """
    `begin` hears of each request once its head is there, and may pause it. `forward` gets each request that is
    complete, so what breaks a rule of section 6 was never forwarded.
    """

    def __init__(
        self,
        end: InboundEnd,
        begin: Callable[[InboundRequest], None],
        forward: Callable[[InboundRequest], None],
    ) -> None:
        self._end = end
        self._begin = begin
        self._forward = forward
        self._requests: dict[int, InboundRequest] = {}

    def take(self, frame: Frame) -> None:
        if frame.kind == HEADERS:
            self._take_head(frame)
        elif frame.kind == DATA:
            self._take_data(self._requests[frame.stream], frame)
        elif frame.stream not in self._end.streams:
            self._requests.pop(frame.stream, None)

    def resume(self, request: InboundRequest) -> None:
        """The API takes what has waited, and from now on whatever comes."""
        request.is_paused = False
        self._end.consumed(request.stream, request.untaken)
        request.untaken = 0

    def _take_head(self, frame: Frame) -> None:
        stream = self._end.streams[frame.stream]
        try:
            head = decode_request_head(frame.payload)
        except HeadRefused:
            return self._end.reset(stream, PROTOCOL_ERROR)
        request = InboundRequest(stream, head)
        self._requests[frame.stream] = request
        self._begin(request)
        if frame.ends_stream:
            self._forward(request)

    def _take_data(self, request: InboundRequest, frame: Frame) -> None:
        request.body += frame.payload
        if request.is_paused:
            request.untaken += len(frame.payload)
        else:
            self._end.consumed(request.stream, len(frame.payload))
        if not frame.ends_stream:
            return
        if request.has_stated_length:
            self._forward(request)
        else:
            self._end.reset(request.stream, PROTOCOL_ERROR)
