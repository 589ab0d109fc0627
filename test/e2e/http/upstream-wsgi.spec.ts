import { beforeAll, describe, expect, it } from 'vitest';

import { request } from '../../support/clients/client.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import { hasPython } from '../../support/processes/python-relays.js';
import { TOKEN, startRelay, type TestRelay } from '../../support/relays/relay.js';
import { startWsgiServer, type WsgiServer } from '../../support/upstreams/wsgi.js';

const FORGED = { x_api_key: 'forged', 'x-api_key': 'forged' };

const shared = sharedResources();
let wsgi: WsgiServer;
let inbound: TestRelay;
let outbound: TestRelay;

const isThere = hasPython();

beforeAll(async () => {
  if (!isThere) {
    return;
  }
  wsgi = shared(await startWsgiServer());
  inbound = shared(
    await startRelay({
      UPSTREAM: wsgi.url,
      REQUEST_HEADERS: '{"x-api-key":"ours"}',
      PASS_THROUGH_ROUTES: '/open',
    }),
  );
  outbound = shared(await startRelay());
});

/** What the application behind the server has as the value of x-api-key. */
const keyOf = async (origin: string, headers: Readonly<Record<string, string>>, path = '/') => {
  const { body } = await request(origin, { path, headers });
  return (JSON.parse(body.toString()) as Readonly<Record<string, string>>)['HTTP_X_API_KEY'];
};

describe.skipIf(!isThere)('a WSGI application behind a relay', () => {
  it('is given fields that differ in "-" and "_" as one variable, so they have to be dropped', async () => {
    expect(await keyOf(wsgi.url, { 'x-api-key': 'ours', ...FORGED })).toBe('ours,forged,forged');
  });

  it('is given the value of REQUEST_HEADERS alone, whatever the client adds', async () => {
    const client = { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': inbound.url };

    expect(await keyOf(outbound.url, { ...client, ...FORGED })).toBe('ours');
  });

  it('is given no value at all by a client without a token', async () => {
    expect(await keyOf(inbound.url, { ...FORGED, 'x-api-key': 'forged' }, '/open')).toBeUndefined();
  });
});
