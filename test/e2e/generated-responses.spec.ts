import { describe, expect, it } from 'vitest';

import { errorOf, fieldValues } from '../support/clients/client.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startTunnel } from '../support/tunnels/tunnel.js';

describe('a response that a relay generates', () => {
  it('carries the fields of HEADERS and RESPONSE_HEADERS if the client has shown the token', async () => {
    const tunnel = forThisTest(
      await startTunnel({
        outbound: { HEADERS: '{"x-outbound":"1"}', RESPONSE_HEADERS: '{"x-response":"2"}' },
      }),
    );

    const refused = await tunnel.send({ headers: { 'x-mte-upstream': 'nonsense:' } });

    expect(refused.status).toBe(400);
    expect(fieldValues(refused.rawHeaders, 'x-outbound')).toEqual(['1']);
    expect(fieldValues(refused.rawHeaders, 'x-response')).toEqual(['2']);
  });

  it("carries the fields of the client's relay only, if the peer makes it in the API's place", async () => {
    const tunnel = forThisTest(
      await startTunnel({
        outbound: { HEADERS: '{"x-outbound":"1"}' },
        inbound: {
          HEADERS: '{"x-inbound":"1"}',
          RESPONSE_HEADERS: '{"x-response":"2"}',
          MTE_ROUTES: '/api/*',
        },
      }),
    );

    const refused = await tunnel.send({ path: '/elsewhere' });

    expect(errorOf(refused).code).toBe('RELAY_ROUTE_UNKNOWN');
    expect(fieldValues(refused.rawHeaders, 'x-outbound')).toEqual(['1']);
    expect(fieldValues(refused.rawHeaders, 'x-inbound')).toEqual([]);
    expect(fieldValues(refused.rawHeaders, 'x-response')).toEqual([]);
  });

  it('carries an x-request-id if DEBUG is true', async () => {
    const tunnel = forThisTest(await startTunnel({ outbound: { DEBUG: 'true' } }));

    const refused = await tunnel.send({
      headers: { 'x-mte-outbound-token': 'wrong' },
    });

    expect(fieldValues(refused.rawHeaders, 'x-request-id')).toEqual([errorOf(refused).requestId]);
  });
});

describe('an x-request-id of the upstream', () => {
  it('is replaced if DEBUG is true, since a field that a relay adds is never repeated', async () => {
    const tunnel = forThisTest(await startTunnel({ outbound: { DEBUG: 'true' } }));
    tunnel.upstream.handle((_request, response) => {
      response.writeHead(200, { 'x-request-id': 'of-the-upstream' }).end();
    });

    const response = await tunnel.send({
      headers: { 'x-request-id': 'order-4711' },
    });

    expect(fieldValues(response.rawHeaders, 'x-request-id')).toEqual(['order-4711']);
  });
});
