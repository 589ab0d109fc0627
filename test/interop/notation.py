"""The functions in the notation of docs/protocol.md: LP, b64, HMAC, HKDF."""

import base64
import hmac
from hashlib import sha256


def lp(*parts: bytes | str) -> bytes:
    """Prefixes each part with its length as u32. Numbers are passed as the decimal strings of the header."""
    octets = [part.encode() if isinstance(part, str) else part for part in parts]
    return b''.join(len(part).to_bytes(4, 'big') + part for part in octets)


def b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b'=').decode()


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, sha256)


def hkdf_extract(salt: bytes, ikm: bytes) -> bytes:
    """RFC 5869, section 2.2. For HMAC, an empty salt and a salt of 32 zeros are the same key."""
    return hmac_sha256(salt, ikm)


def hkdf_expand(prk: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869, section 2.3."""
    okm, block, counter = b'', b'', 1
    while len(okm) < length:
        block = hmac_sha256(prk, block + info + bytes([counter]))
        okm += block
        counter += 1
    return okm[:length]
