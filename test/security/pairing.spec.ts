import { CLIENT_ID_HEADER, RELAY_HEADER, deriveSecretKeys, type SecretKeys } from '@relay/protocol';
import { SessionStore } from '@relay/session';
import { verifyError } from '@relay/signature';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { startAttackedTunnel, type AttackedTunnel } from '../support/tunnels/attacked-tunnel.js';
import { errorOf } from '../support/clients/client.js';
import { flipBit } from '../support/attackers/corruption.js';
import {
  deliverTo,
  headerOf,
  withHeader,
  type WireResponse,
} from '../support/attackers/man-in-the-middle.js';
import { pairingRequest, signedPairing } from '../support/attackers/protocol-client.js';
import { SECRET, startRelay } from '../support/relays/relay.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';

const BODY_BIT_STEP = 31;
const BACK_OFF_MS = 60_000;

const shared = sharedResources();
let tunnel: AttackedTunnel;
let keys: SecretKeys;

beforeAll(async () => {
  tunnel = shared(await startAttackedTunnel());
  keys = await deriveSecretKeys(SECRET);
});

afterEach(() => {
  vi.restoreAllMocks();
});

const bitsOf = (bytes: number, step = 1): number[] =>
  Array.from({ length: Math.ceil((bytes * 8) / step) }, (_, at) => at * step);

describe('#1 a pairing request', () => {
  it('is refused, unsigned, and reserves nothing if a bit of its body is flipped', async () => {
    const { request } = await pairingRequest(tunnel.inbound.url, keys);
    const reserve = vi.spyOn(tunnel.inbound.app.get<SessionStore>(SessionStore), 'reserve');

    for (const bit of bitsOf(request.body.length, BODY_BIT_STEP)) {
      const response = await deliverTo(tunnel.inbound.url, {
        ...request,
        body: flipBit(request.body, bit),
      });
      expect([response.status, headerOf(response, RELAY_HEADER)], `bit ${bit}`).toEqual([566, '']);
    }

    expect(reserve).not.toHaveBeenCalled();
    expect(await deliverTo(tunnel.inbound.url, request)).toMatchObject({ status: 200 });
  });

  it('is refused, unsigned, and reserves nothing if a bit of its signature is flipped', async () => {
    const { request } = await pairingRequest(tunnel.inbound.url, keys);
    const reserve = vi.spyOn(tunnel.inbound.app.get<SessionStore>(SessionStore), 'reserve');
    const signature = Buffer.from(headerOf(request, CLIENT_ID_HEADER), 'latin1');
    const flipped = bitsOf(signature.length)
      .map((bit) => flipBit(signature, bit).toString('latin1'))
      // Other characters cannot occur in a header.
      .filter((value) => /^[\x21-\x7e]*$/.test(value));

    for (const value of flipped) {
      const response = await deliverTo(
        tunnel.inbound.url,
        withHeader(request, CLIENT_ID_HEADER, value),
      );
      expect([response.status, headerOf(response, RELAY_HEADER)], value).toEqual([566, '']);
    }

    expect(flipped.length).toBeGreaterThan(300);
    expect(reserve).not.toHaveBeenCalled();
  });

  it.each([
    ['without a sender', CLIENT_ID_HEADER, undefined, 569],
    ['without a version', RELAY_HEADER, undefined, 569],
    ['with version 2', RELAY_HEADER, '2', 566],
    ['with two senders', CLIENT_ID_HEADER, 'twice', 566],
  ])('is refused %s', async (_what, name, value, status) => {
    const { request } = await pairingRequest(tunnel.inbound.url, keys);
    const given = headerOf(request, name);
    const changed = withHeader(request, name, value === 'twice' ? `${given}, ${given}` : value);

    const response = await deliverTo(tunnel.inbound.url, changed);

    expect([response.status, headerOf(response, RELAY_HEADER)]).toEqual([status, '']);
  });

  it('is refused, unsigned, with a valid signature but the wrong version, suite or length', async () => {
    const { request } = await pairingRequest(tunnel.inbound.url, keys);
    const { body } = request;
    const wrong = [
      Buffer.concat([Buffer.of(2), body.subarray(1)]),
      Buffer.concat([body.subarray(0, 1), Buffer.of(2), body.subarray(2)]),
      body.subarray(0, -1),
      Buffer.concat([body, Buffer.of(0)]),
      Buffer.alloc(0),
    ];

    for (const bytes of wrong) {
      const response = await deliverTo(tunnel.inbound.url, signedPairing(bytes, keys));
      expect([response.status, headerOf(response, RELAY_HEADER)]).toEqual([566, '']);
    }
  });
});

describe('#1 a pairing response', () => {
  const refusedWith = async (change: (response: WireResponse) => WireResponse): Promise<void> => {
    tunnel.attacker.interceptPairing(async (request, deliver) => change(await deliver(request)));
    tunnel.upstream.forget();

    const response = await tunnel.send({ method: 'POST', body: 'x' });

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_PAIR_REFUSED', forwarded: 'no' });
    expect(tunnel.upstream.hits).toBe(0);
    tunnel.advance(BACK_OFF_MS);
  };

  it('creates no session if a bit of it is flipped', async () => {
    // Every bit of the fixed fields, and samples of the encapsulation and of the confirmation.
    const bits = [...bitsOf(10), ...bitsOf(1120, 997).map((bit) => 80 + bit)];
    bits.push(...bitsOf(32, 29).map((bit) => 1130 * 8 + bit));

    for (const bit of bits) {
      await refusedWith((response) => ({ ...response, body: flipBit(response.body, bit) }));
    }
  });

  it.each<[string, (response: WireResponse) => WireResponse]>([
    ['is cut', (response) => ({ ...response, body: response.body.subarray(0, -1) })],
    ['lacks its version', (response) => withHeader(response, RELAY_HEADER, undefined)],
    ['has version 2', (response) => withHeader(response, RELAY_HEADER, '2')],
    ['has another status', (response) => ({ ...response, status: 201 })],
    ['is all zeros', (response) => ({ ...response, body: Buffer.alloc(response.body.length) })],
  ])('creates no session if it %s', async (_what, change) => {
    await refusedWith(change);
  });

  it('creates a session if nobody has touched it, even after all those refusals', async () => {
    tunnel.attacker.interceptPairing(undefined);

    expect(await tunnel.send({ method: 'POST', body: 'x' })).toMatchObject({ status: 200 });
  });
});

describe('#6 a replayed pairing request', () => {
  it('creates no second session and costs no key exchange, however often it arrives', async () => {
    const flooded = forThisTest(await startAttackedTunnel());
    const store = flooded.inbound.app.get<SessionStore>(SessionStore);
    const put = vi.spyOn(store, 'put');
    const { request } = await pairingRequest(flooded.inbound.url, keys);

    const responses = await Promise.all(
      Array.from({ length: 100 }, () => deliverTo(flooded.inbound.url, request)),
    );

    const made = responses.filter(({ status }) => status === 200);
    const refused = responses.filter(({ status }) => status === 565);
    expect([made.length, refused.length]).toEqual([1, 99]);
    // A refusal comes before the key exchange whose result would be stored by `put`.
    expect(put).toHaveBeenCalledTimes(1);
    const clientIdHeader = headerOf(request, CLIENT_ID_HEADER);
    const [first] = refused;
    expect(verifyError(keys, clientIdHeader, headerOf(first!, RELAY_HEADER), 565)).toMatchObject({
      isNeverForwarded: true,
    });
  });
});

describe('#11 a pairing request', () => {
  it('is refused by another relay with the same secret but its own RELAY_AUDIENCE', async () => {
    const other = forThisTest(await startRelay({ RELAY_AUDIENCE: 'https://other.example' }));
    const { request } = await pairingRequest(tunnel.inbound.url, keys);

    const response = await deliverTo(other.url, request);

    expect([response.status, headerOf(response, RELAY_HEADER)]).toEqual([566, '']);
  });

  it('is refused by the RELAY_AUDIENCE of its sender if it is reflected', async () => {
    const own = await startAttackedTunnel({ outbound: { RELAY_AUDIENCE: 'https://own.example' } });
    forThisTest(own);
    own.attacker.interceptPairing((request) => deliverTo(own.outbound.url, request));

    const response = await own.send({ method: 'POST', body: 'x' });

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_PAIR_REFUSED', forwarded: 'no' });
    expect(own.upstream.hits).toBe(0);
  });
});

describe('#14 clocks that differ by an hour', () => {
  it.each([3_600_000, -3_600_000])(
    'pair after an additional round trip (%i ms)',
    async (clockSkewMs) => {
      const skewed = forThisTest(await startAttackedTunnel({ clockSkewMs }));

      expect(await skewed.send({ method: 'POST', body: 'x' })).toMatchObject({ status: 200 });

      const pairings = skewed.attacker.requests.items.filter(
        ({ path }) => path === '/api/mte-pair',
      );
      expect(pairings).toHaveLength(2);
    },
  );

  it('do not pair with a time that an attacker has altered', async () => {
    const skewed = forThisTest(await startAttackedTunnel({ clockSkewMs: 3_600_000 }));
    skewed.attacker.interceptPairing(async (request, deliver) => {
      const response = await deliver(request);
      const parts = headerOf(response, RELAY_HEADER).split('.');
      expect(parts.slice(0, 3)).toEqual(['1', 'error', '566']);
      const [, , , , unixMs] = parts;
      return withHeader(
        response,
        RELAY_HEADER,
        parts.with(4, String(Number(unixMs) + 1)).join('.'),
      );
    });

    const response = await skewed.send({ method: 'POST', body: 'x' });

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_PAIR_REFUSED', forwarded: 'no' });
    expect(skewed.attacker.requests.items).toHaveLength(1);
    expect(skewed.upstream.hits).toBe(0);
  });
});
