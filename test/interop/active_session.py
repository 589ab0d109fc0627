"""A session at A, and what is known of it: docs/protocol.md, sections 2 and 8."""

import time
from dataclasses import dataclass

import pairing

CHECK_AFTER_SECONDS = 5


@dataclass
class ActiveSession:
    """Times are those of the monotonic clock, in seconds."""

    keys: pairing.Session
    pairing_response_at: float
    # When the latest message whose response opened was sent.
    proved_at: float
    last_seq: int = 0
    # Whether a connection to the peer has ended by the peer's doing since `proved_at`.
    in_doubt: bool = False

    def age_seconds(self) -> int:
        return int(time.monotonic() - self.pairing_response_at)

    def check_is_due(self) -> bool:
        return self.in_doubt or time.monotonic() - self.proved_at >= CHECK_AFTER_SECONDS
