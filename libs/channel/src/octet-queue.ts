/** Small pieces are merged into blocks of this size. */
const BLOCK_BYTES = 16_384;

/**
 * Octets in their order. Small pieces are merged, so that the memory taken is about what was put in: neither a buffer for each
 * octet, nor a whole record for a part of it. protocol.md section 11.4.
 */
export class OctetQueue {
  private readonly blocks: Buffer[] = [];
  /** How much of the last block is filled. */
  private filled = 0;
  private total = 0;

  /** Octets in the queue. */
  get bytes(): number {
    return this.total;
  }

  /** @param octets - copied */
  push(octets: Buffer): void {
    this.total += octets.length;
    const last = this.blocks.at(-1);
    const fitting = last === undefined ? 0 : octets.copy(last, this.filled);
    this.filled += fitting;
    if (fitting < octets.length) {
      const rest = octets.subarray(fitting);
      const block = Buffer.allocUnsafeSlow(this.blockBytes(rest.length));
      this.blocks.push(block);
      this.filled = rest.copy(block);
    }
  }

  /** The first octets, as many as are in one piece; undefined if there are none. The caller owns them. */
  shift(): Buffer | undefined {
    const first = this.blocks.shift();
    if (first === undefined) {
      return undefined;
    }
    const octets = this.blocks.length === 0 ? first.subarray(0, this.filled) : first;
    this.total -= octets.length;
    return octets;
  }

  /** Forgets everything. */
  clear(): void {
    this.blocks.length = 0;
    this.total = 0;
  }

  /** The first block is exactly as large as its octets, later ones at most as large as what waits already. */
  private blockBytes(needed: number): number {
    return Math.max(needed, Math.min(BLOCK_BYTES, this.total - needed));
  }
}
