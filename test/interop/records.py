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


def nonce(i: int, last: bool) -> bytes:
    return bytes(7) + i.to_bytes(4, 'big') + bytes([last])


def padded(typed_content: bytes) -> bytes:
    return typed_content + bytes(-len(typed_content) % 256)


class Sealer:
    """Seals the records of one message, in order."""

    def __init__(self, key: bytes) -> None:
        self._aead = AesGcm(key)
        self.next = 0

    def head(self, content: bytes, last: bool) -> bytes:
        """Seals the head, padded to a multiple of 256 bytes."""
        return self.record(padded(content + bytes([HEAD])), last)

    def data(self, content: bytes, last: bool) -> bytes:
        return self.record(content + bytes([DATA]), last)

    def record(self, plaintext: bytes, last: bool) -> bytes:
        """`plaintext` is content, type and padding."""
        header = (len(plaintext) + 16 | (LAST if last else 0)).to_bytes(4, 'big')
        sealed = self._aead.seal(nonce(self.next, last), plaintext, header)
        self.next += 1
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
    length, last = decode_length(header)
    if not MIN_SEALED_BYTES <= length <= MAX_SEALED_BYTES:
        raise RecordRefused(f'the length of record {i} is out of bounds')
    sealed = read(length)
    if len(sealed) < length:
        raise RecordRefused(f'the message ends within record {i}')
    content, kind = open_sealed(aead, i, header, sealed)
    if kind != (HEAD if i == 0 else DATA):
        raise RecordRefused(f'record {i} has the wrong type')
    if len(content) > MAX_CONTENT_BYTES:
        raise RecordRefused(f'the content of record {i} is too long')
    if i > 0 and not content and not last:
        raise RecordRefused(f'record {i} is empty')
    return content, last


def decode_length(header: bytes) -> tuple[int, bool]:
    """Returns the length of what follows the header of a record, and whether that record is the last."""
    value = int.from_bytes(header, 'big')
    return value & ~LAST, bool(value & LAST)


def open_sealed(aead: AesGcm, i: int, header: bytes, sealed: bytes) -> tuple[bytes, int]:
    """Returns the content and the type of record i. Raises RecordRefused if it is not authentic at this place."""
    try:
        padded = aead.open(nonce(i, decode_length(header)[1]), sealed, header)
    except AuthenticationError:
        raise RecordRefused(f'record {i} is not authentic') from None
    plaintext = padded.rstrip(b'\0')
    if not plaintext or len(padded) - len(plaintext) > MAX_PAD_BYTES:
        raise RecordRefused(f'record {i} has no type or too much padding')
    return plaintext[:-1], plaintext[-1]
