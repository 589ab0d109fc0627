import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import {
  deliverTo,
  type WireResponse,
  type WireRequest,
} from '../support/attackers/man-in-the-middle.js';
import { errorOf } from '../support/clients/client.js';
import { ProtocolClient } from '../support/attackers/protocol-client.js';
import { SECRET, TOKEN } from '../support/relays/relay.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import {
  startSharedSessionTunnel,
  type SharedSessionTunnel,
} from '../support/tunnels/shared-session-tunnel.js';

const CANARY = 'canary-in-a-request';
const BITMAP_AT = 1312;
const BLOB_BYTES = 164;

const shared = sharedResources();
let tunnel: SharedSessionTunnel;
let client: ProtocolClient;
let key: string;

beforeAll(async () => {
  tunnel = shared(await startSharedSessionTunnel());
});

beforeEach(async () => {
  tunnel.upstream.forget();
  client = await ProtocolClient.pair(tunnel.inbound[0].url);
  key = `mte:s:${client.session.sid}`;
});

/** Delivers a request to the replica that has not seen the session yet. */
const deliver = (request: WireRequest): Promise<WireResponse> =>
  deliverTo(tunnel.inbound[1].url, request);

describe('#19 an attacker who reads the session store', () => {
  it('finds no key, no secret, no identity and no part of a request in it', async () => {
    const message = client.seal({
      head: { path: `/${CANARY}`, fields: ['authorization', CANARY] },
      body: [CANARY],
    });
    expect(await deliver(message)).toMatchObject({ status: 200 });
    expect(await tunnel.send({ path: `/${CANARY}`, body: CANARY })).toMatchObject({ status: 200 });

    const names = await tunnel.redis.keys('*');
    const entries = await Promise.all(names.map((name) => tunnel.redis.getBuffer(name)));
    const stored = Buffer.concat([Buffer.from(names.join()), ...entries.map((entry) => entry!)]);

    const { keys } = client.session;
    const canaries = [
      ...[keys.clientToServer, keys.serverToClient, client.secretKeys.psk, client.secretKeys.store],
      ...[SECRET, TOKEN, CANARY, 'protocol-client'].map((text) => Buffer.from(text)),
    ];
    expect(names).toContain(key);
    for (const canary of canaries) {
      for (const form of [canary, canary.toString('hex'), canary.toString('base64url')]) {
        expect(stored.includes(form)).toBe(false);
      }
    }
  });
});

describe('#20 an attacker who writes to the session store', () => {
  it('cannot make a relay use an altered or moved session: nothing is forwarded', async () => {
    const other = await ProtocolClient.pair(tunnel.inbound[0].url);
    const own = await tunnel.redis.getBuffer(key);
    const foreign = await tunnel.redis.getBuffer(`mte:s:${other.session.sid}`);
    const altered = Buffer.from(own!);
    altered.writeUInt8(altered.readUInt8(BLOB_BYTES - 1) ^ 1, BLOB_BYTES - 1);

    for (const entry of [altered, foreign!, own!.subarray(0, BLOB_BYTES - 1), Buffer.from('r')]) {
      await tunnel.redis.set(key, entry);
      expect((await deliver(client.seal())).status).toBeGreaterThan(559);
    }

    expect(tunnel.upstream.hits).toBe(0);
  });

  const overwriteAll = async (): Promise<void> => {
    for (const name of await tunnel.redis.keys('*')) {
      await tunnel.redis.set(name, 'anything');
    }
  };

  it('can make relays pair again, and no more than that for safe requests: they are still served', async () => {
    expect(await tunnel.send({ method: 'POST', body: 'one' })).toMatchObject({ status: 200 });
    await overwriteAll();

    expect(await tunnel.send({ method: 'GET' })).toMatchObject({ status: 200 });
    expect(await tunnel.send({ method: 'POST', body: 'two' })).toMatchObject({ status: 200 });
    expect(tunnel.upstream.hits).toBe(3);
  });

  it('can make the outcome of one POST that is under way uncertain, but not have it executed twice', async () => {
    expect(await tunnel.send({ method: 'POST', body: 'one' })).toMatchObject({ status: 200 });
    await overwriteAll();

    const response = await tunnel.send({ method: 'POST', body: 'two' });

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ forwarded: 'maybe' });
    expect(tunnel.upstream.hits).toBe(1);
    expect(await tunnel.send({ method: 'POST', body: 'three' })).toMatchObject({ status: 200 });
    expect(tunnel.upstream.hits).toBe(2);
  });

  it('can clear a mark and thereby have the message executed again: a documented risk', async () => {
    const message = client.seal();
    const sequence = 1;
    expect(await deliver(message)).toMatchObject({ status: 200 });
    expect(await deliver(message)).toMatchObject({ status: 565 });

    await tunnel.redis.setbit(key, BITMAP_AT + sequence, 0);

    expect(await deliver(message)).toMatchObject({ status: 200 });
    expect(tunnel.upstream.hits).toBe(2);
  });
});
