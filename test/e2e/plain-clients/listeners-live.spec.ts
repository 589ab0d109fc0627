import { lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { HttpAdapterHost } from '@nestjs/core';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { RelayAdapter } from '../../../apps/relay/src/server/relay-adapter.js';
import { errorOf, request } from '../../support/clients/client.js';
import { startLoad } from '../../support/clients/steady-load.js';
import { Recorder } from '../../support/lifecycle/recorder.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { closedPort, listen } from '../../support/network/listen.js';
import { openSocket } from '../../support/network/raw-socket.js';
import { clientWith } from '../../support/relays/mounted-directory.js';
import { startRelay } from '../../support/relays/relay.js';
import { newSecret, tokenOf } from '../../support/tunnels/directory-tunnel.js';
import { listenerChanges, type ListenerChanges } from '../../support/tunnels/listener-changes.js';
import {
  CLIENT,
  HOST,
  startPlainClientTunnel,
  type PlainClientTunnel,
} from '../../support/tunnels/plain-client-tunnel.js';
import {
  ID_HEADER,
  startCountingUpstream,
  WORK_HEADER,
} from '../../support/upstreams/counting-upstream.js';
import { startUpstream, type Upstream } from '../../support/upstreams/upstream.js';

/** Requests between two changes. */
const SOME = 10;
/** Nothing is there: whether a request is meant for it shows all the same. */
const OTHER = { origins: ['http://127.0.0.1:9'], secret: { file: join('..data', 'other') } };
/** Another peer, and the client of its listener. */
const other = (keys: object) => ({
  peers: { other: { ...OTHER, ...keys } },
  clients: { any: clientWith('any-token', 'other') },
});
/** What the counting API wants of a request. */
const PROXIED = { [ID_HEADER]: 'proxied', [WORK_HEADER]: '10' };
const SHIPPING = { shipping: clientWith(tokenOf('shipping'), 'api') };

let api: Upstream;
let tunnel: PlainClientTunnel;
let changes: ListenerChanges;
/** An address that nothing listens at. */
let address: string;

const start = async (upstream: string) => {
  const started = forThisTest(
    await startPlainClientTunnel({
      upstream,
      outbound: { TUNNEL_TRANSPORT: 'auto' },
      start: startRelay,
    }),
  );
  return { ...started, changes: listenerChanges(started, started.outbound) };
};

/** Whether a connection is refused, and not only a request. */
const isRefused = (origin: string): Promise<boolean> =>
  request(origin).then(
    () => false,
    (error: unknown) => (error as NodeJS.ErrnoException).code === 'ECONNREFUSED',
  );

const addressesOf = (message: string): unknown[] =>
  tunnel.outbound.log.items.filter(({ msg }) => msg === message).map((line) => line['address']);

beforeEach(async () => {
  api = forThisTest(
    await startUpstream((_request, response) => {
      response.end('of the API');
    }),
  );
  ({ changes, ...tunnel } = await start(api.url));
  address = `127.0.0.1:${await closedPort(createServer())}`;
});

describe('#112 a listener in the file of a running relay', () => {
  it('comes, moves and goes, as do hosts, and no request at another listener or at the proxy fails meanwhile', async () => {
    const counting = forThisTest(await startCountingUpstream());
    const loaded = await start(counting.url);
    loaded.file.writeNamed('other', newSecret());
    const load = forThisTest(startLoad({ origin: loaded.listener, headers: {}, perSecond: 20 }));
    const statuses: number[] = [];
    const over = new AbortController();
    const proxying = (async () => {
      while (!over.signal.aborted) {
        const { status } = await loaded.proxied(`http://${HOST}/`, { headers: PROXIED });
        statuses.push(status);
      }
    })();
    for (const change of [
      other({ listen: { address, client: 'any' } }),
      other({ listen: { socket: join(loaded.folder, 's'), client: 'any' }, hosts: ['o.example'] }),
      other({}),
      {},
    ]) {
      await load.pass(SOME);
      await loaded.changes.make(change);
    }
    await load.pass(SOME);
    over.abort();
    await proxying;
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect((await load.stop()).filter(({ end }) => end !== 'completed')).toEqual([]);
  });

  it('is at its new address, and no longer at the old one, once it has moved', async () => {
    await changes.make({ api: { listen: { address, client: CLIENT } } });
    expect((await request(`http://${address}`)).body.toString()).toBe('of the API');
    expect(await isRefused(tunnel.listener)).toBe(true);
    const lines = tunnel.outbound.log.items.filter(({ msg }) => msg.startsWith('listener of a'));
    expect(lines.map((line) => [line.msg, line['address']])).toEqual([
      ['listener of a peer is listening', tunnel.listener.slice('http://'.length)],
      ['listener of a peer is listening', address],
      ['listener of a peer was closed', tunnel.listener.slice('http://'.length)],
    ]);
  });

  it('leads to another peer from the moment that its address is passed on', async () => {
    tunnel.file.writeNamed('other', newSecret());
    const listen = { address: tunnel.listener.slice('http://'.length), client: 'any' };
    await changes.make({
      api: { listen: undefined },
      ...other({ listen }),
    });
    const response = await tunnel.listened();
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_PEER_UNREACHABLE', forwarded: 'no' });
    expect(api.hits).toBe(0);
  });

  it('serves another client from the moment that it has that one', async () => {
    const listen = { address: tunnel.listener.slice('http://'.length), client: 'shipping' };
    await changes.make({ api: { listen }, clients: SHIPPING });
    expect((await tunnel.listened()).status).toBe(200);
    expect(await tunnel.outbound.log.find(({ msg }) => msg === 'request completed')).toMatchObject({
      client: 'shipping',
    });
  });

  it('turns the forward proxy off with the last of its hosts, and on again', async () => {
    const target = `http://${HOST}/`;
    await changes.make({ api: { hosts: undefined } });
    expect((await tunnel.proxied(target)).status).toBe(403);
    expect(errorOf(await request(tunnel.outbound.url, { path: target })).code).toBe(
      'RELAY_TOKEN_MISSING',
    );
    await changes.make({});
    expect((await tunnel.proxied(target)).status).toBe(200);
    expect((await request(tunnel.outbound.url, { path: target })).status).toBe(407);
  });
});

describe('a listener that is opened', () => {
  it('lets requests wait until the change that has it is in use', async () => {
    const { httpAdapter } = tunnel.outbound.app.get<HttpAdapterHost<RelayAdapter>>(HttpAdapterHost);
    let use: () => void = () => undefined;
    const inUse = new Promise<void>((resolve) => {
      use = resolve;
    });
    const [host = '', port = ''] = address.split(':');
    const entrance = { listener: tunnel.listener.slice('http://'.length), isProxy: false };
    await httpAdapter.openListener({ host, port: Number(port) }, entrance, [], inUse);
    const early = request(`http://${address}`);
    // Sent later.
    expect((await tunnel.listened()).status).toBe(200);
    expect(api.hits).toBe(1);
    use();
    expect((await early).status).toBe(200);
  });
});

describe('a listener that cannot be opened', () => {
  it('leaves all as it was, is told once, and opens by itself once its address is free', async () => {
    const taken = forThisTest(await listen(createServer()));
    const busy = { address: `127.0.0.1:${taken.port}`, client: CLIENT };
    const socket = join(tunnel.folder, 'other.sock');
    tunnel.file.writeNamed('other', newSecret());
    const { httpAdapter: adapter } =
      tunnel.outbound.app.get<HttpAdapterHost<RelayAdapter>>(HttpAdapterHost);
    const opening = vi.spyOn(adapter, 'openListener');

    const reason = await changes.refused({
      api: { listen: busy },
      ...other({ listen: { socket, client: 'any' } }),
    });

    expect(reason).toBe(
      `peers.api.listen: ${busy.address} cannot be opened: something listens there already`,
    );
    expect((await tunnel.listened()).status).toBe(200);
    // Tried again every second: both of them.
    await expect.poll(() => opening.mock.calls.length, { timeout: 20_000 }).toBeGreaterThan(4);
    expect(changes.reasons()).toEqual([reason]);
    expect(addressesOf('listener of a peer is listening')).not.toContain(socket);

    await changes.healed(() => taken.close());
    expect((await request(`http://${busy.address}`)).status).toBe(200);
    expect(await isRefused(tunnel.listener)).toBe(true);
    expect(addressesOf('listener of a peer is listening')).toContain(socket);
  });

  it('leaves a file at the path of its socket where it is', async () => {
    const socket = join(tunnel.folder, 'api.sock');
    writeFileSync(socket, 'precious');
    expect(await changes.refused({ api: { listen: { socket, client: CLIENT } } })).toBe(
      `peers.api.listen: ${socket} cannot be opened: something is there that is no socket, and it stays`,
    );
    expect(readFileSync(socket, 'utf8')).toBe('precious');
  });

  it('leaves the permissions of the others as they were', async () => {
    const taken = forThisTest(await listen(createServer()));
    const socket = join(tunnel.folder, 'api.sock');
    const modeOf = () => (lstatSync(socket).mode & 0o777).toString(8);
    await changes.make({ api: { listen: { socket, mode: '0660', client: CLIENT } } });
    expect(modeOf()).toBe('660');
    tunnel.file.writeNamed('other', newSecret());

    const { peers, clients } = other({
      listen: { address: `127.0.0.1:${taken.port}`, client: 'any' },
    });
    // In this order they are opened.
    const after = { peers: { api: {}, ...peers }, clients };

    await changes.refused({
      api: { listen: { socket, mode: '0600', client: CLIENT } },
      ...after,
    });
    expect(modeOf()).toBe('660');

    await changes.make({ api: { listen: { socket, mode: '0600', client: CLIENT } } });
    expect(modeOf()).toBe('600');
    expect((await request('http://localhost', { socketPath: socket })).status).toBe(200);
  });
});

describe('a listener that is gone', () => {
  it('completes what is under way, tells its clients to close, and lets none of them on', async () => {
    let answer: () => void = () => undefined;
    api.handle(async (_request, response) => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      response.end('late');
    });
    const client = forThisTest(openSocket(Number(new URL(tunnel.listener).port)));
    const idle = forThisTest(openSocket(Number(new URL(tunnel.listener).port)));
    idle.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await api.requests.count(1);
    answer();
    await idle.until('late');
    client.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await api.requests.count(2);

    await changes.make({ api: { listen: undefined } });
    expect(await isRefused(tunnel.listener)).toBe(true);
    idle.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
    expect((await idle.all()).toString()).toMatch(
      /403 Forbidden[^]*connection: close[^]*RELAY_HOST_UNKNOWN/i,
    );
    answer();
    expect((await client.all()).toString()).toMatch(
      /^HTTP\/1.1 200 OK[^]*connection: close[^]*late/i,
    );
    expect(api.hits).toBe(2);
  });

  it('is waited for by a relay that closes', async () => {
    const atApi = new Recorder<() => void>();
    api.handle((_request, response) => {
      atApi.add(() => response.end('late'));
    });
    const client = forThisTest(openSocket(Number(new URL(tunnel.listener).port)));
    client.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
    const answer = await atApi.find();
    await changes.make({ api: { listen: undefined } });
    let isClosed = false;
    const closed = tunnel.outbound.app.close().then(() => {
      isClosed = true;
    });
    await expect.poll(() => isRefused(tunnel.outbound.url), { timeout: 20_000 }).toBe(true);
    expect(isClosed).toBe(false);
    answer();
    expect((await client.all()).toString()).toMatch(/^HTTP\/1.1 200 OK[^]*late/);
    await closed;
  });
});
