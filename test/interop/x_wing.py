"""X-Wing (draft-connolly-cfrg-xwing-kem): ML-KEM-768 and X25519 as one KEM.

For tests only: it is not constant-time.
"""

from hashlib import sha3_256, shake_256

import ml_kem
from x25519 import BASE_POINT, x25519

PUBLIC_KEY_BYTES = ml_kem.ENCAPSULATION_KEY_BYTES + 32
CIPHERTEXT_BYTES = ml_kem.CIPHERTEXT_BYTES + 32
LABEL = bytes.fromhex('5c2e2f2f5e5c')


def _combine(ss_m: bytes, ss_x: bytes, ct_x: bytes, pk_x: bytes) -> bytes:
    return sha3_256(ss_m + ss_x + ct_x + pk_x + LABEL).digest()


def _shared_point(scalar: bytes, point: bytes) -> bytes:
    """RFC 7748, section 6.1: a point of small order yields zeros for every scalar, so they are rejected."""
    shared = x25519(scalar, point)
    if shared == bytes(32):
        raise ml_kem.InvalidKey
    return shared


def _expand(seed: bytes) -> tuple[bytes, bytes, bytes]:
    """Returns pk_M, sk_M and sk_X of the 32-byte decapsulation key."""
    expanded = shake_256(seed).digest(96)
    pk_m, sk_m = ml_kem.key_gen(expanded[:32], expanded[32:64])
    return pk_m, sk_m, expanded[64:]


def public_key(seed: bytes) -> bytes:
    pk_m, _, sk_x = _expand(seed)
    return pk_m + x25519(sk_x, BASE_POINT)


def encapsulate(pk: bytes, eseed: bytes) -> tuple[bytes, bytes]:
    """Returns the shared secret and the ciphertext, from 64 random bytes. Raises ml_kem.InvalidKey."""
    pk_m, pk_x = pk[: ml_kem.ENCAPSULATION_KEY_BYTES], pk[ml_kem.ENCAPSULATION_KEY_BYTES :]
    ss_m, ct_m = ml_kem.encapsulate(pk_m, eseed[:32])
    ct_x = x25519(eseed[32:], BASE_POINT)
    return _combine(ss_m, _shared_point(eseed[32:], pk_x), ct_x, pk_x), ct_m + ct_x


def decapsulate(seed: bytes, ct: bytes) -> bytes:
    """Raises ml_kem.InvalidKey if the X25519 part of the ciphertext is a point of small order."""
    ct_m, ct_x = ct[: ml_kem.CIPHERTEXT_BYTES], ct[ml_kem.CIPHERTEXT_BYTES :]
    _, sk_m, sk_x = _expand(seed)
    ss_m = ml_kem.decapsulate(sk_m, ct_m)
    return _combine(ss_m, _shared_point(sk_x, ct_x), ct_x, x25519(sk_x, BASE_POINT))
