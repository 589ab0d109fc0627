import { createCipheriv } from 'node:crypto';

/**
 * Records made by hand, with node:crypto and nothing of the product: the sealer refuses to make the malformed ones that
 * an opener has to refuse. protocol.md section 6.
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

/** A whole message: an empty head, then the given plaintexts as its further records. */
export function sealMessage(key: Uint8Array, ...plaintexts: readonly Uint8Array[]): Buffer {
  const records = [recordPlaintext(Buffer.alloc(0), HEAD), ...plaintexts];
  return Buffer.concat(
    records.map((plaintext, at) => sealRecord(key, at, plaintext, at === records.length - 1)),
  );
}

/** The four bytes that begin a record. */
export function recordHeader(sealedBytes: number, isLast = false): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(sealedBytes + (isLast ? LAST : 0));
  return header;
}

/** Each byte as a chunk of its own. */
export function byteByByte(wire: Buffer): Buffer[] {
  return Array.from(wire, (_, at) => wire.subarray(at, at + 1));
}

interface Receiver {
  readonly isComplete: boolean;
  push(chunk: Buffer): readonly { readonly content: Buffer; readonly isLast: boolean }[];
  finish(): void;
}

/** What a receiver made of a message, up to the error that ended it, if one did. */
export interface Received {
  readonly contents: Buffer[];
  readonly isComplete: boolean;
  readonly error: unknown;
}

/** Pushes the chunks one after another, ends the message, and tells what came of it. */
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
