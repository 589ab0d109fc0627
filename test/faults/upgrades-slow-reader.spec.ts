import { once } from 'node:events';

import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';

import { openWebSocket, openWebSockets } from '../support/clients/upgrade-clients.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { inMib } from '../support/processes/process-memory.js';
import { startUpgradeProcesses } from '../support/tunnels/upgrade-processes.js';
import { closeCodeOf, echoMessages } from '../support/upstreams/upgrade-upstream.js';

const MIB = 1024 * 1024;
const MESSAGE = Buffer.alloc(MIB, 'x');
const MESSAGES = 256;
const OTHERS = 20;
/** Of each relay; what a busy machine adds to the windows and buffers of one connection. */
const MAX_GROWTH_BYTES = 64 * MIB;
const LATE = { timeout: 60_000, interval: 500 };

/** Two relays, and an API that sends 256 MiB on request, as fast as its socket takes them. */
const start = async (environment = {}) => {
  let sent = 0;
  const onWebSocket = (socket: WebSocket): void => {
    echoMessages(socket);
    socket.on('message', (message: Buffer) => {
      if (message.toString() !== 'flood') {
        return;
      }
      const sendNext = (): void => {
        if (sent < MESSAGES && socket.readyState === socket.OPEN) {
          socket.send(MESSAGE, () => {
            sent += 1;
            sendNext();
          });
        }
      };
      sendNext();
    });
  };
  const relays = forThisTest(
    await startUpgradeProcesses({ behaviour: { onWebSocket }, both: environment }),
  );
  const { outbound, clientHeaders } = relays;
  return {
    ...relays,
    sent: () => sent,
    open: async () => forThisTest(await openWebSocket(outbound.url, clientHeaders)),
  };
};

describe('a WebSocket whose client does not read', () => {
  it('leaves the others alone, and costs bounded memory', async ({ annotate }) => {
    const { outbound, inbound, open, sent } = await start();
    const others = await openWebSockets(OTHERS, open);
    const slow = await open();
    const before = [outbound, inbound].map((relay) => relay.rss());
    slow.socket.pause();
    slow.socket.send('flood');
    // Until nothing moves any more.
    let last = -1;
    await expect
      .poll(() => {
        const isStill = sent() > 0 && sent() === last;
        last = sent();
        return isStill;
      }, LATE)
      .toBe(true);

    for (let turn = 0; turn < 20; turn += 1) {
      const echoed = await Promise.all(others.map(({ echo }, at) => echo(`${turn} ${at}`)));
      expect(echoed).toEqual(others.map((_, at) => `${turn} ${at}`));
    }

    const growth = [outbound, inbound].map((relay, at) => relay.rss() - before[at]!);
    await annotate(
      `${sent()} MiB sent; RSS of A +${inMib(growth[0]!)}, of B +${inMib(growth[1]!)}`,
    );
    expect(sent()).toBeLessThan(MESSAGES / 2);
    expect(Math.max(...growth)).toBeLessThan(MAX_GROWTH_BYTES);

    // A reader that is only slow loses nothing.
    let received = 0;
    slow.socket.on('message', (message: Buffer) => {
      received += message.length === MIB ? 1 : 0;
    });
    slow.socket.resume();
    await expect.poll(() => received, LATE).toBe(MESSAGES);
  });

  it('is reset after IDLE_TIMEOUT_MS, and no other is', async () => {
    const { outbound, inbound, open, sent, upstream } = await start({ IDLE_TIMEOUT_MS: '2000' });
    const other = await open();
    const slow = await open();
    const [, atApi] = await upstream.webSockets.count(2);
    const closed = closeCodeOf(atApi!);
    slow.socket.pause();
    slow.socket.send('flood');

    expect(await closed).toBe(1006);

    expect(sent()).toBeLessThan(MESSAGES / 2);
    for (const relay of [outbound, inbound]) {
      const line = await relay.log.find(
        ({ msg, code }) => msg === 'upgraded connection ended' && code !== undefined,
      );
      expect(line['error']).toBeDefined();
    }
    slow.socket.resume();
    expect(await slow.ended).toMatchObject({ code: 1006 });
    const echoed = once(other.socket, 'message');
    other.socket.send('still there');
    expect(String((await echoed)[0])).toBe('still there');
  });
});
