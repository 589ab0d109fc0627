import { spawnSync } from 'node:child_process';
import { existsSync, unlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { beforeEach, describe, expect, it } from 'vitest';

import { request } from '../support/clients/client.js';
import { startLoad } from '../support/clients/steady-load.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { listen } from '../support/network/listen.js';
import { startRelayProcess, type RelayProcess } from '../support/processes/relay-process.js';
import { pidsOfRequests, twoWorkers, workersUp } from '../support/processes/workers.js';
import { listenerChanges, type ListenerChanges } from '../support/tunnels/listener-changes.js';
import {
  CLIENT,
  startPlainClientTunnel,
  type PlainClientTunnel,
} from '../support/tunnels/plain-client-tunnel.js';
import { startCountingUpstream } from '../support/upstreams/counting-upstream.js';

/** Enough connections that each worker gets one. */
const CONNECTIONS = 20;
const LIMIT = { timeout: 60_000, interval: 50 };
const LISTENING = 'listener of a peer is listening';
const CLOSED = 'listener of a peer was closed';
const REFUSED = 'the new directory cannot be used: the previous one stays in use';

const environment = await twoWorkers();
let tunnel: PlainClientTunnel<RelayProcess>;
let relay: RelayProcess;
let changes: ListenerChanges;
let workers: readonly number[];
let socket: string;

beforeEach(async () => {
  const api = forThisTest(await startCountingUpstream());
  tunnel = forThisTest(
    await startPlainClientTunnel({
      upstream: api.url,
      outbound: environment,
      inbound: { REDIS_URL: environment.REDIS_URL },
      start: startRelayProcess,
    }),
  );
  relay = tunnel.outbound;
  changes = listenerChanges(tunnel, relay);
  workers = await workersUp(relay);
  socket = join(tunnel.folder, 'api.sock');
});

/** The processes that have logged a message about an address, once these have. */
const told = async (message: string, address: string, pids: readonly number[]): Promise<void> => {
  const found = () =>
    new Set(
      relay.log.items
        .filter((line) => line.msg === message && line['address'] === address)
        .map(({ pid }) => Number(pid)),
    );
  await expect.poll(() => pids.every((pid) => found().has(pid)), LIMIT).toBe(true);
};

/** Sends requests on connections of their own. @returns their statuses */
const send = async (to: { readonly origin: string; readonly socketPath?: string }) => {
  const { origin, ...spec } = to;
  const headers = { 'x-load-id': 'any', 'x-load-work': '5' };
  const sent = Array.from({ length: CONNECTIONS }, () => request(origin, { ...spec, headers }));
  return [...new Set((await Promise.all(sent)).map(({ status }) => status))];
};

const atSocket = () => ({ origin: 'http://localhost', socketPath: socket });

describe('#112 the listener of a relay with workers', () => {
  it('is served by each of them, at an address and at a socket, also after a live change', async () => {
    expect(await send({ origin: tunnel.listener })).toEqual([200]);
    await expect.poll(() => [...pidsOfRequests(relay)].sort(), LIMIT).toEqual([...workers].sort());

    await changes.make({ api: { listen: { socket, client: CLIENT } } });
    await told(LISTENING, socket, workers);
    await told(CLOSED, tunnel.listener.slice('http://'.length), workers);
    const before = relay.log.items.length;
    expect(await send(atSocket())).toEqual([200]);
    await expect
      .poll(() => {
        const items = relay.log.items.slice(before);
        return [...pidsOfRequests({ log: { items } } as typeof relay)].sort();
      }, LIMIT)
      .toEqual([...workers].sort());
    await expect(request(tunnel.listener)).rejects.toThrow('ECONNREFUSED');

    await changes.make({ api: { listen: undefined } });
    await told(CLOSED, socket, workers);
    await expect.poll(() => existsSync(socket), LIMIT).toBe(false);
  });

  it('goes on with the other one when one is killed, and with the replacement', async () => {
    await changes.make({ api: { listen: { socket, client: CLIENT } } });
    await told(LISTENING, socket, workers);
    // What was handed to the one that is killed may still be lost.
    const served = () => send(atSocket()).catch(String);
    const [first, second] = workers;
    process.kill(first!, 'SIGKILL');
    await relay.log.find(({ msg }) => msg === 'a worker ended unexpectedly');
    await expect.poll(served, LIMIT).toEqual([200]);

    const third = await relay.log.find(
      ({ msg, pid }) => msg === 'relay is listening' && !workers.includes(Number(pid)),
    );
    process.kill(second!, 'SIGKILL');
    const ends = () => relay.log.items.filter(({ msg }) => msg === 'a worker ended unexpectedly');
    await expect.poll(() => ends().length, LIMIT).toBe(2);
    await expect.poll(served, LIMIT).toEqual([200]);
    await expect.poll(() => [...pidsOfRequests(relay)], LIMIT).toContain(Number(third['pid']));
  });

  it('is no reason for a worker not to start if its socket was removed', async () => {
    await changes.make({ api: { listen: { socket, client: CLIENT } } });
    await told(LISTENING, socket, workers);
    unlinkSync(socket);
    process.kill(workers[0]!, 'SIGKILL');
    const line = await relay.log.find(
      ({ msg }) => msg === 'the socket of a listener was removed: nobody reaches it',
      LIMIT.timeout,
    );
    expect(line).toMatchObject({ level: 50, address: socket });
    await relay.log.find(({ msg, pid }) => msg === 'relay is listening' && pid === line['pid']);
  });

  it('loses no request while its workers are replaced', async () => {
    const load = forThisTest(
      startLoad({ origin: tunnel.listener, headers: {}, perSecond: 10, withMte: false }),
    );
    await load.pass(5);
    process.kill(relay.pid, 'SIGHUP');
    await relay.log.find(({ msg }) => msg === 'workers were replaced', LIMIT.timeout);
    await load.pass(5);
    expect((await load.stop()).filter(({ end }) => end !== 'completed')).toEqual([]);
  });

  it('opens in each of them once its address is free, however often each has tried, and in their replacements', async () => {
    const taken = forThisTest(await listen(createServer()));
    const address = `127.0.0.1:${taken.port}`;
    const change = { api: { listen: { address, client: CLIENT } } };
    expect(await changes.refused(change)).toContain('something listens there already');
    const refusals = () => relay.log.items.filter(({ msg }) => msg === REFUSED);
    await expect.poll(() => refusals().length, LIMIT).toBe(workers.length);
    await changes.healed(() => taken.close());
    await told(LISTENING, address, workers);
    expect(await send({ origin: `http://${address}` })).toEqual([200]);

    // Those that come now have never tried in vain.
    process.kill(relay.pid, 'SIGHUP');
    await relay.log.find(({ msg }) => msg === 'workers were replaced', LIMIT.timeout);
    expect(await send({ origin: `http://${address}` })).toEqual([200]);
    expect(refusals()).toHaveLength(workers.length);
  });

  it('replaces a socket that nobody listens at any more, in whichever of them comes first', async () => {
    const listening = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', listening, socket]);
    expect(existsSync(socket)).toBe(true);
    await changes.make({ api: { listen: { socket, mode: '0660', client: CLIENT } } });
    await told(LISTENING, socket, workers);
    expect(await send(atSocket())).toEqual([200]);
  });
});
