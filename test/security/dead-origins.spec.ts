import { createServer, request as httpRequest } from 'node:http';

import { PairingInitiator } from '@relay/protocol';
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';

import { errorOf, type ClientResponse } from '../support/clients/client.js';
import { listen } from '../support/network/listen.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startRelay } from '../support/relays/relay.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';

/** One more than the peers that a relay remembers. */
const ORIGINS = 1_001;
const CONCURRENCY = 20;
/** How often the clients of one network may cause a key for a peer that then does not pair, in a burst. */
const KEYS_PER_MINUTE = 120;

let tunnel: Tunnel;
let begin: MockInstance<typeof PairingInitiator.begin>;

beforeEach(async () => {
  begin = vi.spyOn(PairingInitiator, 'begin');
  tunnel = forThisTest(await startTunnel());
  expect(await tunnel.send()).toMatchObject({ status: 200 });
  expect(begin).toHaveBeenCalledTimes(1);
  begin.mockClear();
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Different origins on this machine; all addresses in 127.0.0.0/8 lead to it. */
const originAt = (at: number, port: number): string =>
  `http://127.1.${at >> 8}.${at & 0xff}:${port}`;

/** Sends one request for each of the origins. @returns the status and code of each response */
async function nameAll(port: number): Promise<Map<string, number>> {
  const outcomes = new Map<string, number>();
  let next = 0;
  const sender = async (): Promise<void> => {
    while (next < ORIGINS) {
      next += 1;
      const response = await tunnel.send({ headers: { 'x-mte-upstream': originAt(next, port) } });
      const outcome = `${response.status} ${codeOf(response)}`;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, sender));
  return outcomes;
}

const codeOf = (response: ClientResponse): string => {
  const { code, forwarded } = errorOf(response);
  return `${code} ${forwarded}`;
};

/** Expects that the session with the relay that others use is still in use. */
async function expectSameSession(): Promise<void> {
  expect(await tunnel.send({ method: 'POST', body: 'x' })).toMatchObject({ status: 200 });
  const paired = tunnel.outbound.log.items.filter(
    ({ msg, peer }) => msg === 'paired' && peer === tunnel.inbound.url,
  );
  expect(paired).toHaveLength(1);
}

describe('#54 a client that names 1,001 origins', { timeout: 200_000 }, () => {
  it('where nothing listens causes no key, and ends no session', async () => {
    const outcomes = await nameAll(9);

    expect([...outcomes]).toEqual([['502 RELAY_PEER_UNREACHABLE no', ORIGINS]]);
    expect(begin).not.toHaveBeenCalled();
    await expectSameSession();
  });

  it('that are no relays causes few keys, ends no session, and keeps no other client from pairing', async () => {
    const server = createServer((_request, response) => response.end('no relay'));
    const { port } = forThisTest(await listen(server, 0, '0.0.0.0'));
    const another = forThisTest(await startRelay({ UPSTREAM: tunnel.upstream.url }));
    const startedAt = performance.now();

    const outcomes = await nameAll(port);

    expect(await statusFrom('127.0.0.2', another.url)).toBe(200);
    const minutes = (performance.now() - startedAt) / 60_000;
    expect([...outcomes.keys()].sort()).toEqual(['502 RELAY_PAIR_REFUSED no', '503 RELAY_BUSY no']);
    expect(begin.mock.calls.length).toBeGreaterThanOrEqual(KEYS_PER_MINUTE);
    expect(begin.mock.calls.length).toBeLessThanOrEqual(
      Math.ceil(KEYS_PER_MINUTE * (1 + minutes)) + CONCURRENCY,
    );
    await expectSameSession();
  });
});

/** Sends one request for this peer from another address. @returns the status of the response */
function statusFrom(localAddress: string, upstream: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { ...tunnel.clientHeaders, 'x-mte-upstream': upstream };
    httpRequest(tunnel.outbound.url, { localAddress, headers, agent: false })
      .once('response', (response) => {
        response.resume();
        resolve(response.statusCode);
      })
      .once('error', reject)
      .end();
  });
}
