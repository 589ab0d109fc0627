import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { formatClientIdHeader, parseClientIdHeader } from './client-id-header.js';
import { RelayHeaderMalformedError } from './protocol.errors.js';

const kid = 'a53216a2';
const mac = 'fugrZafM7Cvg_nrLbqzqaU_rxyTupr08QBML1L7-EIQ';
const good = `${kid}.relay-a-1.${mac}`;

describe('x-mte-client-id', () => {
  it('gives kid, identity and signature, and stays as it stood', () => {
    expect(parseClientIdHeader(good)).toEqual({
      raw: good,
      kid,
      identity: `${kid}.relay-a-1`,
      mac,
    });
  });

  it.each(['a', '_', '-', '0', 'A'.repeat(64), 'Relay_A-1'])('accepts the client id %s', (id) => {
    expect(parseClientIdHeader(`${kid}.${id}.${mac}`).identity).toBe(`${kid}.${id}`);
  });

  it('comes back from what was formatted', () => {
    const signature = randomBytes(32).toString('base64url');
    const raw = formatClientIdHeader(`${kid}.relay`, signature);
    expect(parseClientIdHeader(raw)).toEqual({
      raw,
      kid,
      identity: `${kid}.relay`,
      mac: signature,
    });
  });

  // Only the text of a signature may be compared: its bytes would not tell these two headers apart.
  it('keeps a signature that is not canonical base64url apart from the canonical one', () => {
    const other = `${mac.slice(0, -1)}R`;
    expect(Buffer.from(other, 'base64url')).toEqual(Buffer.from(mac, 'base64url'));
    expect(parseClientIdHeader(`${kid}.relay-a-1.${other}`).mac).not.toBe(mac);
  });

  it.each([
    ['nothing', ''],
    ['itself twice, joined', `${good}, ${good}`],
    ['itself twice, joined without a space', `${good},${good}`],
    ['a space before', ` ${good}`],
    ['a space behind', `${good} `],
    ['a line feed behind', `${good}\n`],
    ['a fourth part', `${good}.`],
    ['an upper-case kid', good.replace(kid, kid.toUpperCase())],
    ['a short kid', good.slice(1)],
    ['a long kid', `a${good}`],
    ['a kid that is not hexadecimal', good.replace(kid, 'g53216a2')],
    ['no client id', `${kid}..${mac}`],
    ['two parts', `${kid}.${mac}`],
    ['a client id of 65 characters', `${kid}.${'a'.repeat(65)}.${mac}`],
    ['a dot in the client id', `${kid}.relay.a.${mac}`],
    ['a space in the client id', `${kid}.relay a.${mac}`],
    ['a percent sign in the client id', `${kid}.relay%2e.${mac}`],
    ['a client id beyond ASCII', `${kid}.caf\xe9.${mac}`],
    ['a short signature', good.slice(0, -1)],
    ['a long signature', `${good}A`],
    ['a padded signature', `${good}=`],
    ['a signature in plain base64', good.replace('_', '/')],
  ])('is refused with %s', (_name, raw) => {
    expect(() => parseClientIdHeader(raw)).toThrow(RelayHeaderMalformedError);
  });
});
