"""AES-256-GCM (FIPS 197, NIST SP 800-38D) with 96-bit nonces and 128-bit tags.

For tests only: it uses table lookups with secret indices and is therefore not constant-time.
"""

import hmac
import struct

TAG_BYTES = 16


class AuthenticationError(Exception):
    """The tag does not match the key, the nonce, the additional data and the ciphertext."""


def _times_x(value: int) -> int:
    """Multiplies by x in GF(2^8) of FIPS 197, section 4.2."""
    value <<= 1
    return value ^ 0x11B if value & 0x100 else value


def _make_s_box() -> list[int]:
    """FIPS 197, section 5.1.1: the inverse in GF(2^8), then an affine map."""
    powers, value = [], 1
    for _ in range(255):
        powers.append(value)
        value ^= _times_x(value)
    s_box = [0x63] * 256
    for exponent, element in enumerate(powers):
        inverse = powers[(255 - exponent) % 255]
        rotations = [(inverse << n | inverse >> 8 - n) & 0xFF for n in range(5)]
        s_box[element] = 0x63
        for rotation in rotations:
            s_box[element] ^= rotation
    return s_box


S_BOX = _make_s_box()


def _make_round_tables() -> list[list[int]]:
    """Combines SubBytes, ShiftRows and MixColumns of one octet into one lookup, with one table for each row."""
    first = []
    for s in S_BOX:
        double = _times_x(s)
        first.append(double << 24 | s << 16 | s << 8 | double ^ s)
    rotate = lambda word, bits: (word >> bits | word << 32 - bits) & 0xFFFFFFFF
    return [[rotate(word, 8 * row) for word in first] for row in range(4)]


T0, T1, T2, T3 = _make_round_tables()


def _substitute_word(word: int) -> int:
    return (
        S_BOX[word >> 24] << 24
        | S_BOX[word >> 16 & 0xFF] << 16
        | S_BOX[word >> 8 & 0xFF] << 8
        | S_BOX[word & 0xFF]
    )


def _expand_key(key: bytes) -> list[int]:
    """Returns the 60 round-key words of a 32-byte key: FIPS 197, section 5.2."""
    words = list(struct.unpack('>8L', key))
    round_constant = 1
    for i in range(8, 60):
        word = words[i - 1]
        if i % 8 == 0:
            rotated = (word << 8 | word >> 24) & 0xFFFFFFFF
            word = _substitute_word(rotated) ^ round_constant << 24
            round_constant = _times_x(round_constant)
        elif i % 8 == 4:
            word = _substitute_word(word)
        words.append(words[i - 8] ^ word)
    return words


class AesGcm:
    """AES-256-GCM with one key. `seal` and `open` follow SP 800-38D, with the tag appended to the ciphertext."""

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise ValueError('AES-256 requires a key of 32 bytes')
        self._round_keys = _expand_key(key)
        self._ghash_tables = self._make_ghash_tables(self._encrypt_block(0, 0, 0, 0))

    def seal(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        ciphertext = self._apply_key_stream(nonce, plaintext)
        return ciphertext + self._tag(nonce, ciphertext, aad)

    def open(self, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
        """Raises AuthenticationError without releasing any plaintext."""
        if len(sealed) < TAG_BYTES:
            raise AuthenticationError
        ciphertext, tag = sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(nonce, ciphertext, aad)):
            raise AuthenticationError
        return self._apply_key_stream(nonce, ciphertext)

    def _encrypt_block(self, a: int, b: int, c: int, d: int) -> int:
        """Encrypts one block, given as four words, and returns it as a 128-bit number."""
        keys = self._round_keys
        a, b, c, d = a ^ keys[0], b ^ keys[1], c ^ keys[2], d ^ keys[3]
        for i in range(4, 56, 4):
            a, b, c, d = (
                T0[a >> 24] ^ T1[b >> 16 & 255] ^ T2[c >> 8 & 255] ^ T3[d & 255] ^ keys[i],
                T0[b >> 24] ^ T1[c >> 16 & 255] ^ T2[d >> 8 & 255] ^ T3[a & 255] ^ keys[i + 1],
                T0[c >> 24] ^ T1[d >> 16 & 255] ^ T2[a >> 8 & 255] ^ T3[b & 255] ^ keys[i + 2],
                T0[d >> 24] ^ T1[a >> 16 & 255] ^ T2[b >> 8 & 255] ^ T3[c & 255] ^ keys[i + 3],
            )
        block = 0
        for i, (p, q, r, s) in enumerate([(a, b, c, d), (b, c, d, a), (c, d, a, b), (d, a, b, c)]):
            word = p & 0xFF000000 | q & 0xFF0000 | r & 0xFF00 | s & 0xFF
            block = block << 32 | _substitute_word(word) ^ keys[56 + i]
        return block

    def _apply_key_stream(self, nonce: bytes, text: bytes) -> bytes:
        """Counter mode. It starts at counter 2, because counter 1 masks the tag."""
        n0, n1, n2 = struct.unpack('>3L', nonce)
        blocks = (len(text) + 15) // 16
        stream = b''.join(
            self._encrypt_block(n0, n1, n2, counter).to_bytes(16, 'big')
            for counter in range(2, blocks + 2)
        )[: len(text)]
        mixed = int.from_bytes(text, 'big') ^ int.from_bytes(stream, 'big')
        return mixed.to_bytes(len(text), 'big')

    def _tag(self, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes:
        padded = lambda text: text + bytes(-len(text) % 16)
        lengths = struct.pack('>2Q', 8 * len(aad), 8 * len(ciphertext))
        digest = self._ghash(padded(aad) + padded(ciphertext) + lengths)
        return (digest ^ self._encrypt_block(*struct.unpack('>3L', nonce), 1)).to_bytes(16, 'big')

    @staticmethod
    def _make_ghash_tables(h: int) -> list[list[int]]:
        """Returns, for each of the 16 octets of a block, the products of its 256 values with H."""
        products = []
        for _ in range(128):
            products.append(h)
            h = h >> 1 ^ (0xE1 << 120 if h & 1 else 0)
        tables = []
        for octet in range(16):
            table = [0] * 256
            for bit in range(8):
                step = 0x80 >> bit
                for value in range(step, 256, 2 * step):
                    for low in range(step):
                        table[value + low] ^= products[8 * octet + bit]
            tables.append(table)
        return tables

    def _ghash(self, text: bytes) -> int:
        digest = 0
        for start in range(0, len(text), 16):
            digest ^= int.from_bytes(text[start : start + 16], 'big')
            product = 0
            for table, octet in zip(self._ghash_tables, digest.to_bytes(16, 'big')):
                product ^= table[octet]
            digest = product
        return digest
