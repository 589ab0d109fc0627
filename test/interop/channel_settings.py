"""The content of record 0 of a channel: docs/protocol.md, section 11.2."""

from dataclasses import dataclass

from channel_error import ChannelError
from channel_frames import MAX_WINDOW

MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 3, 4
MIN_INITIAL_WINDOW, DEFAULT_INITIAL_WINDOW = 65536, 262144
PAIR_BYTES = 6


@dataclass(frozen=True)
class Settings:
    """`max_streams` is what B accepts at once. A has none."""

    initial_window: int = DEFAULT_INITIAL_WINDOW
    max_streams: int | None = None


def encode_settings(settings: Settings) -> bytes:
    pairs = [] if settings.max_streams is None else [(MAX_CONCURRENT_STREAMS, settings.max_streams)]
    pairs.append((INITIAL_WINDOW_SIZE, settings.initial_window))
    return b''.join(name.to_bytes(2, 'big') + value.to_bytes(4, 'big') for name, value in pairs)


def decode_settings(content: bytes, is_from_a: bool) -> Settings:
    """Raises ChannelError."""
    if len(content) % PAIR_BYTES:
        raise ChannelError('SETTINGS are cut')
    values: dict[int, int] = {}
    for at in range(0, len(content), PAIR_BYTES):
        name = int.from_bytes(content[at : at + 2], 'big')
        if name in values:
            raise ChannelError('SETTINGS have an identifier twice')
        values[name] = int.from_bytes(content[at + 2 : at + PAIR_BYTES], 'big')
    window = values.get(INITIAL_WINDOW_SIZE, DEFAULT_INITIAL_WINDOW)
    if not MIN_INITIAL_WINDOW <= window <= MAX_WINDOW:
        raise ChannelError('INITIAL_WINDOW_SIZE is out of bounds')
    max_streams = None if is_from_a else values.get(MAX_CONCURRENT_STREAMS, 0)
    if max_streams == 0:
        raise ChannelError('MAX_CONCURRENT_STREAMS is missing or 0')
    return Settings(window, max_streams)
