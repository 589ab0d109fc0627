import { HeadInvalidError } from './protocol.errors.js';

/** Variable-length integers of RFC 9000 section 16, which RFC 9292 uses; here never above 2^30 − 1. */
const MAX_VARINT = 2 ** 30 - 1;

/** @returns how many bytes the shortest encoding takes: 1, 2 or 4 */
export function varintBytes(value: number): 1 | 2 | 4 {
  return value < 0x40 ? 1 : value < 0x4000 ? 2 : 4;
}

/** Writes the shortest encoding of `value`; returns the offset behind it. */
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

/** Reads RFC 9292 elements one after another, and refuses to read past the end. */
export class VarintReader {
  private offset = 0;

  constructor(private readonly bytes: Buffer) {}

  get isAtEnd(): boolean {
    return this.offset === this.bytes.length;
  }

  /**
   * Any encoding, shortest or not.
   *
   * @throws HeadInvalidError past the end, or above 2^30 − 1, which no length of a head reaches
   */
  readVarint(): number {
    const first = this.take(1)[0] ?? 0;
    let value = first & 0x3f;
    for (const byte of this.take((1 << (first >> 6)) - 1)) {
      value = value * 256 + byte;
    }
    if (value > MAX_VARINT) {
      throw new HeadInvalidError('integer is too large for a head');
    }
    return value;
  }

  /** A length and that many octets, as latin1. @throws HeadInvalidError past the end */
  readString(): string {
    return this.take(this.readVarint()).toString('latin1');
  }

  /** A length and that many octets, to be read in their turn. @throws HeadInvalidError past the end */
  readSection(): VarintReader {
    return new VarintReader(this.take(this.readVarint()));
  }

  private take(bytes: number): Buffer {
    const end = this.offset + bytes;
    if (end > this.bytes.length) {
      throw new HeadInvalidError('head is cut short');
    }
    const taken = this.bytes.subarray(this.offset, end);
    this.offset = end;
    return taken;
  }
}
