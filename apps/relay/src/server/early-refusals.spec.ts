import { createServer } from 'node:http';
import type { Socket } from 'node:net';

import { describe, expect, it, vi } from 'vitest';

import { listen } from '../../../../test/support/network/listen.js';
import { openSocket } from '../../../../test/support/network/raw-socket.js';
import { Recorder } from '../../../../test/support/lifecycle/recorder.js';
import { forThisTest } from '../../../../test/support/lifecycle/resources.js';
import type { EarlyRefusal } from '../telemetry/request-reports.js';
import { EarlyRefusals } from './early-refusals.js';

describe('a client that keeps writing what cannot be parsed', () => {
  it('keeps its connection to read the reason, and is refused only once', async () => {
    const early = new EarlyRefusals();
    const refusals = new Recorder<EarlyRefusal>();
    early.on('refused', (refusal) => {
      refusals.add(refusal);
    });
    const server = createServer();
    const accepted = new Recorder<Socket>();
    server.on('connection', (socket: Socket) => {
      accepted.add(socket);
    });
    server.on('clientError', (error, socket) => {
      early.unparsable(error, socket);
    });
    const client = forThisTest(openSocket(forThisTest(await listen(server)).port));

    client.write('nonsense\r\n\r\n');
    await client.until('RELAY_REQUEST_INVALID');
    const [socket] = await accepted.count(1);
    const before = socket!.bytesRead;
    client.socket.removeAllListeners('end');
    client.write('more of it\r\n\r\n');
    await vi.waitUntil(() => socket!.bytesRead > before, 20_000);

    expect(socket!.destroyed).toBe(false);
    expect(refusals.items).toHaveLength(1);
  });
});
