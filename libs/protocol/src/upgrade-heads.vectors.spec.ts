import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import {
  decodeRequestHead,
  decodeResponseHead,
  encodeRequestHead,
  type RequestHead,
} from './message-head.js';
import { checkRequestHead, checkResponseHead } from './head-rules.js';
import { HeadInvalidError } from './protocol.errors.js';
import {
  decodeSwitching,
  decodeUpgradeRequest,
  encodeSwitching,
  encodeUpgradeRequest,
} from './upgrade-heads.js';

interface Known<Head> {
  readonly head: Head;
  readonly head_bytes: string;
}
interface Refused {
  readonly rule: string;
  readonly head_bytes: string;
}
interface KnownHeads {
  readonly requests: readonly Known<RequestHead>[];
  readonly switching: readonly Known<{ readonly status: number; readonly fields: string[] }>[];
  readonly refused_requests: readonly Refused[];
  readonly refused_switching: readonly Refused[];
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../test/vectors/protocol-1-more.json', import.meta.url), 'utf8'),
) as { readonly upgrade_heads: KnownHeads };
const known = vectors.upgrade_heads;

const octets = (hex: string): Buffer => Buffer.from(hex, 'hex');

/** The fields without `upgrade`, and its value. */
function split(fields: readonly string[]) {
  const at = fields.indexOf('upgrade');
  return { fields: fields.toSpliced(at, 2), protocol: fields[at + 1]! };
}
const namesUpgradeLast = ({ head: { fields } }: Known<{ readonly fields: readonly string[] }>) =>
  fields.at(-2) === 'upgrade';

describe('the known head of an upgrade', () => {
  it.each(known.requests)('$head_bytes is decoded as a request', ({ head, head_bytes }) => {
    const { fields, protocol } = split(head.fields);
    expect(decodeUpgradeRequest(octets(head_bytes))).toEqual({
      head: { ...head, fields },
      protocol,
    });
  });

  it.each(known.switching)('$head_bytes is decoded as a 101', ({ head, head_bytes }) => {
    expect(decodeSwitching(octets(head_bytes))).toEqual(split(head.fields));
  });

  it.each(known.requests.filter(namesUpgradeLast))(
    '$head_bytes is what its request is encoded to',
    ({ head, head_bytes }) => {
      const { fields, protocol } = split(head.fields);
      const encoded = encodeUpgradeRequest({ head: { ...head, fields }, protocol });
      expect(encoded.toString('hex')).toBe(head_bytes);
    },
  );

  it.each(known.switching.filter(namesUpgradeLast))(
    '$head_bytes is what its 101 is encoded to',
    ({ head, head_bytes }) => {
      const { fields, protocol } = split(head.fields);
      expect(encodeSwitching(fields, protocol).toString('hex')).toBe(head_bytes);
    },
  );

  it('is none of an ordinary request or response', () => {
    for (const { head_bytes } of known.requests) {
      expect(() => {
        checkRequestHead(decodeRequestHead(octets(head_bytes)));
      }).toThrow(HeadInvalidError);
    }
    for (const { head_bytes } of known.switching) {
      expect(() => {
        checkResponseHead(decodeResponseHead(octets(head_bytes)));
      }).toThrow(HeadInvalidError);
    }
  });
});

describe('the limit of fields of section 6', () => {
  const headOf = (count: number): Buffer =>
    encodeRequestHead({
      ...known.requests[0]!.head,
      fields: [...Array.from({ length: count }, () => ['a', '']).flat(), 'upgrade', 'websocket'],
    });

  it('does not count the field that an upgrade adds', () => {
    expect(decodeUpgradeRequest(headOf(256)).head.fields).toHaveLength(512);
    expect(() => decodeUpgradeRequest(headOf(257))).toThrow(HeadInvalidError);
  });
});

describe('a head of an upgrade is refused for', () => {
  it.each(known.refused_requests)('$rule, in a request: $head_bytes', ({ head_bytes }) => {
    expect(() => decodeUpgradeRequest(octets(head_bytes))).toThrow(HeadInvalidError);
  });

  it.each(known.refused_switching)('$rule, in a 101: $head_bytes', ({ head_bytes }) => {
    expect(() => decodeSwitching(octets(head_bytes))).toThrow(HeadInvalidError);
  });
});
