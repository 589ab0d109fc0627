import { randomBytes } from 'node:crypto';

import { beforeAll, describe, expect, it } from 'vitest';

import { sharedResources } from '../../support/lifecycle/resources.js';
import { startTunnel, type Tunnel } from '../../support/tunnels/tunnel.js';

const shared = sharedResources();
let tunnel: Tunnel;

beforeAll(async () => {
  tunnel = shared(await startTunnel({ both: { TUNNEL_TRANSPORT: 'channel' } }));
});

describe('a request over a channel', () => {
  it('comes back as the API answered it', async () => {
    const response = await tunnel.send({ method: 'POST', path: '/echo', body: 'hello' });
    expect(response.status).toBe(200);
    expect(response.body.toString()).toBe('hello');
  });

  it('of many at once gets its own response', async () => {
    const bodies = Array.from({ length: 100 }, () => randomBytes(1_000));
    const responses = await Promise.all(
      bodies.map((body) => tunnel.send({ method: 'POST', path: '/echo', body })),
    );
    expect(
      responses.map(({ body }) =>
        body.equals(bodies[responses.findIndex((r) => r.body === body)] ?? body),
      ),
    ).not.toContain(false);
  });

  it('carries 16 MiB both ways', async () => {
    const body = randomBytes(16 * 1024 * 1024);
    const response = await tunnel.send({ method: 'POST', path: '/echo', body });
    expect(response.body.equals(body)).toBe(true);
  });
});
