import { beforeAll, describe, expect, it } from 'vitest';

import { KeyRing, RelayHeaderMalformedError, type SecretKeys } from '@relay/protocol';

import { signSender, verifySender, type SignedPurpose } from './sender-signature.js';
import { RelayName } from './relay-name.js';
import { SenderSigner } from './sender-signer.js';
import { SenderInvalidError, SenderSelfError } from './signature.errors.js';

const SECRET = 'a-secret-that-both-relays-hold-1';
const OTHER_SECRET = 'a-secret-that-both-relays-hold-2';
const RELAY_HEADER = '1.E2uOwaOy1rJ0iSmtbBjUiw.1.0.mke.AQEBAQEBAQEBAQEBAQEBAQ';

const tunnel: SignedPurpose = { purpose: 'tunnel' };
const pair = (body: Uint8Array): SignedPurpose => ({ purpose: 'pair', body });

let keyRing: KeyRing;
let otherKeyRing: KeyRing;
let keys: SecretKeys;

beforeAll(async () => {
  keyRing = await KeyRing.derive(SECRET);
  otherKeyRing = await KeyRing.derive(OTHER_SECRET, SECRET);
  keys = keyRing.current;
});

describe('the signature of a sender', () => {
  it('verifies for what was signed, and yields the sender and its keys', () => {
    for (const signed of [tunnel, pair(Buffer.alloc(0)), pair(Buffer.from('body'))]) {
      const header = signSender(keys, 'relay-a', RELAY_HEADER, signed);
      expect(verifySender(keyRing, header, RELAY_HEADER, signed)).toEqual({
        clientIdHeader: header,
        identity: `${keys.kid}.relay-a`,
        secretKeys: keys,
      });
    }
  });

  it('is deterministic', () => {
    const sign = (): string => signSender(keys, 'relay-a', RELAY_HEADER, tunnel);
    expect(sign()).toBe(sign());
  });

  it('differs for every other purpose, secret, name, relay header and body', () => {
    const otherKeys = otherKeyRing.current;
    const headers = [
      signSender(keys, 'relay-a', RELAY_HEADER, tunnel),
      signSender(keys, 'relay-a', RELAY_HEADER, pair(Buffer.alloc(0))),
      signSender(keys, 'relay-a', RELAY_HEADER, pair(Buffer.from('body'))),
      signSender(keys, 'relay-a', RELAY_HEADER, pair(Buffer.from('bodY'))),
      signSender(keys, 'relay-b', RELAY_HEADER, tunnel),
      signSender(keys, 'relay-a', RELAY_HEADER.replace('.1.0.', '.2.0.'), tunnel),
      signSender(keys, 'relay-a', RELAY_HEADER.replace('.1.0.', '.1.1.'), tunnel),
      signSender(keys, 'relay-a', RELAY_HEADER.replace('.1.0.', '.1r1.0.'), tunnel),
      signSender(keys, 'relay-a', RELAY_HEADER.replace('mke', 'mte'), tunnel),
      signSender(keys, 'relay-a', '1', tunnel),
      signSender(keys, 'relay-a', '', tunnel),
      signSender(otherKeys, 'relay-a', RELAY_HEADER, tunnel),
    ];
    const macs = headers.map((header) => header.split('.')[2]);
    expect(new Set(macs).size).toBe(macs.length);
  });

  it('does not verify for another purpose, relay header or body', () => {
    const body = Buffer.from('body');
    const header = signSender(keys, 'relay-a', RELAY_HEADER, pair(body));
    const refused: [relayHeader: string, signed: SignedPurpose][] = [
      [RELAY_HEADER, tunnel],
      [RELAY_HEADER, pair(Buffer.from('bodx'))],
      [RELAY_HEADER, pair(Buffer.alloc(0))],
      [`${RELAY_HEADER} `, pair(body)],
      ['1', pair(body)],
    ];
    for (const [relayHeader, signed] of refused) {
      expect(() => verifySender(keyRing, header, relayHeader, signed)).toThrow(SenderInvalidError);
    }
  });

  it('does not verify under another name, or with any character of its MAC changed', () => {
    const header = signSender(keys, 'relay-a', RELAY_HEADER, tunnel);
    expect(() =>
      verifySender(keyRing, header.replace('relay-a', 'relay-b'), RELAY_HEADER, tunnel),
    ).toThrow(SenderInvalidError);
    const macAt = header.lastIndexOf('.') + 1;
    for (let at = macAt; at < header.length; at += 1) {
      const other = header[at] === 'A' ? 'B' : 'A';
      const forged = header.slice(0, at) + other + header.slice(at + 1);
      expect(() => verifySender(keyRing, forged, RELAY_HEADER, tunnel)).toThrow(SenderInvalidError);
    }
  });
});

describe('the kid', () => {
  it('selects the second secret that this relay accepts', () => {
    const header = signSender(keys, 'relay-a', RELAY_HEADER, tunnel);
    const verified = verifySender(otherKeyRing, header, RELAY_HEADER, tunnel);
    expect(verified.secretKeys.kid).toBe(keys.kid);
    expect(verified.identity).toBe(`${keys.kid}.relay-a`);
  });

  it('is refused if it names no secret of this relay', () => {
    const header = signSender(otherKeyRing.current, 'relay-a', RELAY_HEADER, tunnel);
    expect(() => verifySender(keyRing, header, RELAY_HEADER, tunnel)).toThrow(SenderInvalidError);
  });

  it('cannot be replaced by that of another accepted secret', () => {
    const header = signSender(keys, 'relay-a', RELAY_HEADER, tunnel);
    const swapped = header.replace(keys.kid, otherKeyRing.current.kid);
    expect(() => verifySender(otherKeyRing, swapped, RELAY_HEADER, tunnel)).toThrow(
      SenderInvalidError,
    );
  });
});

describe('a client id header', () => {
  it.each([
    ['two headers, joined as Node.js joins repeats', (header: string) => `${header}, ${header}`],
    ['an empty header', () => ''],
    ['a header without a MAC', (header: string) => header.slice(0, header.lastIndexOf('.'))],
    ['a header with a shorter MAC', (header: string) => header.slice(0, -1)],
    ['a header with a longer MAC', (header: string) => `${header}A`],
    ['a header with padding', (header: string) => `${header.slice(0, -1)}=`],
    ['a header in capitals', (header: string) => header.toUpperCase()],
  ])('is rejected as malformed: %s', (_name, change) => {
    const header = signSender(keys, 'relay-a', RELAY_HEADER, tunnel);
    expect(() => verifySender(keyRing, change(header), RELAY_HEADER, tunnel)).toThrow(
      RelayHeaderMalformedError,
    );
  });
});

describe('a signer', () => {
  it('signs with its own keys and name', () => {
    const signer = new SenderSigner(keys, 'relay-a');
    expect(signer.secretKeys).toBe(keys);
    expect(signer.sign(RELAY_HEADER, tunnel)).toBe(
      signSender(keys, 'relay-a', RELAY_HEADER, tunnel),
    );
  });

  it('refuses its own name under any secret, and no other sender', () => {
    const name = new RelayName('relay-a');
    for (const kid of [keys.kid, otherKeyRing.current.kid]) {
      expect(() => {
        name.refuseSelf(`${kid}.relay-a`);
      }).toThrow(SenderSelfError);
      for (const other of ['relay-b', 'relay-a2', 'relay', 'RELAY-A']) {
        name.refuseSelf(`${kid}.${other}`);
      }
    }
  });
});
