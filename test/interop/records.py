"""The keys and records of a message: docs/protocol.md, section 6."""

from collections.abc import Callable, Iterator

from aes_gcm import AesGcm, AuthenticationError
from notation import hkdf_expand

HEAD, DATA = 1, 2
MAX_CONTENT_BYTES = 65536
MAX_PAD_BYTES = 4096
MIN_SEALED_BYTES = 17
MAX_SEALED_BYTES = MAX_CONTENT_BYTES + 1 + MAX_PAD_BYTES + 16
LAST = 1 << 31


class RecordRefused(Exception):
    """A record or the order of the records is not as the sender made it."""


def request_key(k_c2s: bytes, request_header: str) -> bytes:
    return hkdf_expand(k_c2s, b'mte-relay/1 request\0' + request_header.encode(), 32)


def response_key(k_s2c: bytes, request_header: str, response_header: str) -> bytes:
    info = f'mte-relay/1 response\0{request_header}\0{response_header}'
    return hkdf_expand(k_s2c, info.encode(), 32)


def _nonce(i: int, last: bool) -> bytes:
    return bytes(7) + i.to_bytes(4, 'big') + bytes([last])


class Sealer:
    """Seals the records of one message, in order."""

    def __init__(self, key: bytes) -> None:
        self._aead = AesGcm(key)
        self._next = 0

    def head(self, content: bytes, last: bool) -> bytes:
        """Seals the head, padded to a multiple of 256 bytes."""
        return self._record(content + bytes([HEAD]) + bytes(-(len(content) + 1) % 256), last)

    def data(self, content: bytes, last: bool) -> bytes:
        return self._record(content + bytes([DATA]), last)

    def _record(self, plaintext: bytes, last: bool) -> bytes:
        header = (len(plaintext) + 16 | (LAST if last else 0)).to_bytes(4, 'big')
        sealed = self._aead.seal(_nonce(self._next, last), plaintext, header)
        self._next += 1
        return header + sealed


def seal_message(key: bytes, head: bytes, pieces: list[bytes], empty_last: bool = False) -> list[bytes]:
    """
    Returns all records of a message. With `empty_last` the message ends with an empty record, as if the sender had
    not known which piece was the last.
    """
    sealer = Sealer(key)
    contents = [*pieces, b''] if empty_last else pieces
    records = [sealer.head(head, last=not contents)]
    for i, content in enumerate(contents):
        records.append(sealer.data(content, last=i == len(contents) - 1))
    return records


def open_message(key: bytes, read: Callable[[int], bytes]) -> Iterator[bytes]:
    """
    Yields the head, then each piece of data as soon as it is authentic. `read(n)` must return fewer than n bytes
    only at the end of the message; the content of the last record is yielded only after that end. Raises
    RecordRefused.
    """
    aead = AesGcm(key)
    i, last = 0, False
    while not last:
        content, last = _open_record(aead, i, read)
        if last and read(1):
            raise RecordRefused('bytes follow the last record')
        if content or i == 0:
            yield content
        i += 1


def _open_record(aead: AesGcm, i: int, read: Callable[[int], bytes]) -> tuple[bytes, bool]:
    header = read(4)
    if len(header) < 4:
        raise RecordRefused(f'the message ends before record {i}')
    value = int.from_bytes(header, 'big')
    last, length = bool(value & LAST), value & ~LAST
    if not MIN_SEALED_BYTES <= length <= MAX_SEALED_BYTES:
        raise RecordRefused(f'the length of record {i} is out of bounds')
    sealed = read(length)
    if len(sealed) < length:
        raise RecordRefused(f'the message ends within record {i}')
    try:
        padded = aead.open(_nonce(i, last), sealed, header)
    except AuthenticationError:
        raise RecordRefused(f'record {i} is not authentic') from None
    plaintext = padded.rstrip(b'\0')
    if not plaintext or len(padded) - len(plaintext) > MAX_PAD_BYTES:
        raise RecordRefused(f'record {i} has no type or too much padding')
    content, kind = plaintext[:-1], plaintext[-1]
    if kind != (HEAD if i == 0 else DATA):
        raise RecordRefused(f'record {i} has the wrong type')
    if len(content) > MAX_CONTENT_BYTES:
        raise RecordRefused(f'the content of record {i} is too long')
    if i > 0 and not content and not last:
        raise RecordRefused(f'record {i} is empty')
    return content, last
