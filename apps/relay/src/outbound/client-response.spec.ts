import { createServer, type ServerResponse } from 'node:http';

import { describe, expect, it } from 'vitest';

import { relayConfig } from '../../../../test/support/config.js';
import { listen } from '../../../../test/support/listen.js';
import { openSocket, type RawSocket } from '../../../../test/support/raw-socket.js';
import { Recorder } from '../../../../test/support/recorder.js';
import { forThisTest } from '../../../../test/support/resources.js';
import { ClientResponse } from './client-response.js';

const IDLE_MS = 200;
const MAX_HOLD_MS = 10 * IDLE_MS;
const MIB = 1024 * 1024;
/** So much is taken at a time that the sender sees it, whatever the system buffers. */
const SIP_BYTES = 2 * MIB;
const SIP_INTERVAL_MS = IDLE_MS / 10;

/** A client of a server that answers with a body that was held back; the answer has begun. */
async function askForHeldAnswer(
  bytes: number,
): Promise<{ client: RawSocket; response: ServerResponse }> {
  const config = relayConfig({ IDLE_TIMEOUT_MS: String(IDLE_MS) });
  const answered = new Recorder<ServerResponse>();
  const server = createServer((_request, response) => {
    const answer = new ClientResponse(response, config, 'request-1', () => undefined);
    answer.start({ status: 200, fields: [] });
    answer.endBuffered(Buffer.alloc(bytes));
    answered.add(response);
  });
  const { port } = forThisTest(await listen(server));
  const client = forThisTest(openSocket(port));
  client.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
  return { client, response: await answered.find() };
}

describe('an answer that was held back', () => {
  it('goes out whole to a client that reads it', async () => {
    const { client, response } = await askForHeldAnswer(10 * MIB);

    expect((await client.all()).length).toBeGreaterThan(10 * MIB);
    expect(response.writableFinished).toBe(true);
  });

  it('is given up after ten times IDLE_TIMEOUT_MS, though its client goes on reading', async () => {
    const { client, response } = await askForHeldAnswer(512 * MIB);
    const startedAt = performance.now();
    let taken = 0;
    client.socket.on('data', (chunk) => {
      taken += chunk.length;
      if (taken >= SIP_BYTES) {
        taken = 0;
        client.socket.pause();
      }
    });
    const sips = setInterval(() => client.socket.resume(), SIP_INTERVAL_MS);

    await new Promise((resolve) => response.once('close', resolve));

    expect(response.writableFinished).toBe(false);
    expect(performance.now() - startedAt).toBeGreaterThan(MAX_HOLD_MS - IDLE_MS);
    expect(await client.ended).toBe('reset');
    clearInterval(sips);
  });
});
