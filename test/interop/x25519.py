"""X25519 (RFC 7748, section 5).

For tests only: arithmetic on Python integers is not constant-time.
"""

P = 2**255 - 19
BASE_POINT = (9).to_bytes(32, 'little')


def x25519(scalar: bytes, u_coordinate: bytes) -> bytes:
    """Returns the u-coordinate of the clamped scalar times the point. All three are 32 bytes, little-endian."""
    k = int.from_bytes(scalar, 'little') & ~7 & (1 << 255) - 1 | 1 << 254
    x1 = int.from_bytes(u_coordinate, 'little') & (1 << 255) - 1
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in reversed(range(255)):
        bit = k >> t & 1
        if swap != bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b = x2 + z2, x2 - z2
        aa, bb = a * a % P, b * b % P
        e = aa - bb
        da, cb = (x3 - z3) * a % P, (x3 + z3) * b % P
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, 'little')
