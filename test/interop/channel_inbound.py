"""Channels at B, from their opening to their end: docs/protocol.md, section 11."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message as Headers
from socket import socket

from admission import Admission, Message, WireError
from channel_frames import DATA, Frame
from channel_link import ChannelLink
from channel_settings import MIN_INITIAL_WINDOW, Settings
from faults import Faults
from gates import Gates, pauses_body
from head import ResponseHead, encode_response_head
from inbound_end import InboundEnd
from inbound_streams import InboundRequest, InboundStreams
from records import request_key, response_key
from relay_headers import decode_opening_header
from upstream import Answer, answer
from websocket_handshake import is_request

MAX_CHANNELS_PER_PEER = 16
MAX_STREAMS = 256
NOT_UPGRADED = Answer(501, [], [b'this API takes no upgrades'])

Report = Callable[..., None]


@dataclass(frozen=True)
class Opened:
    """A channel that was admitted. Its peers share the gates of one relay."""

    message: Message
    gates: Gates
    faults: Faults
    report: Report

    @property
    def is_conn(self) -> bool:
        return self.message.header.kind == 'conn'


class InboundChannels:
    def __init__(self, admission: Admission, faults: Faults, report: Report) -> None:
        self._admission = admission
        self._faults = faults
        self._report = report
        self._gates = Gates()
        self._lock = threading.Lock()
        self._open: Counter[str] = Counter()

    @contextmanager
    def opened(
        self,
        request_line: tuple[str, str, str],
        headers: Headers,
        client_id_header: str,
        relay_header: str,
    ) -> Iterator[Opened]:
        """Section 11.1, B's steps in their order. Raises WireError if nothing is to be opened."""
        if decode_opening_header(relay_header) is None or not is_request(*request_line, headers):
            raise WireError(566)
        now_ms = time.time_ns() // 10**6
        message = self._admission.open(client_id_header, relay_header, now_ms, decode_opening_header)
        self._admission.expect_fresh(message, now_ms)
        place = f'{message.header.kind}.{message.identity}'
        with self._lock:
            is_full = message.header.kind == 'chan' and self._open[place] >= MAX_CHANNELS_PER_PEER
            if is_full:
                self._admission.refuse(message, 564)
            self._admission.mark(message)
            self._open[place] += 1
        try:
            yield Opened(message, self._gates, self._faults, self._report)
        finally:
            with self._lock:
                self._open[place] -= 1


def run_channel(connection: socket, opened: Opened, response_header: str) -> None:
    """Serves the channel until it ends."""
    request_header, session = opened.message.relay_header, opened.message.session
    end = InboundEnd(
        request_key(session.k_c2s, request_header),
        response_key(session.k_s2c, request_header, response_header),
        Settings(MIN_INITIAL_WINDOW, 1 if opened.is_conn else MAX_STREAMS),
        opened.is_conn,
    )
    service = _Service(opened, end)
    link = ChannelLink(connection, end, service.take, make_mask=None)
    service.link = link
    opened.report(opened=opened.message.header.kind, seq=opened.message.header.seq)
    ending = link.run()
    opened.report(channelEnded=ending.code, orderly=ending.is_orderly, reason=ending.reason)


class _Service:
    """The API of one channel. Each request has a thread of its own, so that responses overtake each other."""

    link: ChannelLink

    def __init__(self, opened: Opened, end: InboundEnd) -> None:
        self._opened = opened
        self._end = end
        self.streams = InboundStreams(end, self._begin, self._forward)

    def take(self, frame: Frame) -> None:
        self.streams.take(frame)
        stream = self._end.streams.get(frame.stream)
        if frame.kind == DATA and stream is not None and stream.receive_window == 0:
            self._opened.report(windowUsedUp=stream.number)

    def _begin(self, request: InboundRequest) -> None:
        if pauses_body(request.head.path):
            request.is_paused = True
            threading.Thread(target=self._resume, args=[request], daemon=True).start()

    def _resume(self, request: InboundRequest) -> None:
        self._opened.gates.wait_for_body(request.head.path)
        with self.link.changed:
            self._opened.report(paused=request.head.path, octets=request.untaken)
            self.streams.resume(request)
            self.link.changed.notify_all()

    def _forward(self, request: InboundRequest) -> None:
        threading.Thread(target=self._respond, args=[request], daemon=True).start()

    def _respond(self, request: InboundRequest) -> None:
        path, header = request.head.path, self._opened.message.header
        self._opened.report(
            forwarded=path, type=header.kind, seq=header.seq, stream=request.stream.number
        )
        if self._opened.faults.of(path) == 'unheard':
            return self.link.break_off()
        self._opened.gates.open_by(path)
        self._opened.gates.wait_for_answer(path)
        inner = NOT_UPGRADED if request.upgrades else answer(request.head, bytes(request.body))
        is_bodiless = request.head.method == 'HEAD' or inner.status in (204, 304)
        head = encode_response_head(ResponseHead(inner.status, inner.fields))
        with self.link.changed:
            self._end.respond(request.stream, head, b'' if is_bodiless else b''.join(inner.pieces))
            self.link.changed.notify_all()
