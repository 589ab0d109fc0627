import { isAscii } from 'node:buffer';

import { PairMessageMalformedError } from './protocol.errors.js';

const VERSION = 1;
/** HPKE mode_psk with X-Wing, HKDF-SHA256, export-only. The only suite; nothing is negotiated. */
const SUITE = 1;

const PUBLIC_KEY_BYTES = 1216;
const ENCAPSULATION_BYTES = 1120;
/** Length of the confirmation at the end of a pairing response. */
export const CONFIRM_BYTES = 32;
const REQUEST_PREFIX_BYTES = 11;
const MAX_AUDIENCE_BYTES = 255;
/** The largest body of a pairing request: 1,482 bytes. A receiver reads no more. protocol.md section 4. */
export const MAX_PAIR_REQUEST_BYTES = REQUEST_PREFIX_BYTES + MAX_AUDIENCE_BYTES + PUBLIC_KEY_BYTES;

/** How far the clock of a sender that pairs may be off, in ms. protocol.md section 4. */
export const MAX_CLOCK_SKEW_MS = 120_000;

const ENCAPSULATION_AT = 10;
const CONFIRM_AT = ENCAPSULATION_AT + ENCAPSULATION_BYTES;
/** The length of every pairing response: 1,162 bytes. protocol.md section 4. */
export const PAIR_RESPONSE_BYTES = CONFIRM_AT + CONFIRM_BYTES;

const MIN_LIFETIME_SECONDS = 300;
const MAX_LIFETIME_SECONDS = 86_400;
const MAX_MESSAGES = 2 ** 20 - 1;

/**
 * The body of a pairing request, encoded as
 * version (1) || suite (1) || unix ms (8) || n (1) || audience (n) || public key (1216). protocol.md section 4.
 */
export interface PairRequest {
  /** The initiator's clock, in milliseconds since 1970. */
  readonly unixMs: number;
  /** The origin by which the initiator knows the responder: 1–255 ASCII bytes. */
  readonly audience: string;
  /** The initiator's X-Wing encapsulation key: 1,216 bytes. It has not been validated beyond its length. */
  readonly publicKey: Uint8Array;
}

/**
 * Encodes the body of a pairing request.
 *
 * @throws PairMessageMalformedError if the audience is empty, longer than 255 bytes or not ASCII
 */
export function encodePairRequest(request: PairRequest): Buffer {
  const audience = Buffer.from(request.audience, 'utf8');
  if (audience.length !== request.audience.length || !isAudienceLength(audience.length)) {
    throw new PairMessageMalformedError(`audience is not 1–${MAX_AUDIENCE_BYTES} ASCII bytes`);
  }
  const prefix = Buffer.allocUnsafe(REQUEST_PREFIX_BYTES);
  prefix.writeUInt8(VERSION, 0);
  prefix.writeUInt8(SUITE, 1);
  prefix.writeBigUInt64BE(BigInt(request.unixMs), 2);
  prefix.writeUInt8(audience.length, 10);
  return Buffer.concat([prefix, audience, request.publicKey]);
}

/**
 * Decodes the body of a pairing request. protocol.md section 4.
 *
 * @param body - the whole body; the public key of the result is a view of it
 * @throws PairMessageMalformedError if the length, version, suite, audience or time is not one that the layout allows
 */
export function decodePairRequest(body: Buffer): PairRequest {
  if (body.length < REQUEST_PREFIX_BYTES) {
    throw new PairMessageMalformedError(`pairing request of ${body.length} bytes is too short`);
  }
  checkVersion(body);
  const audienceBytes = body.readUInt8(10);
  const publicKeyAt = REQUEST_PREFIX_BYTES + audienceBytes;
  if (!isAudienceLength(audienceBytes) || body.length !== publicKeyAt + PUBLIC_KEY_BYTES) {
    throw new PairMessageMalformedError(
      'pairing request length does not match its audience length',
    );
  }
  if (!isAscii(body.subarray(REQUEST_PREFIX_BYTES, publicKeyAt))) {
    throw new PairMessageMalformedError('audience of the pairing request is not ASCII');
  }
  const unixMs = body.readBigUInt64BE(2);
  if (unixMs > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new PairMessageMalformedError('time of the pairing request is out of range');
  }
  return {
    unixMs: Number(unixMs),
    audience: body.toString('latin1', REQUEST_PREFIX_BYTES, publicKeyAt),
    publicKey: body.subarray(publicKeyAt),
  };
}

/**
 * The body of a pairing response without its confirmation. The whole body is encoded as
 * version (1) || suite (1) || lifetime (4) || max messages (4) || enc (1120) || confirm (32). protocol.md section 4.
 */
export interface PairResponse {
  /** 300 … 86,400. */
  readonly lifetimeSeconds: number;
  /** 1 … 2^20 − 1. */
  readonly maxMessages: number;
  readonly encapsulation: Uint8Array;
}

/** Encodes a pairing response up to its confirmation, which is computed over exactly these bytes. */
export function encodePairResponse(response: PairResponse): Buffer {
  const fixed = Buffer.allocUnsafe(ENCAPSULATION_AT);
  fixed.writeUInt8(VERSION, 0);
  fixed.writeUInt8(SUITE, 1);
  fixed.writeUInt32BE(response.lifetimeSeconds, 2);
  fixed.writeUInt32BE(response.maxMessages, 6);
  return Buffer.concat([fixed, response.encapsulation]);
}

/**
 * Decodes the body of a pairing response.
 *
 * @returns the fields, the bytes that the confirmation covers and the confirmation itself, which the caller must verify
 * @throws PairMessageMalformedError if the length, version, suite or terms are not those that protocol.md section 4
 *   allows
 */
export function decodePairResponse(
  body: Buffer,
): PairResponse & { readonly confirmed: Buffer; readonly confirm: Buffer } {
  if (body.length !== PAIR_RESPONSE_BYTES) {
    throw new PairMessageMalformedError(
      `pairing response is ${body.length} bytes long instead of ${PAIR_RESPONSE_BYTES}`,
    );
  }
  checkVersion(body);
  const lifetimeSeconds = body.readUInt32BE(2);
  if (lifetimeSeconds < MIN_LIFETIME_SECONDS || lifetimeSeconds > MAX_LIFETIME_SECONDS) {
    throw new PairMessageMalformedError(
      `session lifetime of ${lifetimeSeconds} s is outside ${MIN_LIFETIME_SECONDS}–${MAX_LIFETIME_SECONDS}`,
    );
  }
  const maxMessages = body.readUInt32BE(6);
  if (maxMessages < 1 || maxMessages > MAX_MESSAGES) {
    throw new PairMessageMalformedError(
      `session limit of ${maxMessages} messages is outside 1–${MAX_MESSAGES}`,
    );
  }
  return {
    lifetimeSeconds,
    maxMessages,
    encapsulation: body.subarray(ENCAPSULATION_AT, CONFIRM_AT),
    confirmed: body.subarray(0, CONFIRM_AT),
    confirm: body.subarray(CONFIRM_AT),
  };
}

function isAudienceLength(bytes: number): boolean {
  return bytes >= 1 && bytes <= MAX_AUDIENCE_BYTES;
}

function checkVersion(body: Buffer): void {
  if (body.readUInt8(0) !== VERSION || body.readUInt8(1) !== SUITE) {
    throw new PairMessageMalformedError('unsupported pairing version or suite');
  }
}
