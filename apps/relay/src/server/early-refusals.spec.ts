import { createServer } from 'node:http';

import { describe, expect, it } from 'vitest';

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
    const connections = new Recorder<'open' | 'closed'>();
    early.on('refused', (refusal) => {
      refusals.add(refusal);
    });
    const server = createServer();
    server.on('clientError', (error, socket) => {
      early.unparsable(error, socket);
      connections.add(socket.destroyed ? 'closed' : 'open');
    });
    const client = openSocket(forThisTest(await listen(server)).port);

    client.write('nonsense\r\n\r\n');
    await client.until('RELAY_REQUEST_INVALID');
    client.write('more of it\r\n\r\n');

    expect((await connections.count(2)).slice(0, 2)).toEqual(['open', 'open']);
    expect(refusals.items).toHaveLength(1);
  });
});
