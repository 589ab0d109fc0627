import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { fieldValues, request } from '../support/clients/client.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { startRelay, type TestRelay } from '../support/relays/relay.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';
import { ENCODE_TYPES } from '../support/tunnels/transport.js';

const shared = sharedResources();
let tunnel: Tunnel;
/** A relay in front of the same API that rewrites nothing. */
let byDefault: TestRelay;

beforeAll(async () => {
  tunnel = shared(
    await startTunnel({ inbound: { REWRITE_LOCATION: 'true', PASS_THROUGH_ROUTES: '/*' } }),
  );
  byDefault = shared(await startRelay({ UPSTREAM: tunnel.upstream.url }));
});

beforeEach(() => {
  tunnel.upstream.forget();
  tunnel.upstream.handle(({ headers }, response) => {
    const origin = `http://${headers.host ?? ''}`;
    response.writeHead(201, [
      ...['Location', `${origin}/v2/uploads?a=1`, 'Content-Location', `${origin}/v2`],
      ...['Link', `<${origin}/next>`, 'X-Location', `${origin}/x`],
    ]);
    response.end('body');
  });
});

const locations = ({ rawHeaders }: { readonly rawHeaders: readonly string[] }) => [
  ...fieldValues(rawHeaders, 'location'),
  ...fieldValues(rawHeaders, 'content-location'),
];

describe('REWRITE_LOCATION', () => {
  it.each(ENCODE_TYPES)('leads the client back into the tunnel (%s)', async (type) => {
    const response = await tunnel.send({ method: 'POST', headers: { 'x-mte-encode-type': type } });

    expect(locations(response)).toEqual(['/v2/uploads?a=1', '/v2']);
    expect(fieldValues(response.rawHeaders, 'link')).toEqual([`<${tunnel.upstream.url}/next>`]);
    expect(fieldValues(response.rawHeaders, 'x-location')).toEqual([`${tunnel.upstream.url}/x`]);
    expect(response.body.toString()).toBe('body');
  });

  it('gives the API a destination at its own origin', async () => {
    await tunnel.send({ method: 'MOVE', headers: { destination: `${tunnel.outbound.url}/b` } });

    const [received] = tunnel.upstream.requests.items;
    expect(fieldValues(received!.rawHeaders, 'destination')).toEqual([`${tunnel.upstream.url}/b`]);
  });

  it('is off by default', async () => {
    const destination = `${tunnel.outbound.url}/b`;
    const response = await tunnel.send({
      headers: { 'x-mte-upstream': byDefault.url, destination },
    });

    expect(locations(response)[0]).toBe(`${tunnel.upstream.url}/v2/uploads?a=1`);
    const [received] = tunnel.upstream.requests.items;
    expect(fieldValues(received!.rawHeaders, 'destination')).toEqual([destination]);
  });

  it('repeats no host that anybody names on a pass-through route (#59)', async () => {
    const response = await request(tunnel.inbound.url, { headers: { host: 'evil' } });

    expect(locations(response)).toEqual(['/v2/uploads?a=1', '/v2']);
  });
});
