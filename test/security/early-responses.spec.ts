import { beforeAll, describe, expect, it } from 'vitest';

import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { hasVarnish, startVarnish } from '../support/network/varnish.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';

const MIB = 1024 * 1024;

const shared = sharedResources();
let tunnel: Tunnel;

beforeAll(async () => {
  tunnel = shared(await startTunnel());
});

describe('#62 an intermediary that keeps its connections to relay B', () => {
  it.skipIf(!hasVarnish())(
    'loses no request to an early response before it on the connection, 10 of 10 times',
    { timeout: 120_000 },
    async () => {
      const varnish = forThisTest(await startVarnish(tunnel.inbound.port));
      tunnel.upstream.handle((request, response) => {
        response.writeHead(request.method === 'GET' ? 200 : 413).end();
      });
      const headers = { 'x-mte-upstream': varnish.url };
      const body = Buffer.alloc(16 * MIB);
      const statuses: number[] = [];
      for (let count = 0; count < 10; count += 1) {
        const { status } = await tunnel.send({ method: 'PUT', headers, body });
        const next = await tunnel.send({ headers });
        statuses.push(status, next.status);
      }
      expect(statuses).toEqual(Array(10).fill([413, 200]).flat());
    },
  );
});
