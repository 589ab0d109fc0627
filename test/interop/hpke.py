"""HPKE (RFC 9180) as docs/protocol.md, section 4, uses it: mode_psk, X-Wing, HKDF-SHA256, export-only."""

from collections.abc import Callable

from notation import hkdf_expand, hkdf_extract

MODE_PSK = 0x01
KEM_X_WING, KDF_HKDF_SHA256, AEAD_EXPORT_ONLY = 0x647A, 0x0001, 0xFFFF
SUITE_ID = b'HPKE' + b''.join(
    identifier.to_bytes(2, 'big') for identifier in (KEM_X_WING, KDF_HKDF_SHA256, AEAD_EXPORT_ONLY)
)

Export = Callable[[bytes, int], bytes]


def _labeled_extract(salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return hkdf_extract(salt, b'HPKE-v1' + SUITE_ID + label + ikm)


def _labeled_expand(prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    return hkdf_expand(prk, length.to_bytes(2, 'big') + b'HPKE-v1' + SUITE_ID + label + info, length)


def exporter(shared_secret: bytes, info: bytes, psk: bytes, psk_id: bytes) -> Export:
    """Runs the key schedule of section 5.1 and returns Context.Export(exporter_context, L) of section 5.3."""
    psk_id_hash = _labeled_extract(b'', b'psk_id_hash', psk_id)
    info_hash = _labeled_extract(b'', b'info_hash', info)
    context = bytes([MODE_PSK]) + psk_id_hash + info_hash
    secret = _labeled_extract(shared_secret, b'secret', psk)
    exporter_secret = _labeled_expand(secret, b'exp', context, 32)
    return lambda exporter_context, length: _labeled_expand(
        exporter_secret, b'sec', exporter_context, length
    )
