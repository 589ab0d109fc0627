import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { sharedResources } from '../support/lifecycle/resources.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';
import { echoBody } from '../support/upstreams/upstream.js';
import { ENCODE_TYPES } from '../support/tunnels/transport.js';

const MIB = 1024 * 1024;
const SIZES = [0, 1, 65_535, 65_536, 65_537, MIB, 5 * MIB];

const shared = sharedResources();
let tunnel: Tunnel;

beforeAll(async () => {
  tunnel = shared(await startTunnel());
});

beforeEach(() => {
  tunnel.upstream.forget();
  tunnel.upstream.handle(echoBody);
});

describe.each(ENCODE_TYPES)('a tunnel (%s)', (type) => {
  const headers = { 'x-mte-encode-type': type };

  it.each(SIZES)(
    'carries a body of %i bytes and known length unchanged in both directions',
    async (size) => {
      const body = randomBytes(size);

      const response = await tunnel.send({ method: 'POST', path: '/echo', headers, body });

      expect(response.status).toBe(200);
      expect(response.headers['content-length']).toBe(String(size));
      expect(response.body.equals(body)).toBe(true);
      expect(tunnel.upstream.requests.items[0]?.headers).toMatchObject({
        'content-length': String(size),
      });
    },
  );

  it.each(SIZES)(
    'carries a body of %i bytes and unknown length to the upstream unchanged, in chunks',
    async (size) => {
      const body = randomBytes(size);

      const response = await tunnel.send({
        method: 'POST',
        path: '/echo',
        headers,
        body: piecesOf(body, 40_000),
      });

      expect(response.body.equals(body)).toBe(true);
      const upstreamHeaders = tunnel.upstream.requests.items[0]?.headers;
      // A body that proves empty before anything has been sent may be announced as empty.
      if (size > 0) {
        expect(upstreamHeaders).toMatchObject({ 'transfer-encoding': 'chunked' });
        expect(upstreamHeaders).not.toHaveProperty('content-length');
      }
    },
  );

  it('carries a response body of unknown length unchanged', async () => {
    const body = randomBytes(3 * MIB + 1);
    tunnel.upstream.handle((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      piecesOf(body, 50_001).pipe(response);
    });

    const response = await tunnel.send({ path: '/download', headers });

    expect(response.body.equals(body)).toBe(true);
  });

  it('keeps the bodies of 50 concurrent requests apart', async () => {
    tunnel.upstream.handle(async (request, response) => {
      response.end(Buffer.concat([Buffer.from(request.url), await request.body()]));
    });
    const bodies = Array.from({ length: 50 }, (_, at) => randomBytes(at * 977));

    const responses = await Promise.all(
      bodies.map((body, at) =>
        tunnel.send({ method: 'PUT', path: `/${at.toString()}`, headers, body }),
      ),
    );

    const expected = bodies.map((body, at) => Buffer.concat([Buffer.from(`/${at}`), body]));
    expect(responses.map(({ body }, at) => body.equals(expected[at]!))).not.toContain(false);
    expect(tunnel.upstream.hits).toBe(50);
  });
});

/** The bytes as a stream without a length. */
function piecesOf(body: Buffer, size: number): Readable {
  const pieces = function* (): Generator<Buffer> {
    for (let at = 0; at < body.length; at += size) {
      yield body.subarray(at, at + size);
    }
  };
  return Readable.from(pieces(), { objectMode: false });
}
