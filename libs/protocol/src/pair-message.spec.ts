import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import {
  MAX_PAIR_REQUEST_BYTES,
  PAIR_RESPONSE_BYTES,
  decodePairRequest,
  decodePairResponse,
  encodePairRequest,
  encodePairResponse,
} from './pair-message.js';
import { PairMessageMalformedError } from './protocol.errors.js';

const publicKey = randomBytes(1216);
const request = { unixMs: 1_767_225_600_000, audience: 'https://b.example', publicKey };
const requestBody = encodePairRequest(request);

/** The request with the given octets written at an offset. */
function requestWith(at: number, ...octets: number[]): Buffer {
  const body = Buffer.from(requestBody);
  body.set(octets, at);
  return body;
}

/** A request assembled by hand, with arbitrary bytes as its audience. */
function requestOf(audience: Buffer, key: Buffer = publicKey): Buffer {
  return Buffer.concat([requestBody.subarray(0, 10), Buffer.of(audience.length), audience, key]);
}

describe('a pairing request', () => {
  it('has the layout of protocol.md section 4', () => {
    expect(requestBody.toString('hex', 0, 11)).toBe('01010000019b76daa80011');
    expect(requestBody.toString('ascii', 11, 28)).toBe('https://b.example');
    expect(requestBody.subarray(28)).toEqual(publicKey);
    expect(decodePairRequest(requestBody)).toEqual(request);
  });

  it.each([1, 2, 17, 254, 255])('may have an audience of %i bytes', (bytes) => {
    const audience = 'a'.repeat(bytes);
    const body = encodePairRequest({ ...request, audience });
    expect(body).toHaveLength(11 + bytes + 1216);
    expect(decodePairRequest(body)).toEqual({ ...request, audience });
  });

  it('is at most 1,482 bytes long', () => {
    expect(MAX_PAIR_REQUEST_BYTES).toBe(1_482);
    const audience = 'a'.repeat(255);
    expect(encodePairRequest({ ...request, audience })).toHaveLength(1_482);
  });

  it.each([
    ['empty', ''],
    ['256 bytes long', 'a'.repeat(256)],
    ['not ASCII', 'https://b\xfccher.example'],
    ['255 characters long, but more bytes', '\xfc'.repeat(255)],
    ['an unpaired surrogate', '\ud800'],
  ])('is not encoded with an audience that is %s', (_name, audience) => {
    expect(() => encodePairRequest({ ...request, audience })).toThrow(PairMessageMalformedError);
  });

  it('is rejected with any other length', () => {
    const longer = Buffer.concat([requestBody, Buffer.alloc(300)]);
    for (let bytes = 0; bytes <= longer.length; bytes += 1) {
      if (bytes !== requestBody.length) {
        expect(() => decodePairRequest(longer.subarray(0, bytes))).toThrow(
          PairMessageMalformedError,
        );
      }
    }
  });

  it('is rejected with any audience length but its own', () => {
    for (let length = 0; length <= 255; length += 1) {
      if (length !== request.audience.length) {
        expect(() => decodePairRequest(requestWith(10, length))).toThrow(PairMessageMalformedError);
      }
    }
  });

  it('is rejected with an empty audience, even if its length matches', () => {
    expect(() => decodePairRequest(requestOf(Buffer.alloc(0)))).toThrow(PairMessageMalformedError);
  });

  it('is rejected with a public key of any other length', () => {
    const audience = Buffer.from(request.audience);
    for (const bytes of [0, 32, 1_184, 1_215, 1_217]) {
      expect(() => decodePairRequest(requestOf(audience, randomBytes(bytes)))).toThrow(
        PairMessageMalformedError,
      );
    }
  });

  it.each([0x80, 0xe9, 0xff])(
    'is rejected with the byte %i, which is not ASCII, in its audience',
    (octet) => {
      const audience = Buffer.from(request.audience);
      audience.writeUInt8(octet, 9);
      expect(() => decodePairRequest(requestOf(audience))).toThrow(PairMessageMalformedError);
    },
  );

  it('is rejected with any other version or suite', () => {
    for (let value = 0; value <= 255; value += 1) {
      if (value !== 1) {
        expect(() => decodePairRequest(requestWith(0, value))).toThrow(PairMessageMalformedError);
        expect(() => decodePairRequest(requestWith(1, value))).toThrow(PairMessageMalformedError);
      }
    }
  });

  it('may carry any time up to the largest safe integer, and none beyond', () => {
    for (const [hex, unixMs] of [
      ['0000000000000000', 0],
      ['0000000000000001', 1],
      ['001fffffffffffff', Number.MAX_SAFE_INTEGER],
    ] as const) {
      const body = requestWith(2, ...Buffer.from(hex, 'hex'));
      expect(decodePairRequest(body).unixMs).toBe(unixMs);
    }
    for (const hex of ['0020000000000000', '8000000000000000', 'ffffffffffffffff']) {
      expect(() => decodePairRequest(requestWith(2, ...Buffer.from(hex, 'hex')))).toThrow(
        PairMessageMalformedError,
      );
    }
  });
});

describe('a pairing response', () => {
  const encapsulation = randomBytes(1_120);
  const confirm = randomBytes(32);
  const respond = (lifetimeSeconds: number, maxMessages: number): Buffer =>
    Buffer.concat([encodePairResponse({ lifetimeSeconds, maxMessages, encapsulation }), confirm]);
  const body = respond(3_600, 262_143);

  it('has the layout of protocol.md section 4', () => {
    expect(PAIR_RESPONSE_BYTES).toBe(1_162);
    expect(body.toString('hex', 0, 10)).toBe('010100000e100003ffff');
    expect(decodePairResponse(body)).toEqual({
      lifetimeSeconds: 3_600,
      maxMessages: 262_143,
      encapsulation,
      confirmed: body.subarray(0, 1_130),
      confirm,
    });
  });

  it('is rejected with any other length', () => {
    const longer = Buffer.concat([body, Buffer.alloc(100)]);
    for (let bytes = 0; bytes <= longer.length; bytes += 1) {
      if (bytes !== body.length) {
        expect(() => decodePairResponse(longer.subarray(0, bytes))).toThrow(
          PairMessageMalformedError,
        );
      }
    }
  });

  it('is rejected with any other version or suite', () => {
    for (let value = 0; value <= 255; value += 1) {
      for (const at of [0, 1]) {
        const other = Buffer.from(body);
        other.writeUInt8(value, at);
        if (value !== 1) {
          expect(() => decodePairResponse(other)).toThrow(PairMessageMalformedError);
        }
      }
    }
  });

  it.each([300, 301, 86_399, 86_400])('may grant a lifetime of %i seconds', (seconds) => {
    expect(decodePairResponse(respond(seconds, 1)).lifetimeSeconds).toBe(seconds);
  });

  it.each([0, 1, 299, 86_401, 2 ** 31, 2 ** 32 - 1])(
    'is rejected with a lifetime of %i seconds',
    (seconds) => {
      expect(() => decodePairResponse(respond(seconds, 1))).toThrow(PairMessageMalformedError);
    },
  );

  it.each([1, 2, 2 ** 20 - 2, 2 ** 20 - 1])('may grant a limit of %i messages', (messages) => {
    expect(decodePairResponse(respond(300, messages)).maxMessages).toBe(messages);
  });

  it.each([0, 2 ** 20, 2 ** 31, 2 ** 32 - 1])(
    'is rejected with a limit of %i messages',
    (messages) => {
      expect(() => decodePairResponse(respond(300, messages))).toThrow(PairMessageMalformedError);
    },
  );
});
