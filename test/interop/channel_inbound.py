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
from channel_link import ChannelLink, Ending
from channel_settings import MIN_INITIAL_WINDOW, Settings
from faults import Faults
from gates import Gates, pauses_body
from head import RequestHead, ResponseHead, encode_response_head
from inbound_end import InboundEnd
from inbound_streams import InboundRequest, InboundStreams
from inbound_upgrade import InboundUpgrade, Upgrades
from records import request_key, response_key
from relay_headers import decode_opening_header
from upstream import answer
from websocket_handshake import is_request

MAX_CHANNELS_PER_PEER = 16
MAX_STREAMS = 256

Report = Callable[..., None]


@dataclass(frozen=True)
class Opened:
    """A channel that was admitted. Its peers share the gates of one relay."""

    message: Message
    gates: Gates
    faults: Faults
    upgrades: Upgrades
    report: Report

    @property
    def is_conn(self) -> bool:
        return self.message.header.kind == 'conn'


class InboundChannels:
    def __init__(
        self, admission: Admission, faults: Faults, upgrades: Upgrades, report: Report
    ) -> None:
        self._admission = admission
        self._faults = faults
        self._upgrades = upgrades
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
        is_conn = message.header.kind == 'conn'
        place = 'conn' if is_conn else f'chan.{message.identity}'
        most = self._upgrades.most if is_conn else MAX_CHANNELS_PER_PEER
        with self._lock:
            if self._open[place] >= most:
                self._admission.refuse(message, 564)
            self._admission.mark(message)
            self._open[place] += 1
        try:
            yield Opened(message, self._gates, self._faults, self._upgrades, self._report)
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
    service = _upgrade(opened, end) if opened.is_conn else _Service(opened, end)
    link = ChannelLink(connection, end, service.take, make_mask=None)
    opened.report(opened=opened.message.header.kind, seq=opened.message.header.seq)
    ending = service.run(link)
    opened.report(channelEnded=ending.code, orderly=ending.is_orderly, reason=ending.reason)


def _upgrade(opened: Opened, end: InboundEnd) -> InboundUpgrade:
    """The only stream of a channel of type conn."""

    def begin(head: RequestHead, body: bytes) -> None:
        opened.report(forwarded=head.path, type='conn', seq=opened.message.header.seq)
        if opened.faults.of(head.path) == 'unheard':
            return upgrade.link.break_off()
        threading.Thread(target=upgrade.serve, args=[head, body], daemon=True).start()

    upgrade = InboundUpgrade(end, opened.upgrades, begin)
    return upgrade


class _Service:
    """The API of one channel. Each request has a thread of its own, so that responses overtake each other."""

    link: ChannelLink

    def __init__(self, opened: Opened, end: InboundEnd) -> None:
        self._opened = opened
        self._end = end
        self.streams = InboundStreams(end, self._begin, self._forward)

    def run(self, link: ChannelLink) -> Ending:
        self.link = link
        return link.run()

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
        inner = answer(request.head, bytes(request.body))
        is_bodiless = request.head.method == 'HEAD' or inner.status in (204, 304)
        head = encode_response_head(ResponseHead(inner.status, inner.fields))
        with self.link.changed:
            self._end.respond(request.stream, head, b'' if is_bodiless else b''.join(inner.pieces))
            self.link.changed.notify_all()
