import type { ServerResponse } from 'node:http';

import { describe, expect, it } from 'vitest';

import { errorOf, request } from '../support/clients/client.js';
import { openSocket, type RawSocket } from '../support/network/raw-socket.js';
import { Recorder } from '../support/lifecycle/recorder.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { samplesOf } from '../support/relays/admin.js';
import { startTunnel, type Tunnel, type TunnelOptions } from '../support/tunnels/tunnel.js';

const OPEN_ROUTE = { PASS_THROUGH_ROUTES: '/open' };
const IDLE_MS = 500;
const MAX_BODY_MS = 10 * IDLE_MS;

async function start(inbound: TunnelOptions['inbound']): Promise<Tunnel> {
  return forThisTest(await startTunnel({ inbound: { ...OPEN_ROUTE, ...inbound } }));
}

/** Begins a POST on the pass-through route without a token, and sends one byte of its body. */
function beginPost({ inbound }: Tunnel): RawSocket {
  const client = forThisTest(openSocket(inbound.port));
  client.write('POST /open HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\nx');
  return client;
}

/** Resolves once this many requests have reached the upstream. */
async function reached({ upstream }: Tunnel, count: number): Promise<void> {
  await upstream.requests.count(count);
}

describe('#53 requests on pass-through routes, which anybody may send', () => {
  it('leave the tunnel its places, however many of them there are', async () => {
    const tunnel = await start({ MAX_CONCURRENT_REQUESTS: '3', MAX_PASS_THROUGH_REQUESTS: '50' });
    for (let count = 0; count < 50; count += 1) {
      beginPost(tunnel);
    }
    await reached(tunnel, 50);

    const refused = await request(tunnel.inbound.url, { path: '/open' });
    const sealed = await tunnel.send({ method: 'POST', body: 'through the tunnel' });

    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(errorOf(refused)).toMatchObject({ code: 'RELAY_BUSY', forwarded: 'no' });
    expect([sealed.status, sealed.body.toString()]).toEqual([200, 'through the tunnel']);
  });

  it('have their own places, even while the tunnel has none left', async () => {
    const tunnel = await start({ MAX_CONCURRENT_REQUESTS: '1', ADMIN_PORT: '0' });
    const responses = new Recorder<ServerResponse>();
    tunnel.upstream.handle((_request, response) => {
      responses.add(response);
    });
    const sealed = tunnel.send();
    await responses.count(1);

    const open = request(tunnel.inbound.url, { path: '/open' });
    await responses.count(2);

    const samples = await samplesOf(tunnel.inbound);
    expect(samples.get('mte_relay_concurrent_requests')).toBe(1);
    expect(samples.get('mte_relay_pass_through_requests')).toBe(1);
    responses.items.forEach((response) => response.end());
    expect(await Promise.all([sealed, open])).toMatchObject([{ status: 200 }, { status: 200 }]);
  });

  it('give back their places after ten times IDLE_TIMEOUT_MS, even if their bodies keep trickling in', async () => {
    const tunnel = await start({
      MAX_PASS_THROUGH_REQUESTS: '1',
      IDLE_TIMEOUT_MS: String(IDLE_MS),
    });
    const client = beginPost(tunnel);
    const startedAt = performance.now();
    const trickle = setInterval(() => {
      client.write('x');
    }, IDLE_MS / 5);

    const response = (await client.until('"requestId"')).toString('latin1');
    clearInterval(trickle);

    expect(response).toMatch(/^HTTP\/1.1 408 [^]*"RELAY_BODY_IDLE"[^]*"forwarded":"maybe"/);
    expect(performance.now() - startedAt).toBeGreaterThan(MAX_BODY_MS - IDLE_MS);
    await client.close();
    await expect
      .poll(async () => (await request(tunnel.inbound.url, { path: '/open' })).status, {
        timeout: 30_000,
      })
      .toBe(200);
  });

  it('may take longer than that in all if their bodies have arrived by then', async () => {
    const tunnel = await start({ IDLE_TIMEOUT_MS: '100' });
    tunnel.upstream.handle(async ({ body }, response) => {
      await body();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('begun ');
      setTimeout(() => response.end('ended'), 1_500);
    });

    const response = await request(tunnel.inbound.url, {
      method: 'POST',
      path: '/open',
      body: 'x',
    });

    expect([response.status, response.body.toString()]).toEqual([200, 'begun ended']);
  });
});
