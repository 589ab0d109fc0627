import { createHash, randomBytes, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';

import { beforeAll, describe, expect, it } from 'vitest';

import { openRequest } from '../support/clients/client.js';
import { startProcessTunnel, type ProcessTunnel } from '../support/tunnels/process-tunnel.js';
import { sharedResources } from '../support/lifecycle/resources.js';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const WARM_UP_BYTES = 128 * MIB;
const MAX_GROWTH_BYTES = 64 * MIB;
const CHUNK_BYTES = 65_536;
/** Memory is sampled so often that no growth can hide between two samples. */
const CHUNKS_PER_SAMPLE = 256;

const shared = sharedResources();
let tunnel: ProcessTunnel;

beforeAll(async () => {
  tunnel = shared(
    await startProcessTunnel(async ({ url, message }, response) => {
      const hash = createHash('sha256');
      if (url.startsWith('/down/')) {
        const bytes = Number(url.slice('/down/'.length));
        response.writeHead(200, { 'content-length': bytes });
        for (const chunk of chunks(bytes, hash)) {
          if (!response.write(chunk)) {
            await once(response, 'drain');
          }
        }
        hashes.down = hash.digest('hex');
        response.end();
      } else {
        message.on('data', (chunk: Buffer) => hash.update(chunk));
        await once(message, 'end');
        response.end(hash.digest('hex'));
      }
    }),
  );
});

/** The hash of the last body that the upstream sent. */
const hashes = { down: '' };

/** Bytes that do not repeat, generated on demand and hashed. */
function* chunks(
  bytes: number,
  hash: Hash,
  sample: () => void = () => undefined,
): Generator<Buffer> {
  const pattern = randomBytes(CHUNK_BYTES);
  for (let at = 0; at * CHUNK_BYTES < bytes; at += 1) {
    const chunk = Buffer.from(pattern.subarray(0, Math.min(CHUNK_BYTES, bytes - at * CHUNK_BYTES)));
    chunk.writeUInt32BE(at);
    hash.update(chunk);
    if (at % CHUNKS_PER_SAMPLE === 0) {
      sample();
    }
    yield chunk;
  }
}

/** Uploads a body of this size, and returns whether the upstream received exactly that body. */
async function sendUp(bytes: number, sample: () => void): Promise<boolean> {
  const hash = createHash('sha256');
  const body = Readable.from(chunks(bytes, hash, sample), { objectMode: false });
  const response = await tunnel.send({ method: 'PUT', path: '/up', body });
  return response.status === 200 && response.body.toString() === hash.digest('hex');
}

/** Downloads a body of this size, and returns whether the client received exactly that body. */
async function fetchDown(bytes: number, sample: () => void): Promise<boolean> {
  const hash = createHash('sha256');
  const { message } = await openRequest(tunnel.outbound.url, {
    path: `/down/${bytes}`,
    headers: tunnel.clientHeaders,
  });
  let received = 0;
  message.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    if (Math.floor(received / (16 * MIB)) !== Math.floor((received + chunk.length) / (16 * MIB))) {
      sample();
    }
    received += chunk.length;
  });
  await once(message, 'end');
  return received === bytes && hash.digest('hex') === hashes.down;
}

describe.each([
  ['up', sendUp],
  ['down', fetchDown],
] as const)('1 GiB %s', (_direction, transfer) => {
  it('arrives unchanged, and neither relay grows by 64 MiB', async () => {
    expect(await transfer(WARM_UP_BYTES, () => undefined)).toBe(true);
    const relays = [tunnel.outbound, tunnel.inbound];
    const before = relays.map((relay) => relay.rss());
    const peak = [...before];

    const isSame = await transfer(GIB, () => {
      relays.forEach((relay, at) => (peak[at] = Math.max(peak[at] ?? 0, relay.rss())));
    });

    expect(isSame).toBe(true);
    const growth = peak.map((bytes, at) => bytes - (before[at] ?? 0));
    expect(Math.max(...growth), `growth ${String(growth)}`).toBeLessThan(MAX_GROWTH_BYTES);
  });
});
