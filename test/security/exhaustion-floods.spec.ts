import { readFileSync } from 'node:fs';

import { TUNNEL_PATH, deriveSecretKeys, type SecretKeys } from '@relay/protocol';
import { beforeAll, describe, expect, it } from 'vitest';

import { underAttack } from '../support/attackers/load-under-attack.js';
import { sendEndlessly } from '../support/clients/endless-uploads.js';
import { deliverTo, type WireRequest } from '../support/attackers/man-in-the-middle.js';
import { startProcessTunnel, type ProcessTunnel } from '../support/tunnels/process-tunnel.js';
import { isSlow } from '../support/lifecycle/property.js';
import {
  ProtocolClient,
  pairingRequest,
  signedPairing,
} from '../support/attackers/protocol-client.js';
import { startRedisServer } from '../support/redis/redis-server.js';
import { SECRET } from '../support/relays/relay.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { connectRedis } from '../support/redis/session-store.js';

const MIB = 1024 * 1024;
const FORGED = isSlow ? 10_000 : 600;
const LARGE_HEADS = isSlow ? 5_000 : 100;
/** In long runs, more than 256 MiB in total. */
const ENDLESS_UPLOADS = isSlow ? 30 : 3;
const PAIRINGS = isSlow ? 5_000 : 300;
const PAIRINGS_PER_MINUTE = isSlow ? 300 : 100;
const ENDLESS_PATH = '/endless';
const TIMEOUT_MS = isSlow ? 600_000 : 120_000;
const CONCURRENCY = 50;
const SALT_22 = 'AAAAAAAAAAAAAAAAAAAAAA';

const shared = sharedResources();
let tunnel: ProcessTunnel;
let redis: ReturnType<typeof connectRedis>;
let keys: SecretKeys;
let peer: ProtocolClient;

beforeAll(async () => {
  const server = await startRedisServer();
  shared({ close: () => server.stop() });
  redis = shared(connectRedis(server.url));
  tunnel = shared(
    await startProcessTunnel(undefined, {
      REDIS_URL: server.url,
      MAX_PAIRINGS_PER_MINUTE: String(PAIRINGS_PER_MINUTE),
    }),
  );
  keys = await deriveSecretKeys(SECRET);
  peer = await ProtocolClient.pair(tunnel.inbound.url);
});

/** Calls `send` this many times, up to CONCURRENCY calls at a time. */
async function flood<T>(count: number, send: (at: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let at = 0;
  const sender = async (): Promise<void> => {
    while (at < count) {
      at += 1;
      results.push(await send(at));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, sender));
  return results;
}

/** How many scripts Redis has run for the relays: every session operation is one script. */
async function scriptsRun(): Promise<number> {
  const stats = await redis.info('commandstats');
  return [...stats.matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+)/gm)].reduce(
    (sum, [, calls]) => sum + Number(calls),
    0,
  );
}

/** CPU time that a process has used so far, in milliseconds. Linux counts it in hundredths of a second. */
function cpuMs(pid: number): number {
  const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [user = 0, system = 0] = fields.split(' ').slice(11, 13).map(Number);
  return (user + system) * 10;
}

const counted = (values: readonly unknown[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  values.forEach((value) => {
    counts[String(value)] = (counts[String(value)] ?? 0) + 1;
  });
  return counts;
};

describe('#34 flooding', { timeout: TIMEOUT_MS }, () => {
  it(`${FORGED} forged pairings and messages cause no Redis command and little other work`, async () => {
    const { request: pairing } = await pairingRequest(tunnel.inbound.url, keys);
    const stranger = await deriveSecretKeys('a secret that no relay here holds');
    const noise = Buffer.alloc(pairing.body.length, 'x');
    const sid = (at: number): string => Buffer.alloc(16, at).toString('base64url');
    const forgeries: ((at: number) => WireRequest)[] = [
      // A signature that was captured on the path, with another body.
      () => ({ ...pairing, body: noise }),
      () => signedPairing(noise, stranger),
      (at) => ({
        ...peer.signed(`1.${sid(at)}.1.0.mke.${SALT_22}`, noise),
        rawHeaders: [
          'x-mte-relay',
          `1.${sid(at)}.2.0.mke.${SALT_22}`,
          ...peer.seal().rawHeaders.slice(2),
        ],
        path: TUNNEL_PATH,
      }),
    ];
    await tunnel.send();
    const lines = (): number =>
      tunnel.inbound.log.items.filter(({ msg }) => msg === 'request refused').length;
    const linesBefore = lines();

    // Measured without honest traffic, whose messages are store operations as well.
    const scriptsBefore = await scriptsRun();
    const cpuBefore = cpuMs(tunnel.inbound.pid);
    const statuses = await flood(FORGED, async (at) => {
      const forged = forgeries[at % forgeries.length]!(at);
      return (await deliverTo(tunnel.inbound.url, forged)).status;
    });
    const cpuEach = (cpuMs(tunnel.inbound.pid) - cpuBefore) / FORGED;
    const scripts = (await scriptsRun()) - scriptsBefore;
    console.info(`${FORGED} forged: ${cpuEach.toFixed(2)} ms of CPU each, ${scripts} scripts`);

    expect(counted(statuses)).toEqual({ 566: FORGED });
    expect(scripts).toBe(0);
    // The log limit: 100 lines at first, then 100 a minute.
    expect(lines() - linesBefore).toBeLessThan(FORGED / 2);
    await underAttack(tunnel, `${FORGED} forged`, 128 * MIB, () =>
      flood(FORGED, (at) => deliverTo(tunnel.inbound.url, forgeries[at % forgeries.length]!(at))),
    );
  });

  it(`${PAIRINGS} pairings of one peer create only as many sessions as the rate limit permits`, async () => {
    const { request: first } = await pairingRequest(tunnel.inbound.url, keys);
    // One key is enough: each timestamp makes another transcript, and so another session.
    const now = Date.now();
    const pairings = Array.from({ length: PAIRINGS }, (_, at) => {
      const body = Buffer.from(first.body);
      body.writeBigUInt64BE(BigInt(now + at), 2);
      return signedPairing(body, keys, 'eager');
    });
    const sessionsBefore = await redis.dbsize();
    const startedAt = performance.now();

    const statuses = await underAttack(tunnel, `${PAIRINGS} pairings of one peer`, 128 * MIB, () =>
      flood(PAIRINGS, async (at) => {
        const { status } = await deliverTo(tunnel.inbound.url, pairings[at - 1]!);
        return status;
      }),
    );

    const minutes = (performance.now() - startedAt) / 60_000;
    const most = Math.ceil(PAIRINGS_PER_MINUTE * (1 + minutes));
    const made = (await redis.dbsize()) - sessionsBefore;
    const { 200: paired = 0, 564: refused = 0 } = counted(statuses);
    console.info(`${PAIRINGS} pairings: ${paired} made, ${refused} refused, ${made} in Redis`);
    expect(paired + refused).toBe(PAIRINGS);
    expect(paired).toBeGreaterThanOrEqual(PAIRINGS_PER_MINUTE);
    expect(paired).toBeLessThanOrEqual(most);
    expect(made).toBe(paired);
  });
});

describe('#33 flooding', { timeout: TIMEOUT_MS }, () => {
  it(`${LARGE_HEADS} oversized heads are all refused, within a bounded amount of memory`, async () => {
    const many = Object.fromEntries(
      Array.from({ length: 1_900 }, (_, at) => [`x-${at}`, 'x'.repeat(30)]),
    );
    const kinds = [
      { status: 431, headers: { 'x-large': 'x'.repeat(100_000) } },
      { status: 400, headers: { 'x-large': 'x'.repeat(70_000) } },
      { status: 431, headers: many },
    ];

    const wrong = await underAttack(tunnel, `${LARGE_HEADS} large heads`, 192 * MIB, () =>
      flood(LARGE_HEADS, async (at) => {
        const { status, headers } = kinds[at % kinds.length]!;
        const response = await tunnel.send({ headers });
        return response.status === status ? [] : [response.status];
      }),
    );

    expect(wrong.flat()).toEqual([]);
  });

  it(`${ENDLESS_UPLOADS} concurrent endless MTE bodies are refused, within the memory for buffered messages`, async () => {
    const headers = { ...tunnel.clientHeaders, 'x-mte-encode-type': 'MTE' };

    const responses = await underAttack(
      tunnel,
      `${ENDLESS_UPLOADS} endless bodies`,
      512 * MIB,
      () => sendEndlessly(tunnel.outbound.url + ENDLESS_PATH, headers, ENDLESS_UPLOADS),
    );

    const codes = responses.map(([status, body]) => {
      const [, code = '', forwarded = ''] = /"code":"(\w+)".*"forwarded":"(\w+)"/.exec(body) ?? [];
      return `${status} ${code} ${forwarded}`;
    });
    console.info(JSON.stringify(counted(codes)));
    const expected = ['413 RELAY_BODY_TOO_LARGE no', '503 RELAY_BUSY no'];
    if (isSlow) {
      // The relay was busy for longer than the 2 s that a refused sender has for reading the error.
      expected.push('502 RELAY_PEER_CONNECTION_LOST maybe');
    }
    expect(codes.filter((code) => !expected.includes(code))).toEqual([]);
    expect(codes).toContain(expected[0]);
    expect(tunnel.upstream.requests.items.filter(({ url }) => url === ENDLESS_PATH)).toEqual([]);
  });
});
