import { createHash, randomBytes, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';

import { beforeAll, describe, expect, it } from 'vitest';

import { openRequest } from '../support/client.js';
import { startProcessTunnel, type ProcessTunnel } from '../support/process-tunnel.js';
import { sharedResources } from '../support/resources.js';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const WARM_UP_BYTES = 128 * MIB;
const MAX_GROWTH_BYTES = 64 * MIB;
const PIECE_BYTES = 65_536;
/** Memory is looked at so often that no growth could hide between two looks. */
const LOOK_EVERY_PIECES = 256;

const shared = sharedResources();
let tunnel: ProcessTunnel;

beforeAll(async () => {
  tunnel = shared(
    await startProcessTunnel(async ({ url, message }, response) => {
      const hash = createHash('sha256');
      if (url.startsWith('/down/')) {
        const bytes = Number(url.slice('/down/'.length));
        response.writeHead(200, { 'content-length': bytes });
        for (const piece of pieces(bytes, hash)) {
          if (!response.write(piece)) {
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

/** What the upstream sent last. */
const hashes = { down: '' };

/** Bytes that do not repeat, made as they are asked for and hashed on the way. */
function* pieces(bytes: number, hash: Hash, look: () => void = () => undefined): Generator<Buffer> {
  const pattern = randomBytes(PIECE_BYTES);
  for (let at = 0; at * PIECE_BYTES < bytes; at += 1) {
    const piece = Buffer.from(pattern.subarray(0, Math.min(PIECE_BYTES, bytes - at * PIECE_BYTES)));
    piece.writeUInt32BE(at);
    hash.update(piece);
    if (at % LOOK_EVERY_PIECES === 0) {
      look();
    }
    yield piece;
  }
}

/** Sends that many bytes up; tells whether the upstream got the very same. */
async function sendUp(bytes: number, look: () => void): Promise<boolean> {
  const hash = createHash('sha256');
  const body = Readable.from(pieces(bytes, hash, look), { objectMode: false });
  const answer = await tunnel.send({ method: 'PUT', path: '/up', body });
  return answer.status === 200 && answer.body.toString() === hash.digest('hex');
}

/** Asks for that many bytes; tells whether the client got the very same. */
async function fetchDown(bytes: number, look: () => void): Promise<boolean> {
  const hash = createHash('sha256');
  const { message } = await openRequest(tunnel.outbound.url, {
    path: `/down/${bytes}`,
    headers: tunnel.clientHeaders,
  });
  let received = 0;
  message.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    if (Math.floor(received / (16 * MIB)) !== Math.floor((received + chunk.length) / (16 * MIB))) {
      look();
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
