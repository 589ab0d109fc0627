"""Pairing, both sides: docs/protocol.md, section 4.

For tests only: X-Wing keys are handled in plain Python.
"""

import hmac
import os
from dataclasses import dataclass
from hashlib import sha256

import hpke
import x_wing
from ml_kem import InvalidKey
from notation import b64, hmac_sha256, lp
from relay_headers import MAX_SEQ, SecretKeys

REQUEST_FIXED_BYTES = 11 + x_wing.PUBLIC_KEY_BYTES
MAX_REQUEST_BYTES = REQUEST_FIXED_BYTES + 255
RESPONSE_BYTES = 10 + x_wing.CIPHERTEXT_BYTES + 32


class PairingRefused(Exception):
    """The pairing message of the peer violates section 4."""


@dataclass(frozen=True)
class Session:
    sid: str
    k_c2s: bytes
    k_s2c: bytes
    lifetime_seconds: int
    max_messages: int


@dataclass(frozen=True)
class PairRequest:
    unix_ms: int
    audience: str
    pk: bytes


def encode_request(unix_ms: int, audience: str, pk: bytes) -> bytes:
    aud = audience.encode('ascii')
    return bytes([1, 1]) + unix_ms.to_bytes(8, 'big') + bytes([len(aud)]) + aud + pk


def decode_request(body: bytes) -> PairRequest:
    if len(body) < 11 or body[0] != 1 or body[1] != 1 or body[10] == 0:
        raise PairingRefused
    if len(body) != REQUEST_FIXED_BYTES + body[10]:
        raise PairingRefused
    aud, pk = body[11 : 11 + body[10]], body[11 + body[10] :]
    unix_ms = int.from_bytes(body[2:10], 'big')
    if not aud.isascii() or unix_ms >= 2**53:
        raise PairingRefused
    return PairRequest(unix_ms, aud.decode('ascii'), pk)


def transcript_hash(client_id_header: str, body: bytes) -> bytes:
    return sha256(lp('mte-relay/1 pair', client_id_header, body)).digest()


def session_id(th: bytes) -> str:
    return b64(th[:16])


def _keys(keys: SecretKeys, identity: str, th: bytes, shared_secret: bytes) -> tuple[bytes, ...]:
    export = hpke.exporter(shared_secret, info=th, psk=keys.psk, psk_id=identity.encode())
    return export(b'c2s', 32), export(b's2c', 32), export(b'confirm', 32)


def _confirmation(k_confirm: bytes, th: bytes, response: bytes) -> bytes:
    return hmac_sha256(k_confirm, lp('mte-relay/1 confirm', th, response))


def respond(
    keys: SecretKeys,
    identity: str,
    th: bytes,
    pk: bytes,
    lifetime_seconds: int,
    max_messages: int,
    eseed: bytes | None = None,
) -> tuple[Session, bytes]:
    """B: returns the session and the response body. `identity` is `kid.clientId`. Raises InvalidKey."""
    shared_secret, enc = x_wing.encapsulate(pk, eseed or os.urandom(64))
    k_c2s, k_s2c, k_confirm = _keys(keys, identity, th, shared_secret)
    response = bytes([1, 1]) + lifetime_seconds.to_bytes(4, 'big') + max_messages.to_bytes(4, 'big') + enc
    session = Session(session_id(th), k_c2s, k_s2c, lifetime_seconds, max_messages)
    return session, response + _confirmation(k_confirm, th, response)


def finish(keys: SecretKeys, identity: str, th: bytes, seed: bytes, response: bytes) -> Session:
    """
    A: returns the session. Raises PairingRefused unless the response is well-formed, its values are within
    bounds and it proves that B knows the secret.
    """
    if len(response) != RESPONSE_BYTES or response[:2] != bytes([1, 1]):
        raise PairingRefused
    lifetime_seconds = int.from_bytes(response[2:6], 'big')
    max_messages = int.from_bytes(response[6:10], 'big')
    if not 300 <= lifetime_seconds <= 86400 or not 1 <= max_messages <= MAX_SEQ:
        raise PairingRefused
    confirmed, confirm = response[:-32], response[-32:]
    try:
        shared_secret = x_wing.decapsulate(seed, response[10:-32])
    except InvalidKey:
        raise PairingRefused from None
    k_c2s, k_s2c, k_confirm = _keys(keys, identity, th, shared_secret)
    if not hmac.compare_digest(confirm, _confirmation(k_confirm, th, confirmed)):
        raise PairingRefused
    return Session(session_id(th), k_c2s, k_s2c, lifetime_seconds, max_messages)
