import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { openSocket } from '../../support/network/raw-socket.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';

/** Bytes that are not HTTP, on a connection with a request in progress. */
const shared = sharedResources();
let tunnel: RawTunnel;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel());
});

beforeEach(() => {
  tunnel.upstream.exchanges.items.length = 0;
});

const GARBAGE = 'garbage\0\0\r\n\r\n';

describe('bytes that are not HTTP', () => {
  it.each([
    ['of known length', 'Content-Length: 1000\r\n\r\npart'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n'],
  ])(
    'reset a connection whose response %s has begun, and no error appears in its body',
    async (...row) => {
      const [, rest] = row;
      tunnel.upstream.follow(async ({ write }) => {
        await write(`HTTP/1.1 200 OK\r\n${rest}`);
      });
      const client = forThisTest(openSocket(tunnel.outbound.port));
      client.write(tunnel.head('GET /x HTTP/1.1'));
      await client.until('part');

      client.write(GARBAGE);

      expect(await client.ended).toBe('reset');
      expect(client.received.toString('latin1')).not.toContain('RELAY_');
    },
  );

  it('never result in forwarded: no for a request that was forwarded', async () => {
    tunnel.upstream.follow(() => undefined);
    const client = forThisTest(openSocket(tunnel.outbound.port));
    client.write(tunnel.head('POST /x HTTP/1.1', ['Content-Length', '4']));
    client.write('body');
    const exchange = await tunnel.upstream.exchanges.find();
    expect(await exchange.whole).toMatchObject({ isComplete: true });

    client.write(GARBAGE);

    expect((await client.all()).toString('latin1')).not.toContain('"forwarded":"no"');
  });

  it('in a partly forwarded chunked body result in a 400 with forwarded: maybe', async () => {
    tunnel.upstream.follow(() => undefined);
    const client = forThisTest(openSocket(tunnel.outbound.port));
    client.write(tunnel.head('POST /x HTTP/1.1', ['Transfer-Encoding', 'chunked']));
    client.write('4\r\npart\r\n');
    await tunnel.upstream.exchanges.find();

    client.write('zz\r\n');

    const response = (await client.all()).toString('latin1');
    expect(response).toMatch(/^HTTP\/1\.1 400 [^]*"forwarded":"maybe"/);
  });
});
