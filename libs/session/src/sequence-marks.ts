const INITIAL_BYTES = 32;

/** The consumed sequence numbers of one session: one bit each, in an array that grows on demand up to 128 KiB. */
export class SequenceMarks {
  private bits = new Uint8Array(INITIAL_BYTES);

  /**
   * @param sequence - 1 … 2^20 − 1
   * @returns false if the number was already marked
   */
  add(sequence: number): boolean {
    const at = sequence >>> 3;
    const bit = 1 << (sequence & 7);
    if (at >= this.bits.length) {
      const grown = new Uint8Array(Math.max(at + 1, 2 * this.bits.length));
      grown.set(this.bits);
      this.bits = grown;
    }
    const byte = this.bits[at] ?? 0;
    this.bits[at] = byte | bit;
    return (byte & bit) === 0;
  }
}
