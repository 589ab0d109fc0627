import { Readable } from 'node:stream';

import { describe, expect, it } from 'vitest';

import { forThisTest } from '../support/resources.js';
import { startTunnel } from '../support/tunnel.js';

const PIECE = Buffer.alloc(65_536, 'x');

/** Node.js closes such a connection with its answer, which what is still being sent turns into a reset. */
describe('an answer that comes before the end of the upload of a client which sends connection: close', () => {
  it('is heard, 20 times of 20', async () => {
    const tunnel = forThisTest(await startTunnel());
    const statuses: number[] = [];
    for (let run = 0; run < 20; run += 1) {
      const endless = function* (): Generator<Buffer> {
        for (;;) {
          yield PIECE;
        }
      };
      const body = Readable.from(endless(), { objectMode: false });
      const answer = await tunnel.send({
        method: 'POST',
        headers: { connection: 'close', 'x-mte-encode-type': 'MTE' },
        body,
      });
      body.destroy();
      statuses.push(answer.status);
    }

    expect(statuses).toEqual(Array(20).fill(413));
  });
});
