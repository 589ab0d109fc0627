"""Self-tests of the primitives, against the vectors of their standards."""

import ml_kem
import x_wing
from aes_gcm import AesGcm, AuthenticationError
from known_answers import expect, expect_refusal, octets
from x25519 import BASE_POINT, x25519


def aes_gcm_matches_the_gcm_specification() -> None:
    """Test cases 13, 14 and 16 of the GCM specification by McGrew and Viega."""
    zero = AesGcm(bytes(32))
    expect(zero.seal(bytes(12), b'', b'').hex(), '530f8afbc74536b9a963b4f1c4cb738b')
    expect(
        zero.seal(bytes(12), bytes(16), b'').hex(),
        'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
    )
    key = octets('feffe9928665731c6d6a8f9467308308' * 2)
    plaintext = octets(
        'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72'
        '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39'
    )
    aad = octets('feedfacedeadbeeffeedfacedeadbeefabaddad2')
    nonce = octets('cafebabefacedbaddecaf888')
    sealed = AesGcm(key).seal(nonce, plaintext, aad)
    expect(
        sealed.hex(),
        '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa'
        '8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662'
        '76fc6ece0f4e1768cddf8853bb2d551b',
    )
    expect(AesGcm(key).open(nonce, sealed, aad), plaintext)
    for changed in (sealed[:-1] + b'\0', b'\0' + sealed[1:], sealed[:15]):
        expect_refusal(AuthenticationError, lambda: AesGcm(key).open(nonce, changed, aad))


def x25519_matches_rfc_7748() -> None:
    """Section 5.2: the first vector, and one iteration from the base point."""
    scalar = octets('a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4')
    point = octets('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c')
    expect(
        x25519(scalar, point).hex(),
        'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
    )
    expect(
        x25519(BASE_POINT, BASE_POINT).hex(),
        '422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079',
    )


def x_wing_matches_the_draft() -> None:
    """The first test vector in appendix C of the draft."""
    seed = octets('7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26')
    eseed = octets(
        '3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2'
        '35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2'
    )
    pk = x_wing.public_key(seed)
    expect((len(pk), pk[:16].hex()), (1216, 'e2236b35a8c24b39b10aa1323a96a919'))
    shared_secret, ct = x_wing.encapsulate(pk, eseed)
    expect((len(ct), ct[:16].hex()), (1120, 'b83aa828d4d62b9a83ceffe1d3d3bb1e'))
    expect(shared_secret.hex(), 'd2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384')
    expect(x_wing.decapsulate(seed, ct), shared_secret)


def x_wing_returns_another_secret_for_a_changed_ciphertext() -> None:
    seed = bytes(range(32))
    shared_secret, ct = x_wing.encapsulate(x_wing.public_key(seed), bytes(64))
    changed = bytes([ct[0] ^ 1]) + ct[1:]
    implicit = x_wing.decapsulate(seed, changed)
    expect(implicit == shared_secret, False)
    expect(x_wing.decapsulate(seed, changed), implicit)


def x_wing_rejects_a_key_with_a_coefficient_that_is_not_less_than_q() -> None:
    pk = b'\xff\xff' + x_wing.public_key(bytes(32))[2:]
    expect_refusal(ml_kem.InvalidKey, lambda: x_wing.encapsulate(pk, bytes(64)))


def x_wing_rejects_a_point_of_small_order() -> None:
    pk = x_wing.public_key(bytes(32))[:-32] + bytes(32)
    expect_refusal(ml_kem.InvalidKey, lambda: x_wing.encapsulate(pk, bytes(64)))


TESTS = [
    aes_gcm_matches_the_gcm_specification,
    x25519_matches_rfc_7748,
    x_wing_matches_the_draft,
    x_wing_returns_another_secret_for_a_changed_ciphertext,
    x_wing_rejects_a_key_with_a_coefficient_that_is_not_less_than_q,
    x_wing_rejects_a_point_of_small_order,
]
