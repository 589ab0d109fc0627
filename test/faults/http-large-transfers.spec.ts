import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

import { beforeAll, describe, expect, it } from 'vitest';

import { openRequest } from '../support/clients/client.js';
import { inMib, peakResidentBytes } from '../support/processes/process-memory.js';
import { startProcessTunnel, type ProcessTunnel } from '../support/tunnels/process-tunnel.js';
import { sharedResources } from '../support/lifecycle/resources.js';

const MIB = 1024 * 1024;
const TRANSFER_BYTES = 2 * 1024 * MIB;
const MAX_RESIDENT_BYTES = 200 * MIB;
const CHUNK_BYTES = 65_536;
/** Generous: the machine may be busy. */
const LIMIT_MS = 15 * 60_000;

/** What a transfer repeats. It is not a multiple of any size that is used on the way, so any swap would be noticed. */
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
      for (const chunk of chunks()) {
        if (!response.write(chunk)) {
          await once(response, 'drain');
        }
      }
      response.end();
    }),
  );
});

/** The transfer in chunks, which all share the memory of one pattern. */
function* chunks(): Generator<Buffer> {
  for (let at = 0; at < TRANSFER_BYTES; at += CHUNK_BYTES) {
    yield expectedAt(at, Math.min(CHUNK_BYTES, TRANSFER_BYTES - at));
  }
}

function expectedAt(offset: number, bytes: number): Buffer {
  const start = offset % PATTERN_BYTES;
  return TWICE.subarray(start, start + bytes);
}

/** Compares a body with the pattern while reading it. */
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

/** Next to other tests, a relay that gets too little CPU time uses more memory: this one runs alone, with SLOW=1. */
const isAlone = process.env['SLOW'] === '1';

describe.runIf(isAlone)('2 GiB up and 2 GiB down at the same time', () => {
  it(
    'arrive unchanged, and no relay ever has more than 200 MiB resident',
    async () => {
      const whole = { bytes: TRANSFER_BYTES, isSame: true };
      const startedAtMs = performance.now();
      const up = tunnel.send({
        method: 'PUT',
        path: '/up',
        body: Readable.from(chunks(), { objectMode: false }),
      });
      const { message } = await openRequest(tunnel.outbound.url, {
        path: '/down',
        headers: tunnel.clientHeaders,
      });

      const [response, down] = await Promise.all([up, received(message)]);

      const seconds = (performance.now() - startedAtMs) / 1000;
      const peaks = [tunnel.outbound, tunnel.inbound].map(peakResidentBytes);
      console.info(
        `2 GiB up and down at the same time in ${seconds.toFixed(1)} s, peaks: ${peaks.map(inMib).join(' (outbound), ')} (inbound)`,
      );
      expect(JSON.parse(response.body.toString())).toEqual(whole);
      expect(down).toEqual(whole);
      expect(Math.max(...peaks)).toBeLessThan(MAX_RESIDENT_BYTES);
    },
    LIMIT_MS,
  );
});
