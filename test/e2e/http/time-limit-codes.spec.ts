import { describe, expect, it } from 'vitest';

import { startFullListener } from '../../support/network/full-listener.js';
import { openSocket, type RawSocket } from '../../support/network/raw-socket.js';
import type { Field } from '../../support/network/raw-http.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { IS_OVER_CHANNELS } from '../../support/tunnels/transport.js';
import { upload } from '../../support/clients/upload.js';

const MIB = 1024 * 1024;

const send = (tunnel: RawTunnel, startLine: string, ...fields: readonly Field[]): RawSocket => {
  const client = forThisTest(openSocket(tunnel.outbound.port));
  client.write(tunnel.head(startLine, ...fields));
  return client;
};

const codeIn = async (client: RawSocket) => {
  const text = (await client.until('"requestId"')).toString('latin1');
  return /"code":"(\w+)"/.exec(text)?.[1];
};

describe('the time limits', () => {
  it('on connecting, on the head of a response and on silence each have their own error code', async () => {
    const full = forThisTest(await startFullListener());
    const unreachable = forThisTest(
      await startRawTunnel({
        inbound: { UPSTREAM: `http://127.0.0.1:${full.port}`, CONNECT_TIMEOUT_MS: '200' },
      }),
    );
    const silent = forThisTest(await startRawTunnel({ inbound: { RESPONSE_TIMEOUT_MS: '200' } }));
    silent.upstream.follow(() => undefined);
    const stalled = forThisTest(await startRawTunnel({ inbound: { IDLE_TIMEOUT_MS: '200' } }));
    stalled.upstream.follow(({ socket }) => {
      socket.pause();
    });

    const toStalled = send(stalled, 'PUT /x HTTP/1.1', ['Content-Length', String(64 * MIB)]);
    upload(toStalled.socket, 64 * MIB);
    const codes = await Promise.all([
      codeIn(send(unreachable, 'GET /x HTTP/1.1')),
      codeIn(send(silent, 'GET /x HTTP/1.1')),
      codeIn(toStalled),
    ]);

    expect(new Set(codes).size).toBe(3);
    expect(codes).not.toContain(undefined);
  });
});

describe('RESPONSE_TIMEOUT_MS', () => {
  it.skipIf(IS_OVER_CHANNELS)(
    'counts from the end of an MTE upload, even if the upstream reads it slowly',
    async () => {
      const tunnel = forThisTest(
        await startRawTunnel({ inbound: { RESPONSE_TIMEOUT_MS: '1000' } }),
      );
      const other = forThisTest(await startRawTunnel({ inbound: { RESPONSE_TIMEOUT_MS: '2000' } }));
      other.upstream.follow(() => undefined);
      tunnel.upstream.follow(async ({ socket, whole, write }) => {
        socket.pause();
        // A second tunnel with twice the limit times out once the limit of the first has certainly passed.
        expect(await codeIn(send(other, 'GET /x HTTP/1.1'))).toBe('RELAY_UPSTREAM_TIMEOUT');
        socket.resume();
        await whole;
        await write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });

      const client = send(
        tunnel,
        'PUT /x HTTP/1.1',
        ['X-MTE-Encode-Type', 'MTE'],
        ['Content-Length', String(8 * MIB)],
      );
      upload(client.socket, 8 * MIB);

      const response = (await client.until('\r\n\r\n')).toString('latin1');
      expect(response).toMatch(/^HTTP\/1\.1 200 /);
    },
  );
});
