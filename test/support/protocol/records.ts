import { createCipheriv } from 'node:crypto';

/**
 * Seals records with node:crypto and without code of the product, whose sealer refuses to make the malformed records
 * that an opener must reject. protocol.md section 6.
 */
export const HEAD = 1;
export const DATA = 2;

const LAST = 0x8000_0000;

/** content || type || zero padding. */
export function recordPlaintext(content: Uint8Array, type: number, padding = 0): Buffer {
  return Buffer.concat([content, Buffer.of(type), Buffer.alloc(padding)]);
}

export function sealRecord(
  key: Uint8Array,
  index: number,
  plaintext: Uint8Array,
  isLast: boolean,
): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(plaintext.length + 16 + (isLast ? LAST : 0));
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(index, 7);
  nonce.writeUInt8(isLast ? 1 : 0, 11);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(header);
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([header, sealed, cipher.getAuthTag()]);
}

/** A complete message: an empty head, then one record for each of the given plaintexts. */
export function sealMessage(key: Uint8Array, ...plaintexts: readonly Uint8Array[]): Buffer {
  const records = [recordPlaintext(Buffer.alloc(0), HEAD), ...plaintexts];
  return Buffer.concat(
    records.map((plaintext, at) => sealRecord(key, at, plaintext, at === records.length - 1)),
  );
}

/** The four bytes at the beginning of a record. */
export function recordHeader(sealedBytes: number, isLast = false): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(sealedBytes + (isLast ? LAST : 0));
  return header;
}

/** Splits bytes into chunks of one byte. */
export function byteByByte(wire: Buffer): Buffer[] {
  return Array.from(wire, (_, at) => wire.subarray(at, at + 1));
}

interface Receiver {
  readonly isComplete: boolean;
  push(chunk: Buffer): readonly { readonly content: Buffer; readonly isLast: boolean }[];
  finish(): void;
}

/** The result of receiving a message, up to the error that ended it, if any. */
export interface Received {
  readonly contents: Buffer[];
  readonly isComplete: boolean;
  readonly error: unknown;
}

/** Pushes the chunks in turn, ends the message and returns the result. */
export function receive(receiver: Receiver, chunks: readonly Buffer[]): Received {
  const contents: Buffer[] = [];
  let error: unknown;
  try {
    for (const chunk of chunks) {
      contents.push(...receiver.push(chunk).map((record) => record.content));
    }
    receiver.finish();
  } catch (thrown) {
    error = thrown;
  }
  return { contents, isComplete: receiver.isComplete, error };
}
