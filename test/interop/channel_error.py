"""What ends a channel because its peer broke a rule: docs/protocol.md, section 11.2."""

PROTOCOL_ERROR, POLICY_VIOLATION, TOO_LARGE = 1002, 1008, 1009


class ChannelError(Exception):
    """The channel is unusable from now on. `close_code` is that of RFC 6455, section 7.4.1."""

    def __init__(self, reason: str, close_code: int = PROTOCOL_ERROR) -> None:
        super().__init__(reason)
        self.close_code = close_code
