import { createServer } from 'node:http';
import type { Socket } from 'node:net';

import { beforeAll, describe, expect, it } from 'vitest';

import { openRaw, openWebSocket, statusOfRefused } from '../../support/clients/upgrade-clients.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { Recorder } from '../../support/lifecycle/recorder.js';
import { listen } from '../../support/network/listen.js';
import { RawSocket, exchangeRaw, openSocket } from '../../support/network/raw-socket.js';
import { samplesOf } from '../../support/relays/admin.js';
import { startRelay, type RelayEnvironment, type TestRelay } from '../../support/relays/relay.js';
import { tunnelClient } from '../../support/tunnels/tunnel-client.js';
import { UPGRADES } from '../../support/tunnels/upgrade-processes.js';
import {
  FAREWELL,
  closeCodeOf,
  startUpgradeUpstream,
  type UpgradeUpstream,
} from '../../support/upstreams/upgrade-upstream.js';

const ROUTES = { ...UPGRADES, PASS_THROUGH_ROUTES: '/open/*' };
const ASK =
  'GET /open/x HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n' +
  'sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';

const shared = sharedResources();
let upstream: UpgradeUpstream;
let relay: TestRelay;

const start = (environment: RelayEnvironment = {}, url = upstream.url): Promise<TestRelay> =>
  startRelay({ ...ROUTES, UPSTREAM: url, ...environment });
const startOwn = async (environment: RelayEnvironment = {}, url?: string): Promise<TestRelay> =>
  forThisTest(await start(environment, url));
const open = async (to: TestRelay = relay, headers = {}) =>
  forThisTest(await openWebSocket(to.url, headers, '/open/x'));

/** Waits until nothing of an upgrade is left. */
const expectNoneOf = async ({ log }: TestRelay): Promise<void> => {
  const gauges = [
    'mte_relay_upgraded_connections{role="pass-through"}',
    'mte_relay_pass_through_requests',
    'mte_relay_concurrent_requests',
  ];
  await expect
    .poll(
      async () => {
        const samples = await samplesOf({ log });
        return gauges.map((name) => samples.get(name));
      },
      { timeout: 40_000 },
    )
    .toEqual([0, 0, 0]);
};

/** An API that answers requests for upgrades as told, byte by byte. */
const startAnswering = async (answer: (socket: Socket) => void) => {
  const asked = new Recorder<RawSocket>();
  const server = createServer();
  server.on('upgrade', (_request, socket: Socket) => {
    asked.add(new RawSocket(socket));
    answer(socket);
  });
  return { asked, url: forThisTest(await listen(server)).url };
};

beforeAll(async () => {
  upstream = shared(await startUpgradeUpstream());
  relay = shared(
    await start({ REQUEST_HEADERS: '{"x-api-key":"lent"}', HEADERS: '{"x-zone":"eu"}' }),
  );
});

describe('an upgrade without a token on a pass-through route', () => {
  it('carries messages, and the close codes of the API', async () => {
    for (const code of [1000, 1001, 1008, 1011, 4000]) {
      const { echo, socket, ended } = await open();
      expect(await echo('unsealed')).toBe('unsealed');
      socket.send(`close ${code} because`);
      expect(await ended).toEqual({ code, reason: 'because' });
    }
    const lines = relay.log.items.filter(({ msg }) => msg === 'upgraded connection ended');
    expect(lines[0]).toMatchObject({ role: 'pass-through', bytesIn: expect.any(Number) as number });
    expect(lines.map(({ code }) => code)).toEqual(lines.map(() => undefined));
  });

  it('carries the close codes of the client, and its end without one', async () => {
    upstream.webSockets.items.length = 0;
    const [first, second] = [await open(), await open()];
    const atApi = await upstream.webSockets.count(2);
    const closed = Promise.all(atApi.map(closeCodeOf));

    first.socket.close(4001, 'bye');
    second.socket.terminate();

    expect(await closed).toEqual([4001, 1006]);
    await expectNoneOf(relay);
  });

  it('lends no field of REQUEST_HEADERS, and lets nobody set one', async () => {
    upstream.upgrades.items.length = 0;
    await open(relay, { 'x-api-key': 'guessed', 'x-zone': 'us', 'x-mte-upstream': 'http://a' });

    const { headers } = upstream.upgrades.items[0]!;
    expect(headers).not.toHaveProperty('x-api-key');
    expect(headers).not.toHaveProperty('x-mte-upstream');
    expect(headers['x-zone']).toBe('eu');
  });

  it('that is raw ends one direction after the other', async () => {
    const client = forThisTest(await openRaw(relay, {}, '/open/attach'));
    client.write('first ');
    await client.until('first ');

    client.socket.end('last ');

    await client.until(`first last ${FAREWELL}`);
    await expectNoneOf(relay);
    const last = relay.log.items.findLast(({ msg }) => msg === 'upgraded connection ended');
    expect(last).not.toHaveProperty('code');
  });

  it('is 401 if no route lists its path', async () => {
    expect(await statusOfRefused(relay.url, {}, '/closed')).toBe(401);
    expect(await statusOfRefused(relay.url, {}, '/open/../closed')).toBe(401);
    await expectNoneOf(relay);
  });

  it('is the response of an API that does not switch protocols', async () => {
    const { url } = await startAnswering((socket) => {
      socket.end('HTTP/1.1 403 No\r\ncontent-length: 2\r\n\r\nno');
    });
    const own = await startOwn({}, url);

    const received = await exchangeRaw(own.port, ASK);

    expect(received.toString()).toMatch(/^HTTP\/1.1 403 [^]*\r\n\r\nno$/);
    await expectNoneOf(own);
  });

  it.each([
    ['another protocol', 'upgrade: other\r\n', 'reset'],
    ['no protocol', '', 'end'],
  ])('is 502 if the API switches to %s, whose connection is ended', async (_what, field, end) => {
    const { url, asked } = await startAnswering((socket) => {
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n${field}\r\n`);
    });
    const own = await startOwn({}, url);

    const received = await exchangeRaw(own.port, ASK);

    expect(received.toString()).toMatch(/^HTTP\/1.1 502 [^]*"RELAY_UPSTREAM_FAILED"/);
    expect(await (await asked.find()).ended).toBe(end);
    await expectNoneOf(own);
  });

  it('is given up at the API when its client goes away before the 101', async () => {
    const { url, asked } = await startAnswering(() => undefined);
    const own = await startOwn({ MAX_PASS_THROUGH_REQUESTS: '1' }, url);
    const client = openSocket(own.port);
    client.write(ASK);
    const atApi = await asked.find();

    await client.close();

    expect(await atApi.ended).toMatch(/end|reset/);
    expect(await own.log.find(({ msg }) => msg === 'request abandoned')).toMatchObject({
      role: 'pass-through',
      code: 'RELAY_CLIENT_GONE',
    });
    await expectNoneOf(own);
  });

  it('is a 504 if the API does not answer within RESPONSE_TIMEOUT_MS', async () => {
    const { url } = await startAnswering(() => undefined);
    const own = await startOwn({ RESPONSE_TIMEOUT_MS: '200' }, url);

    expect((await exchangeRaw(own.port, ASK)).toString()).toMatch(/^HTTP\/1.1 504 /);
    await expectNoneOf(own);
  });

  it('keeps its place of MAX_PASS_THROUGH_REQUESTS until it ends, and none of the tunnel', async () => {
    const environment = {
      MAX_PASS_THROUGH_REQUESTS: '1',
      MAX_UPGRADED_CONNECTIONS: '1',
      MAX_CONCURRENT_REQUESTS: '1',
    };
    const [own, outbound] = [await startOwn(environment), await startOwn()];
    const first = await open(own);
    expect(await statusOfRefused(own.url, {}, '/open/x')).toBe(503);
    const { clientHeaders } = tunnelClient(outbound.url, own.url);
    const sealed = forThisTest(await openWebSocket(outbound.url, clientHeaders));
    expect(await sealed.echo('sealed')).toBe('sealed');

    first.socket.close();
    await first.ended;

    await expectNoneOf(own);
    expect(await (await open(own)).echo('next')).toBe('next');
  });

  it('is not ended by silence, nor by the time limit of a body', async () => {
    // A body must have arrived after ten times IDLE_TIMEOUT_MS.
    const own = await startOwn({ IDLE_TIMEOUT_MS: '50', RESPONSE_TIMEOUT_MS: '1000' });
    const { echo } = await open(own);
    // Another request shows when that and the time for a response have passed.
    const silent = forThisTest(openSocket(own.port));
    silent.write('GET /open/silent HTTP/1.1\r\nhost: a\r\n\r\n');
    await silent.until(' 504 ');

    expect(await echo('still there')).toBe('still there');
  });
});
