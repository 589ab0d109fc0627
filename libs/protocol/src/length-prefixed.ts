/**
 * `LP(x, …)` of protocol.md: for each part, u32 big-endian length || bytes. Strings are UTF-8; numbers are the decimal
 * strings that stand in the header; the empty string has length 0.
 *
 * @returns a new buffer that the caller owns
 */
export function lengthPrefixed(...parts: readonly (string | number | Uint8Array)[]): Buffer {
  const chunks: Uint8Array[] = [];
  for (const part of parts) {
    const bytes = part instanceof Uint8Array ? part : Buffer.from(String(part), 'utf8');
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(bytes.length);
    chunks.push(length, bytes);
  }
  return Buffer.concat(chunks);
}
