import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { errorOf, fieldValues } from '../support/clients/client.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';
import { echoBody } from '../support/upstreams/upstream.js';

const shared = sharedResources();
let tunnel: Tunnel;

beforeAll(async () => {
  tunnel = shared(await startTunnel());
});

beforeEach(() => {
  tunnel.upstream.forget();
  tunnel.upstream.handle(echoBody);
});

describe('a tunnel', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'REPORT', 'PROPFIND'])(
    'carries %s with its body and its content-length',
    async (method) => {
      const response = await tunnel.send({ method, path: '/thing?a=1&a=2', body: 'some body' });

      expect(response.status).toBe(200);
      expect(response.body.toString()).toBe('some body');
      const [request] = tunnel.upstream.requests.items;
      expect(request).toMatchObject({ method, url: '/thing?a=1&a=2' });
      expect(request?.headers).toMatchObject({ 'content-length': '9' });
    },
  );

  it('carries a GET without a body and adds no framing fields', async () => {
    const response = await tunnel.send({ path: '/list' });

    expect(response.status).toBe(200);
    const [request] = tunnel.upstream.requests.items;
    expect(request).toMatchObject({ method: 'GET', url: '/list' });
    expect(request?.headers).not.toHaveProperty('content-length');
    expect(request?.headers).not.toHaveProperty('transfer-encoding');
  });

  it('carries a GET with a body', async () => {
    const response = await tunnel.send({ path: '/search', body: '{"find":"it"}' });

    expect(response.body.toString()).toBe('{"find":"it"}');
    expect(tunnel.upstream.requests.items[0]?.method).toBe('GET');
  });

  it('sends content-length: 0 for a POST without a body', async () => {
    await tunnel.send({ method: 'POST', path: '/touch' });

    expect(tunnel.upstream.requests.items[0]?.headers).toMatchObject({ 'content-length': '0' });
  });

  it('responds to HEAD with the content-length of the upstream and no body', async () => {
    tunnel.upstream.handle((_request, response) => {
      response.writeHead(200, { 'content-length': 4711, etag: '"x"' }).end();
    });

    const response = await tunnel.send({ method: 'HEAD', path: '/big' });

    expect(tunnel.upstream.requests.items[0]?.method).toBe('HEAD');
    expect(response).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    expect(response.headers).toMatchObject({ 'content-length': '4711', etag: '"x"' });
  });

  it('carries a 204 without a body', async () => {
    tunnel.upstream.handle((_request, response) => {
      response.writeHead(204, { etag: '"x"' }).end();
    });

    const response = await tunnel.send({ method: 'DELETE', path: '/thing' });

    expect(response).toMatchObject({ status: 204, body: Buffer.alloc(0) });
    expect(response.headers).toMatchObject({ etag: '"x"' });
    expect(response.headers).not.toHaveProperty('content-length');
  });

  it('refuses TRACE', async () => {
    const response = await tunnel.send({ method: 'TRACE' });

    expect(response.status).toBe(400);
    expect(errorOf(response)).toMatchObject({ code: 'RELAY_HEAD_INVALID', forwarded: 'no' });
    expect(tunnel.upstream.hits).toBe(0);
  });
});

describe('header fields', () => {
  it('keep their order, repetitions and octets in both directions', async () => {
    tunnel.upstream.handle((_request, response) => {
      const fields = [
        'Set-Cookie',
        'a=1',
        'X-Latin',
        'caf\xe9',
        'Set-Cookie',
        'b=2',
        'Link',
        '<a>',
      ];
      response.writeHead(200, fields).end();
    });

    const response = await tunnel.send({
      path: '/fields',
      headers: { cookie: 'c=3', 'X-Many': ['one', 'two'], 'X-Latin': 'na\xefve', accept: '*/*' },
    });

    const raw = tunnel.upstream.requests.items[0]?.rawHeaders ?? [];
    expect(fieldValues(raw, 'x-many')).toEqual(['one', 'two']);
    expect(fieldValues(raw, 'x-latin')).toEqual(['na\xefve']);
    expect(fieldValues(raw, 'cookie')).toEqual(['c=3']);
    expect(fieldValues(response.rawHeaders, 'set-cookie')).toEqual(['a=1', 'b=2']);
    expect(fieldValues(response.rawHeaders, 'x-latin')).toEqual(['caf\xe9']);
    const order = response.rawHeaders.filter((_, at) => at % 2 === 0);
    expect(order.slice(0, 4)).toEqual(['set-cookie', 'x-latin', 'set-cookie', 'link']);
  });

  it('of the tunnel itself reach neither the upstream nor the client', async () => {
    const response = await tunnel.send({
      headers: { 'x-mte-encode-type': 'MKE', 'x-mte-encode-url': 'false', 'x-mte-other': 'x' },
    });

    const names = [
      ...(tunnel.upstream.requests.items[0]?.rawHeaders ?? []),
      ...response.rawHeaders,
    ].filter((text) => text.toLowerCase().startsWith('x-mte-'));
    expect(names).toEqual([]);
  });

  it('name the upstream in host, whatever host the client sent', async () => {
    await tunnel.send({ headers: { host: 'api.example.com' } });

    const raw = tunnel.upstream.requests.items[0]?.rawHeaders ?? [];
    expect(fieldValues(raw, 'host')).toEqual([new URL(tunnel.upstream.url).host]);
  });
});

describe('a tunnel', () => {
  it.each([
    200, 201, 301, 404, 418, 500, 502, 503, 559, 560, 561, 562, 563, 565, 566, 567, 569, 599,
  ])('carries status %i of the upstream unchanged, with its body', async (status) => {
    tunnel.upstream.handle((_request, response) => {
      response.writeHead(status, { location: '/elsewhere' }).end(`status ${status}`);
    });

    const response = await tunnel.send({ method: 'POST', path: '/status' });

    expect(response.status).toBe(status);
    expect(response.body.toString()).toBe(`status ${status}`);
    expect(response.headers.location).toBe('/elsewhere');
    expect(tunnel.upstream.hits).toBe(1);
  });
});
