"""The records of one direction of a channel: docs/protocol.md, section 11.2."""

from aes_gcm import AesGcm
from channel_error import ChannelError
from notation import hkdf_expand
from records import DATA, HEAD, MAX_PAD_BYTES, RecordRefused, Sealer, decode_length, open_sealed, padded

MAX_CONTENT_BYTES = 65545
HEADER_BYTES, TAG_BYTES = 4, 16
MAX_MESSAGE_BYTES = HEADER_BYTES + MAX_CONTENT_BYTES + 1 + MAX_PAD_BYTES + TAG_BYTES
# After so many records a direction goes on with its next key, and a channel of many streams is past its lifetime.
RECORDS_PER_KEY = 2**21


def next_key(key: bytes) -> bytes:
    return hkdf_expand(key, b'mte-relay/1 next key', 32)


class ChannelSealer:
    def __init__(self, key: bytes) -> None:
        self._key = key
        self._sealer = Sealer(key)
        self._earlier = 0

    @property
    def next(self) -> int:
        """How many records were sealed, with all keys."""
        return self._earlier + self._sealer.next

    def settings(self, content: bytes) -> bytes:
        return self._sealer.record(content + bytes([HEAD]), False)

    def frames(self, content: bytes, has_head: bool, last: bool) -> bytes:
        """Records with a head are padded, as heads are in messages."""
        if self._sealer.next >= RECORDS_PER_KEY:
            self._earlier, self._key = self.next, next_key(self._key)
            self._sealer = Sealer(self._key)
        plaintext = content + bytes([DATA])
        return self._sealer.record(padded(plaintext) if has_head else plaintext, last)


class ChannelOpener:
    def __init__(self, key: bytes) -> None:
        self._key, self._aead = key, AesGcm(key)
        self.next = 0

    def open(self, message: bytes) -> tuple[bytes, bool]:
        """Opens one WebSocket message. Returns its content, and whether it is the last. Raises ChannelError."""
        i, header, sealed = self.next, message[:HEADER_BYTES], message[HEADER_BYTES:]
        if len(message) > MAX_MESSAGE_BYTES:
            raise ChannelError('a record too long')
        index = i % RECORDS_PER_KEY
        length, last = decode_length(header)
        if len(header) < HEADER_BYTES or length != len(sealed):
            raise ChannelError('a WebSocket message is not exactly one record')
        if i > 0 and index == 0:
            self._key = next_key(self._key)
            self._aead = AesGcm(self._key)
        try:
            content, kind = open_sealed(self._aead, index, header, sealed)
        except RecordRefused as error:
            raise ChannelError(str(error)) from None
        if kind != (HEAD if i == 0 else DATA) or len(content) > MAX_CONTENT_BYTES:
            raise ChannelError(f'record {i} has the wrong type or too much content')
        if i > 0 and not content and not last:
            raise ChannelError(f'record {i} is empty')
        self.next += 1
        return content, last
