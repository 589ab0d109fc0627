import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';

import { describe, expect, it } from 'vitest';

import { makeAuthority } from '../support/certificates/certificates.js';
import { errorOf } from '../support/clients/client.js';
import { startProcessTunnel } from '../support/tunnels/process-tunnel.js';
import { listen } from '../support/network/listen.js';
import { openSocket } from '../support/network/raw-socket.js';
import { startRelayProcess } from '../support/processes/relay-process.js';
import { forThisTest } from '../support/lifecycle/resources.js';

/** Other relays close idle connections after 4 s. SHUTDOWN_TIMEOUT_MS, which must not be needed here, is 15 s. */
const IDLE_LIMIT_MS = 12_000;

const acceptsConnections = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });

describe('a relay that is stopped', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('exits with code 0 on %s', async (signal) => {
    const relay = forThisTest(await startRelayProcess());

    expect(await relay.kill(signal)).toMatchObject({ exitCode: 0, signal: null, stderr: '' });
  });

  it('still answers a POST of another relay on a connection that was idle, and then closes it', async () => {
    const tunnel = forThisTest(await startProcessTunnel());
    const post = () => tunnel.send({ method: 'POST', body: 'x' });
    expect(await post()).toMatchObject({ status: 200 });

    const ended = tunnel.inbound.kill('SIGTERM');
    await expect
      .poll(() => acceptsConnections(tunnel.inbound.port), { timeout: 10_000 })
      .toBe(false);
    const last = await post();

    expect(last).toMatchObject({ status: 200 });
    expect(await ended).toMatchObject({ exitCode: 0, stderr: '' });
    const late = await post();
    expect(late.status).toBe(502);
    expect(errorOf(late)).toMatchObject({ code: 'RELAY_PEER_UNREACHABLE', forwarded: 'no' });
    expect(tunnel.upstream.hits).toBe(2);
  });

  it('exits with code 0 even if clients keep unused connections open', async () => {
    const relay = forThisTest(await startRelayProcess());
    const unused = forThisTest(openSocket(relay.port));
    const used = forThisTest(openSocket(relay.port));
    used.write('GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n');
    await used.until('"status":"ok"');

    const startedAt = performance.now();
    const end = await relay.kill('SIGTERM');

    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(performance.now() - startedAt).toBeLessThan(IDLE_LIMIT_MS);
    expect(await Promise.all([unused.ended, used.ended])).toEqual(['end', 'end']);
  });

  it('exits within SHUTDOWN_TIMEOUT_MS even if a connection to its TLS port stays silent', async () => {
    const authority = forThisTest(makeAuthority());
    const { cert, key } = authority.issue('relay', 'IP:127.0.0.1');
    const relay = forThisTest(
      await startRelayProcess({
        TLS_CERT_FILE: cert,
        TLS_KEY_FILE: key,
        SHUTDOWN_TIMEOUT_MS: '500',
      }),
    );
    const silent = connect({ port: relay.port, host: '127.0.0.1' });
    await once(silent, 'connect');
    const closed = once(silent, 'close');

    const startedAt = performance.now();
    const end = await relay.kill('SIGTERM');

    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(performance.now() - startedAt).toBeLessThan(IDLE_LIMIT_MS);
    await closed;
  });

  it.each([
    ['1 request was cut off by SHUTDOWN_TIMEOUT_MS', 1],
    ['2 requests were cut off by SHUTDOWN_TIMEOUT_MS', 2],
  ])('logs "%s"', async (line, count) => {
    const silent = createServer();
    const relay = forThisTest(
      await startRelayProcess({
        UPSTREAM: forThisTest(await listen(silent)).url,
        PASS_THROUGH_ROUTES: '/silent',
        SHUTDOWN_TIMEOUT_MS: '1',
      }),
    );
    for (let sent = 0; sent < count; sent += 1) {
      const client = forThisTest(openSocket(relay.port));
      client.write('GET /silent HTTP/1.1\r\nhost: a\r\n\r\n');
      await once(silent, 'request');
    }

    await relay.kill('SIGTERM');

    expect(relay.log.items.map(({ msg }) => msg)).toContain(line);
  });

  it('had logged the address that it listened on', async () => {
    const relay = forThisTest(await startRelayProcess({ HOST: '0.0.0.0' }));

    expect(await relay.log.find(({ msg }) => msg === 'relay is listening')).toMatchObject({
      address: `http://0.0.0.0:${relay.port}`,
    });
  });
});
