import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { startFullListener } from '../../support/network/full-listener.js';
import { openSocket, type RawSocket } from '../../support/network/raw-socket.js';
import type { Field } from '../../support/network/raw-http.js';
import {
  startRawTunnel,
  type RawTunnel,
  type RawTunnelOptions,
} from '../../support/tunnels/raw-tunnel.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { startTap } from '../../support/attackers/tap.js';
import { upload } from '../../support/clients/upload.js';
import { ENCODE_TYPES, IS_OVER_CHANNELS } from '../../support/tunnels/transport.js';

const LIMIT_MS = '200';
const PIECE = Buffer.alloc(65_536, 'x');

const start = async (options: RawTunnelOptions): Promise<RawTunnel> =>
  forThisTest(await startRawTunnel(options));

const send = (tunnel: RawTunnel, startLine: string, ...fields: readonly Field[]): RawSocket => {
  const client = forThisTest(openSocket(tunnel.outbound.port));
  client.write(tunnel.head(startLine, ...fields));
  return client;
};

const errorIn = async (client: RawSocket) => {
  const text = (await client.until('"requestId"')).toString('latin1');
  const [, status = ''] = /^HTTP\/1\.1 (\d+) /.exec(text) ?? [];
  const [, code = '', forwarded = ''] = /"code":"(\w+)".*"forwarded":"(\w+)"/.exec(text) ?? [];
  return `${status} ${code} ${forwarded}`;
};

describe('CONNECT_TIMEOUT_MS', () => {
  it('limits the wait for a connection to the upstream, with forwarded: no', async () => {
    const full = forThisTest(await startFullListener());
    const tunnel = await start({
      both: { CONNECT_TIMEOUT_MS: LIMIT_MS },
      inbound: { UPSTREAM: `http://127.0.0.1:${full.port}` },
    });

    const client = send(tunnel, 'POST /x HTTP/1.1', ['Content-Length', '0']);

    expect(await errorIn(client)).toMatch(/^504 RELAY_UPSTREAM_CONNECT_TIMEOUT no$/);
  });
});

describe('RESPONSE_TIMEOUT_MS', () => {
  const shared = sharedResources();
  let tunnel: RawTunnel;

  beforeAll(async () => {
    tunnel = shared(await startRawTunnel({ both: { RESPONSE_TIMEOUT_MS: LIMIT_MS } }));
  });

  beforeEach(() => {
    tunnel.upstream.exchanges.items.length = 0;
  });

  it.each(ENCODE_TYPES)(
    'limits the wait for the head of a response, and the client receives the sealed error (%s)',
    async (type) => {
      tunnel.upstream.follow(() => undefined);

      const client = send(tunnel, 'GET /x HTTP/1.1', ['X-MTE-Encode-Type', type]);

      expect(await errorIn(client)).toBe('504 RELAY_UPSTREAM_TIMEOUT maybe');
      await tunnel.upstream.sockets.until(0);
      expect(tunnel.upstream.exchanges.items).toHaveLength(1);
    },
  );

  it('is not satisfied by informational responses', async () => {
    tunnel.upstream.follow(async ({ write }) => {
      await write('HTTP/1.1 103 Early Hints\r\n\r\n');
    });

    const client = send(tunnel, 'GET /x HTTP/1.1');

    expect(await errorIn(client)).toBe('504 RELAY_UPSTREAM_TIMEOUT maybe');
  });

  it('plus CONNECT_TIMEOUT_MS and 2 s limits the wait of the outbound relay for its peer', async () => {
    const limits = { RESPONSE_TIMEOUT_MS: LIMIT_MS, CONNECT_TIMEOUT_MS: LIMIT_MS };
    const patient = await start({ outbound: limits });
    patient.upstream.follow(() => undefined);
    const tap = forThisTest(await startTap(patient.inbound.port));
    const fields = patient.head('GET /x HTTP/1.1').toString('latin1');
    const client = forThisTest(openSocket(patient.outbound.port));
    client.write(fields.replace(patient.inbound.url, tap.url));

    expect(await errorIn(client)).toBe('504 RELAY_PEER_TIMEOUT maybe');
    await patient.upstream.sockets.until(0);
    expect(patient.upstream.exchanges.items).toHaveLength(1);
  });
});

describe('IDLE_TIMEOUT_MS (#32)', () => {
  const shared = sharedResources();
  let tunnel: RawTunnel;

  beforeAll(async () => {
    tunnel = shared(await startRawTunnel({ both: { IDLE_TIMEOUT_MS: LIMIT_MS } }));
  });

  beforeEach(() => {
    tunnel.upstream.exchanges.items.length = 0;
  });

  it.each([
    ['of known length', 'Content-Length: 1000\r\n\r\npart'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n'],
    ['without a length', '\r\npart'],
  ])('resets the connection of the client if a response %s falls silent', async (_how, rest) => {
    tunnel.upstream.follow(async ({ write }) => {
      await write(`HTTP/1.1 200 OK\r\n${rest}`);
    });

    const client = send(tunnel, 'GET /x HTTP/1.1');

    expect((await client.until('part')).toString()).toMatch(/^HTTP\/1\.1 200 /);
    expect(await client.ended).toBe('reset');
    await tunnel.upstream.sockets.until(0);
  });

  it.skipIf(IS_OVER_CHANNELS)(
    'ends an MTE response that falls silent with a 502 or 504',
    async () => {
      tunnel.upstream.follow(async ({ write }) => {
        await write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart');
      });

      const client = send(tunnel, 'POST /x HTTP/1.1', ['X-MTE-Encode-Type', 'MTE']);

      expect(await errorIn(client)).toMatch(/^50[24] RELAY_PEER_\w+ maybe$/);
      await tunnel.upstream.sockets.until(0);
    },
  );

  it('ends an upload that falls silent with a 408', async () => {
    // The limit leaves a slow machine enough time to pair and to forward the first part.
    const quick = await start({ outbound: { IDLE_TIMEOUT_MS: '1000' } });

    const client = send(quick, 'PUT /x HTTP/1.1', ['Content-Length', '1000']);
    client.write('part');
    const exchange = await quick.upstream.exchanges.find();

    expect(await errorIn(client)).toMatch(/^408 RELAY_BODY_IDLE /);
    await quick.upstream.sockets.until(0);
    expect(exchange.seen()).toMatchObject({ isComplete: false });
  });

  it('ends an upload that the upstream stops reading with a 504', async () => {
    tunnel.upstream.follow(({ socket }) => {
      socket.pause();
    });
    const size = 64 * 1024 * 1024;

    const client = send(tunnel, 'PUT /x HTTP/1.1', ['Content-Length', String(size)]);
    upload(client.socket, size);

    expect(await errorIn(client)).toMatch(/^504 RELAY_(UPSTREAM|PEER)_\w+ maybe$/);
    tunnel.upstream.exchanges.items[0]?.socket.resume();
    await tunnel.upstream.sockets.until(0);
  });

  it('ends a response that the client stops reading', async () => {
    tunnel.upstream.follow(async ({ write }) => {
      await write('HTTP/1.1 200 OK\r\n\r\n');
      for (;;) {
        await write(PIECE);
      }
    });
    const client = send(tunnel, 'GET /x HTTP/1.1');
    await client.until('xxxx');

    client.socket.pause();

    await tunnel.upstream.sockets.until(0);
    client.socket.resume();
    expect((await client.all()).toString('latin1')).not.toContain('0\r\n\r\n');
  });
});
