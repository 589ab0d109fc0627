import { CLIENT_ID_HEADER, deriveSecretKeys } from '@relay/protocol';
import { beforeAll, describe, expect, it } from 'vitest';

import { deliverTo, headerOf } from '../support/attackers/man-in-the-middle.js';
import { pairingRequest } from '../support/attackers/protocol-client.js';
import { errorOf, request } from '../support/clients/client.js';
import { SECRET, startRelay, type TestRelay } from '../support/relays/relay.js';
import { sharedResources } from '../support/lifecycle/resources.js';

const ISO_8601 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const shared = sharedResources();
let relay: TestRelay;

beforeAll(async () => {
  relay = shared(await startRelay());
});

describe('the endpoints of a relay', () => {
  it.each([
    ['/api/mte-echo', 'test'],
    ['/api/mte-echo?x=1', 'test'],
    ['/api/mte-echo/hello', 'hello'],
    ['/api/mte-echo/caf%C3%A9%2F1', 'café/1'],
  ])('respond to GET %s with the echo "%s" and the time', async (path, echo) => {
    const response = await request(relay.url, { path });

    expect(response.status).toBe(200);
    expect(response.headers['content-type']).toMatch(/^application\/json/);
    expect(JSON.parse(response.body.toString())).toEqual({
      echo,
      time: expect.stringMatching(ISO_8601) as string,
    });
  });

  it.each(['GET', 'HEAD'])('identify the relay on %s /api/mte-relay', async (method) => {
    const response = await request(relay.url, { method, path: '/api/mte-relay' });

    expect(response).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    expect(response.headers).toMatchObject({ 'x-mte-relay': '1' });
  });

  it('complete a pairing on POST /api/mte-pair, with a response that nothing may store', async () => {
    const secretKeys = await deriveSecretKeys(SECRET);
    const { request: pairing, initiator } = await pairingRequest(relay.url, secretKeys);

    const response = await deliverTo(relay.url, pairing);

    expect(response.status).toBe(200);
    expect(headerOf(response, 'x-mte-relay')).toBe('1');
    expect(headerOf(response, 'content-type')).toBe('application/octet-stream');
    expect(headerOf(response, 'cache-control')).toBe('no-store, no-transform');
    await initiator.complete(headerOf(pairing, CLIENT_ID_HEADER), response.body, secretKeys);
  });

  it('return 200 on GET /health/live', async () => {
    const response = await request(relay.url, { path: '/health/live' });

    expect(response.status).toBe(200);
    expect(JSON.parse(response.body.toString())).toMatchObject({ status: 'ok' });
  });

  it.each(['/', '/api/login', '/api/mte-echo2', '/api/mte-tunnel', '/-/outbound', '/-/tunnel'])(
    'return 401 for %s without a token or a relay header, and name both in the error',
    async (path) => {
      const response = await request(relay.url, { method: 'GET', path });

      expect(response.status).toBe(401);
      const error = errorOf(response);
      expect(error).toMatchObject({ code: 'RELAY_TOKEN_MISSING', forwarded: 'no' });
      expect(error.message).toMatch(/x-mte-outbound-token.*x-mte-relay.*PASS_THROUGH_ROUTES/);
    },
  );

  it('return 400 in the common error format for an echo path that cannot be decoded', async () => {
    const response = await request(relay.url, { path: '/api/mte-echo/%zz' });

    expect(response.status).toBe(400);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_REQUEST_INVALID', forwarded: 'no' });
  });
});

describe('a request with a token', () => {
  it('goes into the tunnel even if its path is that of a relay endpoint', async () => {
    const response = await request(relay.url, {
      path: '/api/mte-echo',
      headers: { 'x-mte-outbound-token': 'wrong' },
    });

    expect(response.status).toBe(401);
    expect(errorOf(response).code).toBe('RELAY_TOKEN_INVALID');
  });
});
