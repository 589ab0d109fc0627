import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

import { describe, expect, it } from 'vitest';

import { Recorder } from '../support/lifecycle/recorder.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startProcessTunnel, type ProcessTunnel } from '../support/tunnels/process-tunnel.js';

const REQUESTS = 100;
const CHUNK = Buffer.alloc(65_536);
/** More than the windows and the buffers of all sockets on the way. */
const ENOUGH_BYTES = 256 * 1024 * 1024;

/** Relays with a single channel, and an API with an endless response. */
const startWithOneChannel = async (environment = {}) => {
  const ends = new Recorder<{ readonly writtenBytes: number }>();
  let writtenBytes = 0;
  const tunnel = forThisTest(
    await startProcessTunnel(
      async ({ url, body }, response) => {
        if (url !== '/endless') {
          response.end(await body());
          return;
        }
        const closed = once(response, 'close').then(() => {
          ends.add({ writtenBytes });
        });
        response.writeHead(200, { 'content-type': 'application/octet-stream' });
        while (writtenBytes < ENOUGH_BYTES && !response.destroyed) {
          writtenBytes += CHUNK.length;
          if (!response.write(CHUNK)) {
            await Promise.race([once(response, 'drain'), closed]);
          }
        }
      },
      {
        TUNNEL_TRANSPORT: 'channel',
        CHANNELS_PER_PEER: '1',
        MAX_CHANNELS_PER_PEER: '1',
        ...environment,
      },
    ),
  );
  return { tunnel, ends, written: () => writtenBytes };
};

/** A client that asks for the endless response, and reads nothing of it. */
const stopReading = ({ outbound, clientHeaders }: ProcessTunnel): Socket => {
  const slow = connect({ port: outbound.port, host: '127.0.0.1' });
  forThisTest({ close: () => Promise.resolve(void slow.destroy()) });
  slow.on('error', () => undefined);
  slow.pause();
  const fields = Object.entries(clientHeaders).map(([name, value]) => `${name}: ${value}\r\n`);
  slow.write(`GET /endless HTTP/1.1\r\nhost: a\r\n${fields.join('')}\r\n`);
  return slow;
};

const channelsOpened = ({ outbound }: ProcessTunnel): number =>
  outbound.log.items.filter(({ msg }) => msg === 'channel opened').length;

describe('a client that stops reading', () => {
  it('holds no other stream of its channel up', async () => {
    const { tunnel, ends, written } = await startWithOneChannel();
    stopReading(tunnel);
    // Until the response no longer moves.
    let before = -1;
    await expect
      .poll(
        () => {
          const isStill = written() > 0 && written() === before;
          before = written();
          return isStill;
        },
        { timeout: 60_000, interval: 500 },
      )
      .toBe(true);

    const responses = await Promise.all(
      Array.from({ length: REQUESTS }, (_, at) =>
        tunnel.send({ method: 'POST', path: `/${at}`, body: Buffer.alloc(at * 1_000, at) }),
      ),
    );

    expect(responses.map(({ status, body }) => [status, body.length])).toEqual(
      Array.from({ length: REQUESTS }, (_, at) => [200, at * 1_000]),
    );
    expect(ends.items).toEqual([]);
    expect(written()).toBeLessThan(ENOUGH_BYTES / 2);
    expect(channelsOpened(tunnel)).toBe(1);
  });

  it('is ended after IDLE_TIMEOUT_MS, with its stream and not its channel', async () => {
    const { tunnel, ends } = await startWithOneChannel({ IDLE_TIMEOUT_MS: '2000' });
    const slow = stopReading(tunnel);
    await tunnel.upstream.requests.find(({ url }) => url === '/endless');

    const { writtenBytes } = await ends.find();

    expect(writtenBytes).toBeLessThan(ENOUGH_BYTES / 2);
    await tunnel.outbound.log.find(({ code }) => code === 'RELAY_CLIENT_GONE');
    // Not `once`, which rejects if the connection was reset.
    const closed = new Promise((resolve) => slow.once('close', resolve));
    slow.resume();
    await closed;
    expect(await tunnel.send({ path: '/after' })).toMatchObject({ status: 200 });
    expect(channelsOpened(tunnel)).toBe(1);
  });
});
