import { HeadInvalidError } from './protocol.errors.js';

/**
 * The largest integer accepted here. RFC 9292 uses the variable-length integers of RFC 9000 section 16, up to 2^62 − 1.
 */
const MAX_VARINT = 2 ** 30 - 1;

/** @returns the length of the shortest encoding: 1, 2 or 4 bytes */
export function varintBytes(value: number): 1 | 2 | 4 {
  return value < 0x40 ? 1 : value < 0x4000 ? 2 : 4;
}

/** Writes the shortest encoding of `value`, and returns the offset after it. */
export function writeVarint(target: Buffer, value: number, offset: number): number {
  switch (varintBytes(value)) {
    case 1:
      return target.writeUInt8(value, offset);
    case 2:
      return target.writeUInt16BE(value | 0x4000, offset);
    case 4:
      return target.writeUInt32BE((value | 0x8000_0000) >>> 0, offset);
  }
}

/** Decodes RFC 9292 elements one after another, and never reads past the end. */
export class VarintReader {
  private offset = 0;

  constructor(private readonly bytes: Buffer) {}

  /** Whether all bytes have been read. */
  get isAtEnd(): boolean {
    return this.offset === this.bytes.length;
  }

  /**
   * Decodes an integer from any encoding, shortest or not.
   *
   * @throws HeadInvalidError past the end, or if the integer exceeds 2^30 − 1, which no length in a head reaches
   */
  readVarint(): number {
    const start = this.offset;
    const first = this.bytes[start] ?? 0;
    const end = this.skip(1 << (first >> 6));
    let value = first & 0x3f;
    for (let at = start + 1; at < end; at += 1) {
      value = value * 256 + (this.bytes[at] ?? 0);
    }
    if (value > MAX_VARINT) {
      throw new HeadInvalidError('integer is too large for a head');
    }
    return value;
  }

  /**
   * Decodes a length and that many octets, as latin1.
   *
   * @throws HeadInvalidError past the end
   */
  readString(): string {
    const length = this.readVarint();
    const end = this.skip(length);
    return this.bytes.toString('latin1', end - length, end);
  }

  /**
   * Decodes a length, and returns a reader for that many octets, which shares their memory.
   *
   * @throws HeadInvalidError past the end
   */
  readSection(): VarintReader {
    const length = this.readVarint();
    const end = this.skip(length);
    return new VarintReader(this.bytes.subarray(end - length, end));
  }

  /** @returns the offset after the next `bytes` */
  private skip(bytes: number): number {
    const end = this.offset + bytes;
    if (end > this.bytes.length) {
      throw new HeadInvalidError('head is truncated');
    }
    this.offset = end;
    return end;
  }
}
