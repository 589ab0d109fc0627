import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';

import { beforeEach, describe, expect, it } from 'vitest';

import { makeAuthority } from '../support/certificates/certificates.js';
import { openRequest, request } from '../support/clients/client.js';
import { Recorder } from '../support/lifecycle/recorder.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { listen } from '../support/network/listen.js';
import { openSocket, type RawSocket } from '../support/network/raw-socket.js';
import { inMib, peakResidentBytes } from '../support/processes/process-memory.js';
import { startRelayProcess, type RelayProcess } from '../support/processes/relay-process.js';
import { samplesOf } from '../support/relays/admin.js';
import { listenerChanges } from '../support/tunnels/listener-changes.js';
import {
  CLIENT,
  HOST,
  startPlainClientTunnel,
  type PlainClientTunnel,
} from '../support/tunnels/plain-client-tunnel.js';

const LIMIT = { timeout: 60_000, interval: 20 };
const GET = 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n';
const OPEN_SOCKETS = 'mte_relay_open_sockets{side="listener"}';

/** The requests that have reached the API, which responds when a test wants. */
let atApi: Recorder<ServerResponse>;
let apiUrl: string;

beforeEach(async () => {
  atApi = new Recorder();
  const api = createServer((_request, response) => {
    atApi.add(response);
  });
  apiUrl = forThisTest(await listen(api)).url;
});

const start = async (outbound: Readonly<Record<string, string>> = {}) =>
  forThisTest(
    await startPlainClientTunnel({
      upstream: apiUrl,
      outbound: { SHUTDOWN_DELAY_MS: '0', ADMIN_PORT: '0', ...outbound },
      start: startRelayProcess,
    }),
  );

const connected = ({ listener }: PlainClientTunnel<RelayProcess>): RawSocket =>
  forThisTest(openSocket(Number(new URL(listener).port)));

/** What a client sends its proxy for the API. */
const proxied = ({ credentials }: PlainClientTunnel<RelayProcess>): string =>
  `GET http://${HOST}/ HTTP/1.1\r\nhost: ${HOST}\r\nproxy-authorization: ${credentials['proxy-authorization']}\r\n\r\n`;

describe('#112 a relay with a listener that is told to stop', () => {
  it('completes what is under way at the listener and at the proxy, and closes what is idle', async () => {
    const tunnel = await start();
    const relay = tunnel.outbound;
    const [busy, idle, silent] = [connected(tunnel), connected(tunnel), connected(tunnel)];
    const atProxy = forThisTest(openSocket(relay.port));
    idle.write(GET);
    (await atApi.find()).end('idle');
    await idle.until('idle');
    busy.write(GET);
    atProxy.write(proxied(tunnel));
    await atApi.count(3);

    const stopped = relay.kill('SIGTERM');
    await relay.log.find(({ msg }) => msg.startsWith('stopping'));
    await expect
      .poll(() => request(tunnel.listener).then(String, String), LIMIT)
      .toContain('ECONNREFUSED');
    expect([await idle.ended, await silent.ended]).toEqual(['end', 'end']);
    expect(relay.isRunning()).toBe(true);
    for (const response of atApi.items.slice(1)) {
      response.end('late');
    }
    for (const client of [busy, atProxy]) {
      expect((await client.all()).toString()).toMatch(
        /^HTTP\/1.1 200 OK[^]*connection: close[^]*late/i,
      );
    }
    expect((await stopped).exitCode).toBe(0);
    expect(relay.log.items.filter(({ msg }) => msg.includes('cut off'))).toEqual([]);
  });

  it('completes what is under way at a listener that its file has no longer', async () => {
    const tunnel = await start();
    const relay = tunnel.outbound;
    const busy = connected(tunnel);
    busy.write(GET);
    await atApi.count(1);
    await listenerChanges(tunnel, relay).make({ api: { listen: undefined } });

    const stopped = relay.kill('SIGTERM');
    await relay.log.find(({ msg }) => msg.startsWith('stopping'));
    await expect
      .poll(() => request(relay.url).then(String, String), LIMIT)
      .toContain('ECONNREFUSED');
    expect(relay.isRunning()).toBe(true);
    atApi.items[0]!.end('late');
    expect((await busy.all()).toString()).toMatch(/^HTTP\/1.1 200 OK[^]*late/i);
    expect((await stopped).exitCode).toBe(0);
  });

  it('cuts off what hangs at a listener after SHUTDOWN_TIMEOUT_MS, and says so', async () => {
    const tunnel = await start({ SHUTDOWN_TIMEOUT_MS: '500' });
    const busy = connected(tunnel);
    busy.write(GET);
    await atApi.count(1);
    const { exitCode } = await tunnel.outbound.kill('SIGTERM');
    expect(exitCode).toBe(0);
    await busy.ended;
    expect(tunnel.outbound.log.items.map(({ msg }) => msg)).toContain(
      '1 request was cut off by SHUTDOWN_TIMEOUT_MS',
    );
  });
});

describe('the connections of a listener', () => {
  it('are among the open sockets, from their first to their last moment', async () => {
    const tunnel = await start();
    const before = (await samplesOf(tunnel.outbound)).get(OPEN_SOCKETS) ?? 0;
    const clients = Array.from({ length: 3 }, () => connected(tunnel));
    const count = async () => (await samplesOf(tunnel.outbound)).get(OPEN_SOCKETS);
    await expect.poll(count, LIMIT).toBe(before + 3);
    clients.forEach(({ socket }) => socket.destroy());
    await expect.poll(count, LIMIT).toBe(before);
  });
});

describe('a relay that speaks TLS', () => {
  it('is a forward proxy over https, and its listeners of peers stay plain HTTP', async () => {
    const authority = forThisTest(makeAuthority());
    const { cert, key } = authority.issue('relay', 'IP:127.0.0.1');
    const tunnel = await start({ TLS_CERT_FILE: cert, TLS_KEY_FILE: key });
    void atApi.find().then((response) => response.end('first'));
    void atApi.count(2).then(([, response]) => response?.end('second'));

    expect(tunnel.outbound.url).toMatch(/^https:/);
    const ca = readFileSync(authority.ca, 'utf8');
    const first = await tunnel.proxied(`http://${HOST}/`, { ca });
    expect([first.status, first.body.toString()]).toEqual([200, 'first']);
    const second = await tunnel.listened();
    expect([second.status, second.body.toString()]).toEqual([200, 'second']);
  });
});

describe('a large response through a listener', () => {
  const MIB = 1024 * 1024;
  const SIZE = 256 * MIB;
  const MAX_GROWTH_BYTES = 96 * MIB;

  it.each(['an address', 'a socket'] as const)(
    'at %s waits for its client, in constant memory',
    async (place) => {
      const tunnel = await start();
      const relays = [tunnel.outbound, tunnel.inbound];
      const socket = join(tunnel.folder, 'api.sock');
      if (place === 'a socket') {
        await listenerChanges(tunnel, tunnel.outbound).make({
          api: { listen: { socket, client: CLIENT } },
        });
      }
      let sent = 0;
      void atApi.find().then((response) => {
        response.on('error', () => undefined);
        const sendMore = (): void => {
          while (sent < SIZE) {
            sent += MIB;
            if (!response.write(Buffer.alloc(MIB, 'x'))) {
              response.once('drain', sendMore);
              return;
            }
          }
          response.end();
        };
        sendMore();
      });
      const before = relays.map(peakResidentBytes);
      const { message } = await openRequest(tunnel.listener, {
        ...(place === 'a socket' && { socketPath: socket }),
        headers: { host: 'localhost' },
      });
      message.pause();
      // Until nothing moves any more.
      let last = -1;
      const isStill = (): boolean => {
        const was = last;
        last = sent;
        return sent > 0 && sent === was;
      };
      await expect.poll(isStill, { ...LIMIT, interval: 500 }).toBe(true);
      expect(sent).toBeLessThan(SIZE / 2);

      let received = 0;
      for await (const chunk of message) {
        received += (chunk as Buffer).length;
      }
      expect(received).toBe(SIZE);
      const growth = relays.map((relay, at) => peakResidentBytes(relay) - before[at]!);
      console.log(
        `256 MiB at ${place}: peak of A +${inMib(growth[0]!)}, of B +${inMib(growth[1]!)}`,
      );
      expect(Math.max(...growth)).toBeLessThan(MAX_GROWTH_BYTES);
    },
  );
});
