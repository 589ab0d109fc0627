/**
 * `LP(x, …)` of protocol.md ("Notation"): for each part, its length as a big-endian u32, then its bytes. Strings are
 * encoded in UTF-8, and numbers as the decimal strings that appear in the header; an empty string has length 0.
 *
 * @returns a new buffer, which the caller owns
 */
export function lengthPrefixed(...parts: readonly (string | number | Uint8Array)[]): Buffer {
  const values = parts.map((part) => (typeof part === 'number' ? String(part) : part));
  // One buffer for all parts: a request needs several such inputs, and a buffer for each part costs more than the MAC.
  const target = Buffer.allocUnsafe(values.reduce((sum, value) => sum + 4 + bytesOf(value), 0));
  let offset = 0;
  for (const value of values) {
    offset = target.writeUInt32BE(bytesOf(value), offset);
    offset += write(target, value, offset);
  }
  return target;
}

function bytesOf(value: string | Uint8Array): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : value.length;
}

function write(target: Buffer, value: string | Uint8Array, offset: number): number {
  if (typeof value === 'string') {
    return target.write(value, offset);
  }
  target.set(value, offset);
  return value.length;
}
