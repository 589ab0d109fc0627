import { createServer, type ServerResponse } from 'node:http';

import { describe, expect, it } from 'vitest';

import { relayConfig } from '../../../../test/support/relays/config.js';
import { listen } from '../../../../test/support/network/listen.js';
import { openSocket, type RawSocket } from '../../../../test/support/network/raw-socket.js';
import { Recorder } from '../../../../test/support/lifecycle/recorder.js';
import { forThisTest } from '../../../../test/support/lifecycle/resources.js';
import { ClientResponse } from './client-response.js';

const IDLE_MS = 200;
const MAX_BUFFER_MS = 10 * IDLE_MS;
const MIB = 1024 * 1024;
/** The client reads this much at a time, so that the sender notices it despite the buffers of the operating system. */
const SIP_BYTES = 2 * MIB;
const SIP_INTERVAL_MS = IDLE_MS / 10;

/** Requests a response with a buffered body of this size. It is being sent when this resolves. */
async function requestBufferedResponse(
  bytes: number,
): Promise<{ client: RawSocket; response: ServerResponse }> {
  const config = relayConfig({ IDLE_TIMEOUT_MS: String(IDLE_MS) });
  const responses = new Recorder<ServerResponse>();
  const server = createServer((_request, response) => {
    const clientResponse = new ClientResponse(response, config, 'request-1', () => undefined);
    clientResponse.start({ status: 200, fields: [] });
    clientResponse.endBuffered([Buffer.alloc(bytes)]);
    responses.add(response);
  });
  const { port } = forThisTest(await listen(server));
  const client = forThisTest(openSocket(port));
  client.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
  return { client, response: await responses.find() };
}

describe('a buffered response', () => {
  it('is sent whole to a client that reads it', async () => {
    const { client, response } = await requestBufferedResponse(10 * MIB);

    expect((await client.all()).length).toBeGreaterThan(10 * MIB);
    expect(response.writableFinished).toBe(true);
  });

  it('is reset after ten times IDLE_TIMEOUT_MS, even if its client keeps reading', async () => {
    const { client, response } = await requestBufferedResponse(512 * MIB);
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
    expect(performance.now() - startedAt).toBeGreaterThan(MAX_BUFFER_MS - IDLE_MS);
    expect(await client.ended).toBe('reset');
    clearInterval(sips);
  });
});
