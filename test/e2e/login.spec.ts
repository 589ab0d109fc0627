import { beforeAll, describe, expect, it } from 'vitest';

import { fieldValues } from '../support/clients/client.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';

const shared = sharedResources();
let tunnel: Tunnel;

beforeAll(async () => {
  tunnel = shared(await startTunnel());
});

describe('the login request of the README', () => {
  it('reaches the upstream as the client sent it, and its response reaches the client', async () => {
    tunnel.upstream.handle(async (request, response) => {
      const { user } = JSON.parse((await request.body()).toString()) as { user: string };
      response.writeHead(200, { 'content-type': 'application/json', 'set-cookie': ['a=1', 'b=2'] });
      response.end(JSON.stringify({ welcome: user }));
    });
    const body = '{"user":"ada","password":"correct horse"}';

    const response = await tunnel.send({
      method: 'POST',
      path: '/api/login?from=readme',
      headers: { 'content-type': 'application/json' },
      body,
    });

    expect(response.status).toBe(200);
    expect(response.body.toString()).toBe('{"welcome":"ada"}');
    expect(response.headers['content-type']).toBe('application/json');
    expect(fieldValues(response.rawHeaders, 'set-cookie')).toEqual(['a=1', 'b=2']);
    const [request] = tunnel.upstream.requests.items;
    expect(request).toMatchObject({ method: 'POST', url: '/api/login?from=readme' });
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': String(body.length),
      host: new URL(tunnel.upstream.url).host,
    });
    expect(Object.keys(request?.headers ?? {}).filter((name) => name.startsWith('x-mte'))).toEqual(
      [],
    );
  });
});
