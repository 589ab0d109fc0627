import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

import { beforeAll, describe, expect, it } from 'vitest';

import { openRequest } from '../support/client.js';
import { inMib, peakResidentBytes } from '../support/process-memory.js';
import { startProcessTunnel, type ProcessTunnel } from '../support/process-tunnel.js';
import { sharedResources } from '../support/resources.js';

const MIB = 1024 * 1024;
const TRANSFER_BYTES = 2 * 1024 * MIB;
const MAX_RESIDENT_BYTES = 200 * MIB;
const PIECE_BYTES = 65_536;
/** Generous: the machine may be busy with others. */
const LIMIT_MS = 15 * 60_000;

/** What a transfer repeats; not a multiple of any size that is used on the way, so that nothing can be exchanged. */
const PATTERN_BYTES = MIB - 1;
const PATTERN = randomBytes(PATTERN_BYTES);
const TWICE = Buffer.concat([PATTERN, PATTERN]);

const shared = sharedResources();
let tunnel: ProcessTunnel;

beforeAll(async () => {
  if (!isAlone) {
    return;
  }
  tunnel = shared(
    await startProcessTunnel(async ({ method, message }, response) => {
      if (method === 'PUT') {
        response.end(JSON.stringify(await received(message)));
        return;
      }
      response.writeHead(200, { 'content-length': TRANSFER_BYTES });
      for (const piece of pieces()) {
        if (!response.write(piece)) {
          await once(response, 'drain');
        }
      }
      response.end();
    }),
  );
});

/** The transfer in pieces, of memory that is there once. */
function* pieces(): Generator<Buffer> {
  for (let at = 0; at < TRANSFER_BYTES; at += PIECE_BYTES) {
    yield expectedAt(at, Math.min(PIECE_BYTES, TRANSFER_BYTES - at));
  }
}

function expectedAt(offset: number, bytes: number): Buffer {
  const start = offset % PATTERN_BYTES;
  return TWICE.subarray(start, start + bytes);
}

/** Compares as it reads. */
async function received(message: IncomingMessage): Promise<{ bytes: number; isSame: boolean }> {
  let bytes = 0;
  let isSame = true;
  message.on('data', (chunk: Buffer) => {
    isSame &&= chunk.equals(expectedAt(bytes, chunk.length));
    bytes += chunk.length;
  });
  await once(message, 'end');
  return { bytes, isSame };
}

/** Beside other tests memory is that of a process which gets no turn: alone, with SLOW=1. */
const isAlone = process.env['SLOW'] === '1';

describe.runIf(isAlone)('2 GiB up and 2 GiB down at once', () => {
  it(
    'arrive unchanged, and no relay has ever more than 200 MiB resident',
    async () => {
      const whole = { bytes: TRANSFER_BYTES, isSame: true };
      const startedAtMs = performance.now();
      const up = tunnel.send({
        method: 'PUT',
        path: '/up',
        body: Readable.from(pieces(), { objectMode: false }),
      });
      const { message } = await openRequest(tunnel.outbound.url, {
        path: '/down',
        headers: tunnel.clientHeaders,
      });

      const [answer, down] = await Promise.all([up, received(message)]);

      const seconds = (performance.now() - startedAtMs) / 1000;
      const peaks = [tunnel.outbound, tunnel.inbound].map(peakResidentBytes);
      console.info(
        `2 GiB up and down at once in ${seconds.toFixed(1)} s, peaks: ${peaks.map(inMib).join(' (outbound), ')} (inbound)`,
      );
      expect(JSON.parse(answer.body.toString())).toEqual(whole);
      expect(down).toEqual(whole);
      expect(Math.max(...peaks)).toBeLessThan(MAX_RESIDENT_BYTES);
    },
    LIMIT_MS,
  );
});
