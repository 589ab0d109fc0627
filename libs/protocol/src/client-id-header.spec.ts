import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { formatClientIdHeader, parseClientIdHeader } from './client-id-header.js';
import { RelayHeaderMalformedError } from './protocol.errors.js';

const kid = 'a53216a2';
const mac = 'fugrZafM7Cvg_nrLbqzqaU_rxyTupr08QBML1L7-EIQ';
const good = `${kid}.relay-a-1.${mac}`;

describe('x-mte-client-id', () => {
  it('is decoded into kid, identity and signature, and kept as received', () => {
    expect(parseClientIdHeader(good)).toEqual({
      raw: good,
      kid,
      identity: `${kid}.relay-a-1`,
      mac,
    });
  });

  it.each(['a', '_', '-', '0', 'A'.repeat(64), 'Relay_A-1'])(
    'may contain the client id %s',
    (id) => {
      expect(parseClientIdHeader(`${kid}.${id}.${mac}`).identity).toBe(`${kid}.${id}`);
    },
  );

  it('decodes to what was encoded', () => {
    const signature = randomBytes(32).toString('base64url');
    const raw = formatClientIdHeader(`${kid}.relay`, signature);
    expect(parseClientIdHeader(raw)).toEqual({
      raw,
      kid,
      identity: `${kid}.relay`,
      mac: signature,
    });
  });

  // Signatures must be compared as text: these two decode to the same bytes.
  it('distinguishes a signature in non-canonical base64url from the canonical one', () => {
    const other = `${mac.slice(0, -1)}R`;
    expect(Buffer.from(other, 'base64url')).toEqual(Buffer.from(mac, 'base64url'));
    expect(parseClientIdHeader(`${kid}.relay-a-1.${other}`).mac).not.toBe(mac);
  });

  it.each([
    ['an empty value', ''],
    ['two equal values, joined', `${good}, ${good}`],
    ['two equal values, joined without a space', `${good},${good}`],
    ['a space before it', ` ${good}`],
    ['a space after it', `${good} `],
    ['a line feed after it', `${good}\n`],
    ['a fourth part', `${good}.`],
    ['an upper-case kid', good.replace(kid, kid.toUpperCase())],
    ['a short kid', good.slice(1)],
    ['a long kid', `a${good}`],
    ['a kid that is not hexadecimal', good.replace(kid, 'g53216a2')],
    ['no client id', `${kid}..${mac}`],
    ['only two parts', `${kid}.${mac}`],
    ['a client id of 65 characters', `${kid}.${'a'.repeat(65)}.${mac}`],
    ['a dot in the client id', `${kid}.relay.a.${mac}`],
    ['a space in the client id', `${kid}.relay a.${mac}`],
    ['a percent sign in the client id', `${kid}.relay%2e.${mac}`],
    ['a client id that is not ASCII', `${kid}.caf\xe9.${mac}`],
    ['a short signature', good.slice(0, -1)],
    ['a long signature', `${good}A`],
    ['a padded signature', `${good}=`],
    ['a signature in plain base64', good.replace('_', '/')],
  ])('is rejected with %s', (_name, raw) => {
    expect(() => parseClientIdHeader(raw)).toThrow(RelayHeaderMalformedError);
  });
});
