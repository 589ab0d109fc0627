"""The keys derived from a secret, and the headers that they sign: docs/protocol.md, sections 1 and 2."""

import hmac
import re
from dataclasses import dataclass
from functools import cache
from hashlib import scrypt, sha256

from notation import b64, hkdf_expand, hmac_sha256, lp

MAX_SEQ = 2**20 - 1
CLIENT_ID = re.compile(r'([0-9a-f]{8})\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{43})')
B64_16 = '[A-Za-z0-9_-]{21}[AQgw]'
NUMBER = '[1-9][0-9]{0,6}'
TUNNEL_REQUEST = re.compile(
    rf'1\.({B64_16})\.({NUMBER})(?:r({NUMBER}))?\.(0|[1-9][0-9]{{0,4}})\.(mke|mte|check)\.{B64_16}'
)
OPENING_REQUEST = re.compile(
    rf'1\.({B64_16})\.({NUMBER})\.(0|[1-9][0-9]{{0,4}})\.(chan|conn)\.{B64_16}'
)
TUNNEL_RESPONSE = re.compile(rf'1\.{B64_16}')
SIGNED_ERROR = re.compile(r'1\.error\.([0-9]{3})\.([01])\.([0-9]{13})\.([A-Za-z0-9_-]{43})')


@dataclass(frozen=True)
class SecretKeys:
    kid: str
    k_sender: bytes
    k_error: bytes
    k_store: bytes
    psk: bytes


@cache
def derive_secret_keys(secret: str) -> SecretKeys:
    """Section 1. Takes about a tenth of a second and 32 MiB, once for each secret."""
    root = scrypt(
        secret.encode(), salt=b'mte-relay/1 root', n=2**15, r=8, p=1, maxmem=64 * 2**20, dklen=32
    )
    derive = lambda label: hkdf_expand(root, b'mte-relay/1 ' + label, 32)
    return SecretKeys(
        kid=derive(b'kid')[:4].hex(),
        k_sender=derive(b'sender'),
        k_error=derive(b'error'),
        k_store=derive(b'store'),
        psk=derive(b'psk'),
    )


@dataclass(frozen=True)
class TunnelHeader:
    """The x-mte-relay of a message or of the opening of a channel. `replaced` is the number of the message that this one replaces."""

    sid: str
    seq: int
    replaced: int | None
    age_seconds: int
    kind: str


def encode_tunnel_header(header: TunnelHeader, salt: bytes) -> str:
    number = str(header.seq) if header.replaced is None else f'{header.seq}r{header.replaced}'
    return f'1.{header.sid}.{number}.{header.age_seconds}.{header.kind}.{b64(salt)}'


def decode_tunnel_header(value: str) -> TunnelHeader | None:
    """Returns None for anything that section 2 does not allow in a message."""
    match = TUNNEL_REQUEST.fullmatch(value)
    if match is None:
        return None
    seq, replaced = int(match[2]), None if match[3] is None else int(match[3])
    if seq > MAX_SEQ or (replaced is not None and (replaced >= seq or match[5] == 'check')):
        return None
    return TunnelHeader(match[1], seq, replaced, int(match[4]), match[5])


def decode_opening_header(value: str) -> TunnelHeader | None:
    """Returns None for anything that section 11.1 does not allow in the opening of a channel."""
    match = OPENING_REQUEST.fullmatch(value)
    if match is None or int(match[2]) > MAX_SEQ:
        return None
    return TunnelHeader(match[1], int(match[2]), None, int(match[3]), match[4])


def _sender_mac(
    keys: SecretKeys, purpose: str, identity: str, relay_header: str, body: bytes
) -> str:
    body_hash = sha256(body).digest() if purpose == 'pair' else b''
    signed = lp('mte-relay/1 sender', purpose, identity, relay_header, body_hash)
    return b64(hmac_sha256(keys.k_sender, signed))


def sign_client_id(
    keys: SecretKeys, client_id: str, purpose: str, relay_header: str, body: bytes = b''
) -> str:
    """Returns the value of x-mte-client-id for a request with the purpose `pair` or `tunnel`."""
    identity = f'{keys.kid}.{client_id}'
    return f'{identity}.{_sender_mac(keys, purpose, identity, relay_header, body)}'


def verify_client_id(
    keys: SecretKeys, header: str, purpose: str, relay_header: str, body: bytes = b''
) -> str | None:
    """Returns `kid.clientId` if the header was signed with this secret, otherwise None."""
    match = CLIENT_ID.fullmatch(header)
    if match is None or match[1] != keys.kid:
        return None
    identity = f'{match[1]}.{match[2]}'
    expected = _sender_mac(keys, purpose, identity, relay_header, body)
    return identity if hmac.compare_digest(match[3], expected) else None


def derive_proof(k_s2c: bytes) -> bytes:
    """What only the sides of one session can sign, not a session that a replayed pairing made under the same sid."""
    return hmac_sha256(k_s2c, b'mte-relay/1 proof')


def _error_mac(
    keys: SecretKeys, client_id_header: str, status: str, p: str, unix_ms: str, proof: bytes | None
) -> str:
    bound = [proof] if p == '0' and proof is not None else []
    signed = lp('mte-relay/1 error', client_id_header, status, p, unix_ms, *bound)
    return b64(hmac_sha256(keys.k_error, signed))


def sign_error(
    keys: SecretKeys,
    client_id_header: str,
    status: int,
    p: int,
    unix_ms: int,
    proof: bytes | None = None,
) -> str:
    """
    Returns the x-mte-relay value of a signed error for the request with the given x-mte-client-id. `proof` is that of the
    session if the request is a message, and None if it is a pairing.
    """
    mac = _error_mac(keys, client_id_header, str(status), str(p), str(unix_ms), proof)
    return f'1.error.{status}.{p}.{unix_ms}.{mac}'


@dataclass(frozen=True)
class SignedError:
    status: int
    p: int
    unix_ms: int


def verify_error(
    keys: SecretKeys,
    client_id_header: str,
    http_status: int,
    header: str,
    proof: bytes | None = None,
) -> SignedError | None:
    """
    Returns the content of a signed error, or None if it is for another request or session, or its status line differs.
    `proof` is that of the own session if the request is a message, and None if it is a pairing.
    """
    match = SIGNED_ERROR.fullmatch(header)
    if match is None or match[1] != str(http_status):
        return None
    expected = _error_mac(keys, client_id_header, match[1], match[2], match[3], proof)
    if not hmac.compare_digest(match[4], expected):
        return None
    return SignedError(int(match[1]), int(match[2]), int(match[3]))
