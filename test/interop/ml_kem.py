"""ML-KEM-768 (FIPS 203). Names and algorithm numbers are those of the standard.

For tests only: it is not constant-time and does not erase its secrets.
"""

import hmac
from hashlib import sha3_256, sha3_512, shake_128, shake_256

Q, N = 3329, 256
K, ETA, DU, DV = 3, 2, 10, 4
ENCAPSULATION_KEY_BYTES = 384 * K + 32
CIPHERTEXT_BYTES = 32 * (DU * K + DV)

Polynomial = list[int]


class InvalidKey(Exception):
    """FIPS 203, section 7.2, rejects the encapsulation key."""


def _reverse_bits(i: int) -> int:
    return int(f'{i:07b}'[::-1], 2)


ZETAS = [pow(17, _reverse_bits(i), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * _reverse_bits(i) + 1, Q) for i in range(128)]


def _byte_encode(f: Polynomial, d: int) -> bytes:
    """Algorithm 5: the d low bits of each coefficient, least significant first."""
    bits = sum(coefficient << d * i for i, coefficient in enumerate(f))
    return bits.to_bytes(32 * d, 'little')


def _byte_decode(octets: bytes, d: int) -> Polynomial:
    """Algorithm 6, without the reduction for d = 12, so that the caller can check the coefficients first."""
    bits = int.from_bytes(octets, 'little')
    return [bits >> d * i & (1 << d) - 1 for i in range(N)]


def _split(octets: bytes, size: int) -> list[bytes]:
    return [octets[i : i + size] for i in range(0, len(octets), size)]


def _compress(f: Polynomial, d: int) -> Polynomial:
    """Section 4.2.1. Since q is odd, no quotient lies exactly halfway between two integers."""
    return [((x << d) + Q // 2) // Q % (1 << d) for x in f]


def _decompress(f: Polynomial, d: int) -> Polynomial:
    return [(y * Q + (1 << d - 1)) >> d for y in f]


def _sample_ntt(seed: bytes) -> Polynomial:
    """Algorithm 7. 1008 octets are nearly always enough; otherwise a longer output is taken from SHAKE."""
    wanted = 1008
    while True:
        stream = shake_128(seed).digest(wanted)
        f: Polynomial = []
        for a, b, c in zip(stream[0::3], stream[1::3], stream[2::3]):
            d1, d2 = a + 256 * (b % 16), b // 16 + 16 * c
            f.extend(d for d in (d1, d2) if d < Q)
        if len(f) >= N:
            return f[:N]
        wanted *= 2


def _sample_cbd(sigma: bytes, n: int) -> Polynomial:
    """Algorithm 8 with eta = 2 over PRF(sigma, n)."""
    bits = int.from_bytes(shake_256(sigma + bytes([n])).digest(64 * ETA), 'little')
    f = []
    for i in range(N):
        four = bits >> 4 * i
        f.append(((four & 1) + (four >> 1 & 1) - (four >> 2 & 1) - (four >> 3 & 1)) % Q)
    return f


def _ntt(f: Polynomial) -> Polynomial:
    """Algorithm 9."""
    f, i, length = f[:], 1, 128
    while length >= 2:
        for start in range(0, N, 2 * length):
            zeta = ZETAS[i]
            i += 1
            for j in range(start, start + length):
                t = zeta * f[j + length] % Q
                f[j + length] = (f[j] - t) % Q
                f[j] = (f[j] + t) % Q
        length //= 2
    return f


def _inverse_ntt(f: Polynomial) -> Polynomial:
    """Algorithm 10."""
    f, i, length = f[:], 127, 2
    while length <= 128:
        for start in range(0, N, 2 * length):
            zeta = ZETAS[i]
            i -= 1
            for j in range(start, start + length):
                t = f[j]
                f[j] = (t + f[j + length]) % Q
                f[j + length] = zeta * (f[j + length] - t) % Q
        length *= 2
    return [x * 3303 % Q for x in f]


def _multiply(f: Polynomial, g: Polynomial) -> Polynomial:
    """Algorithm 11: the product of two polynomials in the NTT domain."""
    h = []
    for i, gamma in enumerate(GAMMAS):
        a0, a1, b0, b1 = f[2 * i], f[2 * i + 1], g[2 * i], g[2 * i + 1]
        h += [(a0 * b0 + a1 * b1 * gamma) % Q, (a0 * b1 + a1 * b0) % Q]
    return h


def _add(f: Polynomial, g: Polynomial) -> Polynomial:
    return [(x + y) % Q for x, y in zip(f, g)]


def _inner_product(fs: list[Polynomial], gs: list[Polynomial]) -> Polynomial:
    total = [0] * N
    for f, g in zip(fs, gs):
        total = _add(total, _multiply(f, g))
    return total


def _matrix(rho: bytes) -> list[list[Polynomial]]:
    return [[_sample_ntt(rho + bytes([j, i])) for j in range(K)] for i in range(K)]


def _pke_key_gen(d: bytes) -> tuple[bytes, bytes]:
    """Algorithm 13: returns ek_PKE and dk_PKE."""
    g = sha3_512(d + bytes([K])).digest()
    rho, sigma = g[:32], g[32:]
    s = [_ntt(_sample_cbd(sigma, n)) for n in range(K)]
    e = [_ntt(_sample_cbd(sigma, K + n)) for n in range(K)]
    t = [_add(_inner_product(row, s), e[i]) for i, row in enumerate(_matrix(rho))]
    return b''.join(_byte_encode(f, 12) for f in t) + rho, b''.join(_byte_encode(f, 12) for f in s)


def _pke_encrypt(ek: bytes, m: bytes, r: bytes) -> bytes:
    """Algorithm 14."""
    t = [_byte_decode(octets, 12) for octets in _split(ek[: 384 * K], 384)]
    columns = list(zip(*_matrix(ek[384 * K :])))
    y = [_ntt(_sample_cbd(r, n)) for n in range(K)]
    e1 = [_sample_cbd(r, K + n) for n in range(K)]
    e2 = _sample_cbd(r, 2 * K)
    u = [_add(_inverse_ntt(_inner_product(column, y)), e1[i]) for i, column in enumerate(columns)]
    mu = _decompress(_byte_decode(m, 1), 1)
    v = _add(_add(_inverse_ntt(_inner_product(t, y)), e2), mu)
    c1 = b''.join(_byte_encode(_compress(f, DU), DU) for f in u)
    return c1 + _byte_encode(_compress(v, DV), DV)


def _pke_decrypt(dk: bytes, c: bytes) -> bytes:
    """Algorithm 15."""
    c1, c2 = c[: 32 * DU * K], c[32 * DU * K :]
    u = [_decompress(_byte_decode(octets, DU), DU) for octets in _split(c1, 32 * DU)]
    v = _decompress(_byte_decode(c2, DV), DV)
    s = [_byte_decode(octets, 12) for octets in _split(dk, 384)]
    product = _inverse_ntt(_inner_product(s, [_ntt(f) for f in u]))
    w = [(x - y) % Q for x, y in zip(v, product)]
    return _byte_encode(_compress(w, 1), 1)


def key_gen(d: bytes, z: bytes) -> tuple[bytes, bytes]:
    """Algorithm 16: returns the encapsulation key (1184 bytes) and the decapsulation key (2400 bytes)."""
    ek, dk = _pke_key_gen(d)
    return ek, dk + ek + sha3_256(ek).digest() + z


def check_encapsulation_key(ek: bytes) -> None:
    """Section 7.2: checks the length, and that every coefficient is less than q."""
    if len(ek) != ENCAPSULATION_KEY_BYTES:
        raise InvalidKey
    for octets in _split(ek[: 384 * K], 384):
        if any(coefficient >= Q for coefficient in _byte_decode(octets, 12)):
            raise InvalidKey


def encapsulate(ek: bytes, m: bytes) -> tuple[bytes, bytes]:
    """Algorithm 17 after the checks of section 7.2: returns the shared secret and the ciphertext."""
    check_encapsulation_key(ek)
    g = sha3_512(m + sha3_256(ek).digest()).digest()
    return g[:32], _pke_encrypt(ek, m, g[32:])


def decapsulate(dk: bytes, c: bytes) -> bytes:
    """Algorithm 18: returns the shared secret, or a pseudorandom one if the ciphertext is invalid."""
    dk_pke, ek = dk[: 384 * K], dk[384 * K : 768 * K + 32]
    h, z = dk[768 * K + 32 : 768 * K + 64], dk[768 * K + 64 :]
    m = _pke_decrypt(dk_pke, c)
    g = sha3_512(m + h).digest()
    if hmac.compare_digest(c, _pke_encrypt(ek, m, g[32:])):
        return g[:32]
    return shake_256(z + c).digest(32)
