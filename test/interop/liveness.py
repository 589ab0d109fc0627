"""When a channel sends PING, and when its silence means that it broke: docs/protocol.md, section 11.5."""

from dataclasses import dataclass
from enum import Enum


class Sign(Enum):
    NOTHING = 'nothing is due'
    PING = 'PING is due'
    BROKEN = 'the channel broke'


@dataclass
class Liveness:
    """Times are those of a monotonic clock, in seconds. Any authenticated record is a sign of life."""

    received_at: float
    idle_seconds: float = 20
    answer_seconds: float = 10
    unsent_seconds: float = 60
    _made_at: float | None = None
    _left_at: float | None = None

    def received(self, now: float) -> None:
        self.received_at = now

    def answered(self) -> None:
        self._made_at = self._left_at = None

    def made_ping(self, now: float) -> None:
        self._made_at = now

    def ping_left(self, now: float) -> None:
        if self._made_at is not None and self._left_at is None:
            self._left_at = now

    def due(self, now: float) -> Sign:
        """A PING that was not answered is never followed by another: the peer would have to end the channel."""
        if self._made_at is None:
            return Sign.PING if now >= self.received_at + self.idle_seconds else Sign.NOTHING
        is_late = now >= max(self.received_at, self._made_at) + self.unsent_seconds
        if self._left_at is not None:
            is_late |= now >= max(self.received_at, self._left_at) + self.answer_seconds
        return Sign.BROKEN if is_late else Sign.NOTHING
