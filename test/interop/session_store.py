"""
The session store: docs/protocol.md, section 5. One string for each session, as in Redis, but in memory and without
expiry of keys.
"""

import os
import threading
from dataclasses import dataclass
from hashlib import sha256

from aes_gcm import AesGcm, AuthenticationError
from notation import lp
from relay_headers import SecretKeys

RESERVED, DEAD = b'r', b'x'
NO_EPOCH = b'0' * 40
EPOCH_BYTES, NONCE_BYTES = 40, 12
HEAD_BYTES = EPOCH_BYTES + 4 + NONCE_BYTES
BLOB_BYTES = 164
BIT_0 = BLOB_BYTES * 8


class StoreUnavailable(Exception):
    """The store did not carry out an operation, or its outcome is unknown."""


class BlobRefused(Exception):
    """The blob was not sealed for this session and sender."""


@dataclass(frozen=True)
class StoredSession:
    k_c2s: bytes
    k_s2c: bytes
    expires_at_ms: int
    lifetime_seconds: int
    audience_hash: bytes


def audience_hash(audience: str) -> bytes:
    return sha256(audience.encode('ascii')).digest()[:16]


def _aad(sid: str, identity: str, epoch: bytes) -> bytes:
    return lp('mte-relay/1 store', sid, identity, epoch)


def seal_blob(
    keys: SecretKeys,
    sid: str,
    identity: str,
    epoch: bytes,
    session: StoredSession,
    nonce: bytes | None = None,
) -> bytes:
    """`identity` is `kid.clientId` of the sender whose pairing this was."""
    nonce = nonce or os.urandom(NONCE_BYTES)
    plaintext = (
        session.k_c2s
        + session.k_s2c
        + session.expires_at_ms.to_bytes(8, 'big')
        + session.lifetime_seconds.to_bytes(4, 'big')
        + session.audience_hash
    )
    sealed = AesGcm(keys.k_store).seal(nonce, plaintext, _aad(sid, identity, epoch))
    return epoch + bytes.fromhex(keys.kid) + nonce + sealed


def open_blob(keys: SecretKeys, sid: str, identity: str, blob: bytes) -> StoredSession:
    """Raises BlobRefused."""
    epoch, kid = blob[:EPOCH_BYTES], blob[EPOCH_BYTES : EPOCH_BYTES + 4]
    nonce, sealed = blob[EPOCH_BYTES + 4 : HEAD_BYTES], blob[HEAD_BYTES:]
    if len(blob) != BLOB_BYTES or kid.hex() != keys.kid:
        raise BlobRefused
    try:
        plaintext = AesGcm(keys.k_store).open(nonce, sealed, _aad(sid, identity, epoch))
    except AuthenticationError:
        raise BlobRefused from None
    return StoredSession(
        k_c2s=plaintext[:32],
        k_s2c=plaintext[32:64],
        expires_at_ms=int.from_bytes(plaintext[64:72], 'big'),
        lifetime_seconds=int.from_bytes(plaintext[72:76], 'big'),
        audience_hash=plaintext[76:92],
    )


class SessionStore:
    """The operations of section 5. The lock makes each of them what a script is in Redis."""

    def __init__(self, epoch: bytes = NO_EPOCH) -> None:
        self._epoch = epoch
        self._strings: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def reserve(self, sid: str) -> bytes | None:
        """Returns the epoch, or None if the sid was used before."""
        with self._lock:
            if sid in self._strings:
                return None
            self._strings[sid] = RESERVED
            return self._epoch

    def put(self, sid: str, blob: bytes) -> bool:
        with self._lock:
            if self._strings.get(sid) != RESERVED or blob[:EPOCH_BYTES] != self._epoch:
                return False
            self._strings[sid] = blob
            return True

    def open(self, sid: str) -> bytes | None:
        """Returns the blob, or None and ends the session, so that it cannot come back after it was denied."""
        with self._lock:
            blob = self._strings.get(sid, b'')[:BLOB_BYTES]
            if len(blob) == BLOB_BYTES and blob[:EPOCH_BYTES] == self._epoch:
                return blob
            self._strings[sid] = DEAD
            return None

    def mark(self, sid: str, head: bytes, seq: int, replaced: int | None) -> tuple[int, int] | None:
        """
        Consumes both numbers, the replaced one first. Returns their bits as they were, new and old (0 without one),
        or None if the session is not the one whose blob begins with `head`; it has ended then.
        """
        with self._lock:
            string = self._strings.get(sid, b'')
            known = len(string) >= BLOB_BYTES and string[:HEAD_BYTES] == head
            if not known or head[:EPOCH_BYTES] != self._epoch:
                self._strings[sid] = DEAD
                return None
            old = 0 if replaced is None else self._set_bit(sid, BIT_0 + replaced)
            return self._set_bit(sid, BIT_0 + seq), old

    def kill(self, sid: str) -> None:
        with self._lock:
            self._strings[sid] = DEAD

    def forget(self) -> None:
        """What a restart does to a store in memory."""
        with self._lock:
            self._strings.clear()

    def evict(self, sid: str) -> None:
        with self._lock:
            self._strings.pop(sid, None)

    def _set_bit(self, sid: str, bit: int) -> int:
        """SETBIT of Redis, which counts from the most significant bit of the first octet."""
        at, mask = bit // 8, 0x80 >> bit % 8
        string = bytearray(self._strings[sid].ljust(at + 1, b'\0'))
        before = 1 if string[at] & mask else 0
        string[at] |= mask
        self._strings[sid] = bytes(string)
        return before
