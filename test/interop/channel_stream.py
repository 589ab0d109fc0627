"""One stream of a channel, as one end sees it: docs/protocol.md, sections 11.3 and 11.4."""

from dataclasses import dataclass, field


@dataclass(eq=False)
class Stream:
    """Windows are in octets. At A, `number` is 0 until the HEADERS of the stream enters a record."""

    send_window: int
    receive_window: int
    number: int = 0
    has_received_headers: bool = False
    has_received_end: bool = False
    has_sent_end: bool = False
    # By either side; a RST_STREAM of this side counts from its decision on.
    was_reset: bool = False
    # What this side still has to send. `upgrades` is the flag UPGRADE of its HEADERS.
    head: bytes | None = None
    upgrades: bool = False
    body: bytearray = field(default_factory=bytearray)
    ends: bool = False
    reset_code: int | None = None
    # What the consumer has taken and the sender has not been granted yet.
    ungranted: int = 0

    @property
    def is_over(self) -> bool:
        return self.was_reset or (self.has_sent_end and self.has_received_end)

    @property
    def has_to_send(self) -> bool:
        if self.head is not None or self.reset_code is not None:
            return True
        if self.body:
            return self.send_window > 0
        return self.ends and not self.has_sent_end

    def drop_unsent(self) -> None:
        self.head, self.ends = None, False
        self.body.clear()

    def reset(self, code: int | None) -> None:
        """Ends both directions. `code` is what the peer is told, None if the reset was its own."""
        self.was_reset = True
        self.drop_unsent()
        self.reset_code = code
