import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

import { describe, expect, it } from 'vitest';

import { errorOf } from '../support/clients/client.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startTunnel } from '../support/tunnels/tunnel.js';
import { echoBody } from '../support/upstreams/upstream.js';

const LIMIT = 10 * 1024 * 1024;
/** How many complete messages fit into 256 MiB. */
const FITTING = 25;

describe('an MTE message', () => {
  it('gets 503 while others take up the 256 MiB for buffered messages, and passes once they have ended', async () => {
    const tunnel = forThisTest(await startTunnel());
    const send = (body: Buffer) =>
      tunnel.send({ method: 'POST', headers: { 'x-mte-encode-type': 'MTE' }, body });
    const waiting: ServerResponse[] = [];
    tunnel.upstream.handle(async (request, response) => {
      request.message.resume();
      await once(request.message, 'end');
      waiting.push(response);
      tunnel.upstream.requests.add(request);
    });
    const body = Buffer.alloc(LIMIT);
    const first = Array.from({ length: FITTING }, () => send(body));
    // Each is recorded twice: when it arrived, and when it was complete.
    await tunnel.upstream.requests.count(2 * FITTING, 60_000);

    const refused = await send(body);

    expect(refused.status).toBe(503);
    expect(errorOf(refused)).toMatchObject({ code: 'RELAY_BUSY', forwarded: 'no' });
    for (const response of waiting) {
      response.end();
    }
    expect(new Set((await Promise.all(first)).map(({ status }) => status))).toEqual(new Set([200]));
    tunnel.upstream.handle(echoBody);
    expect((await send(body)).status).toBe(200);
  });
});
