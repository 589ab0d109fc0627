import { Readable } from 'node:stream';

import { describe, expect, it } from 'vitest';

import { forThisTest } from '../support/lifecycle/resources.js';
import { startTunnel } from '../support/tunnels/tunnel.js';

const PIECE = Buffer.alloc(65_536, 'x');

/** Node.js closes such a connection after its response; upload bytes that arrive later would turn that into a reset. */
describe('an early response to a client that sends connection: close', () => {
  it('reaches the client 20 times out of 20', { timeout: 120_000 }, async () => {
    const tunnel = forThisTest(await startTunnel());
    const statuses: number[] = [];
    for (let run = 0; run < 20; run += 1) {
      const endless = function* (): Generator<Buffer> {
        for (;;) {
          yield PIECE;
        }
      };
      const body = Readable.from(endless(), { objectMode: false });
      const response = await tunnel.send({
        method: 'POST',
        headers: { connection: 'close', 'x-mte-encode-type': 'MTE' },
        body,
      });
      body.destroy();
      statuses.push(response.status);
    }

    expect(statuses).toEqual(Array(20).fill(413));
  });
});
