import { describe, expect, it } from 'vitest';

import { errorOf, fieldValues } from '../support/client.js';
import { forThisTest } from '../support/resources.js';
import { startTunnel } from '../support/tunnel.js';

describe('an answer that a relay gives itself', () => {
  it('has the fields of HEADERS', async () => {
    const tunnel = forThisTest(await startTunnel({ outbound: { HEADERS: '{"x-outbound":"1"}' } }));

    const refused = await tunnel.send({
      headers: { 'x-mte-outbound-token': 'wrong' },
    });

    expect(fieldValues(refused.rawHeaders, 'x-outbound')).toEqual(['1']);
  });

  it('has an x-request-id where DEBUG is true', async () => {
    const tunnel = forThisTest(await startTunnel({ outbound: { DEBUG: 'true' } }));

    const refused = await tunnel.send({
      headers: { 'x-mte-outbound-token': 'wrong' },
    });

    expect(fieldValues(refused.rawHeaders, 'x-request-id')).toEqual([errorOf(refused).requestId]);
  });
});

describe('an x-request-id of the upstream', () => {
  it('is replaced where DEBUG is true, as no field of a relay stands beside another one', async () => {
    const tunnel = forThisTest(await startTunnel({ outbound: { DEBUG: 'true' } }));
    tunnel.upstream.handle((_request, response) => {
      response.writeHead(200, { 'x-request-id': 'of-the-upstream' }).end();
    });

    const answer = await tunnel.send({
      headers: { 'x-request-id': 'order-4711' },
    });

    expect(fieldValues(answer.rawHeaders, 'x-request-id')).toEqual(['order-4711']);
  });
});
