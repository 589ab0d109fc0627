import { createServer } from 'node:net';

import { describe, expect, it } from 'vitest';

import { errorOf } from '../support/clients/client.js';
import { closedPort } from '../support/network/listen.js';
import { openSocket, startRawServer } from '../support/network/raw-socket.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startTunnel, type TunnelOptions } from '../support/tunnels/tunnel.js';

const start = async (options: TunnelOptions) => forThisTest(await startTunnel(options));

describe('an upstream that', () => {
  it('is down results in a sealed 502 with forwarded: no', async () => {
    const port = await closedPort(createServer());
    const tunnel = await start({ inbound: { UPSTREAM: `http://127.0.0.1:${port}` } });

    const response = await tunnel.send({ method: 'POST', body: 'x' });

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({
      code: 'RELAY_UPSTREAM_UNREACHABLE',
      forwarded: 'no',
    });
    await tunnel.inbound.log.find(({ code }) => code === 'RELAY_UPSTREAM_UNREACHABLE');
  });

  it('does not respond in time is called once and results in a sealed 504 with forwarded: maybe', async () => {
    const tunnel = await start({
      both: { RESPONSE_TIMEOUT_MS: '150' },
      handler: () => undefined,
    });

    const response = await tunnel.send({ path: '/slow' });

    expect(response.status).toBe(504);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_UPSTREAM_TIMEOUT', forwarded: 'maybe' });
    expect(tunnel.upstream.hits).toBe(1);
    const [request] = tunnel.upstream.requests.items;
    expect(await request?.outcome).toBe('complete');
  });

  it('must respond within the limit only once the upload has ended', async () => {
    const tunnel = await start({ both: { RESPONSE_TIMEOUT_MS: '500' } });
    const socket = forThisTest(openSocket(tunnel.outbound.port));
    const fields = Object.entries(tunnel.clientHeaders).map(([name, value]) => `${name}: ${value}`);
    socket.write(
      `PUT /slow HTTP/1.1\r\nhost: a\r\n${fields.join('\r\n')}\r\ncontent-length: 4\r\n\r\nab`,
    );
    await tunnel.upstream.requests.find();
    // A second tunnel with twice the limit times out once the limit of the first has certainly passed.
    const other = await start({ both: { RESPONSE_TIMEOUT_MS: '1000' }, handler: () => undefined });
    expect(await other.send()).toMatchObject({ status: 504 });

    socket.write('cd');

    expect((await socket.until('abcd')).toString('latin1')).toMatch(/^HTTP\/1.1 200 /);
  });

  it('closes its connection without a response results in a sealed 502 with forwarded: maybe', async () => {
    const tunnel = await start({ handler: ({ message }) => void message.socket.destroy() });

    const response = await tunnel.send({ method: 'POST', body: 'x' });

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_UPSTREAM_FAILED', forwarded: 'maybe' });
    expect(tunnel.upstream.hits).toBe(1);
  });

  it.each([
    ['with something other than HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    [
      'with two different lengths',
      'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
    ],
    [
      'with a length and chunks',
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n',
    ],
    ['with an invalid length', 'HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n'],
  ])('responds %s results in a 502', async (_what, garbage) => {
    const raw = forThisTest(
      await startRawServer((connection) => {
        void connection.until('\r\n\r\n').then(() => {
          connection.write(garbage);
        });
      }),
    );
    const tunnel = await start({ inbound: { UPSTREAM: raw.url } });

    const response = await tunnel.send({ method: 'POST', body: 'x' });

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_UPSTREAM_FAILED', forwarded: 'maybe' });
    expect(raw.connections.items).toHaveLength(1);
  });

  it('returns a response that no message can carry results in a 502 with forwarded: maybe', async () => {
    const tunnel = await start({
      handler: (_request, response) => {
        const fields = Array.from({ length: 257 }, (_, at) => [`x-${at}`, '1']).flat();
        response.writeHead(200, fields).end();
      },
    });

    const response = await tunnel.send({ method: 'POST', body: 'x' });

    expect(response.status).toBe(502);
    expect(errorOf(response)).toMatchObject({
      code: 'RELAY_PEER_REFUSED_MESSAGE',
      forwarded: 'maybe',
    });
    await tunnel.inbound.log.find(({ code }) => code === 'RELAY_RESPONSE_UNENCODABLE');
  });

  it('sends informational responses first delivers its final response', async () => {
    const tunnel = await start({
      handler: (_request, response) => {
        response.writeEarlyHints({ link: '</style.css>; rel=preload' });
        response.writeProcessing();
        response.end('final');
      },
    });

    const response = await tunnel.send();

    expect(response).toMatchObject({ status: 200 });
    expect(response.body.toString()).toBe('final');
  });
});
