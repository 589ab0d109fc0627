import { once } from 'node:events';
import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { bytesOfSize } from '../../support/http-cases/bodies.js';
import {
  LIBRARY_CLIENTS,
  bodyOf,
  type LibraryClient,
} from '../../support/clients/library-clients.js';
import { openSocket } from '../../support/network/raw-socket.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import { startTunnel, type Tunnel } from '../../support/tunnels/tunnel.js';
import { echoBody } from '../../support/upstreams/upstream.js';

const KIB = 1024;

const shared = sharedResources();
let tunnel: Tunnel;

beforeAll(async () => {
  tunnel = shared(await startTunnel());
});

beforeEach(() => {
  tunnel.upstream.forget();
  tunnel.upstream.handle(echoBody);
});

const url = (path = '/'): string => `${tunnel.outbound.url}${path}`;

describe.each(LIBRARY_CLIENTS.map((make) => [make().name, make] as const))('%s', (_name, make) => {
  const own = sharedResources();
  let client: LibraryClient;

  beforeAll(() => {
    client = own(make());
  });

  const send = (method: string, path: string, rest: { body?: Buffer | Readable } = {}) =>
    client.send(url(path), { method, headers: tunnel.clientHeaders, ...rest });

  it('sends and receives JSON', async () => {
    const response = await client.send(url('/json'), {
      method: 'POST',
      headers: { ...tunnel.clientHeaders, 'content-type': 'application/json' },
      body: Buffer.from('{"name":"Zoë"}'),
    });

    expect(response.status).toBe(200);
    expect(response.header('content-type')).toBe('application/json');
    expect(JSON.parse((await bodyOf(response)).toString())).toEqual({ name: 'Zoë' });
  });

  it.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])(
    'sends %s with a body of 300 KiB',
    async (method) => {
      const body = bytesOfSize(300 * KIB);

      const response = await send(method, '/echo', { body });

      expect((await bodyOf(response)).equals(body)).toBe(true);
      expect(tunnel.upstream.requests.items[0]?.method).toBe(method);
    },
  );

  it('streams an upload of unknown length', async () => {
    const body = bytesOfSize(1_000 * KIB);

    const response = await send('POST', '/echo', {
      body: Readable.from([body.subarray(0, 100), body.subarray(100)], { objectMode: false }),
    });

    expect((await bodyOf(response)).equals(body)).toBe(true);
    expect(tunnel.upstream.requests.items[0]?.headers['transfer-encoding']).toBe('chunked');
  });

  it('receives an event before the next is written', async () => {
    tunnel.upstream.handle((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
    });
    const abort = new AbortController();
    const response = await client.send(url('/events'), {
      method: 'GET',
      headers: tunnel.clientHeaders,
      signal: abort.signal,
    });

    const [event] = (await once(response.body, 'data')) as [Buffer];

    expect(Buffer.from(event).toString()).toBe('data: 1\n\n');
    response.body.on('error', () => undefined);
    abort.abort();
  });

  it('receives a gzip response of the upstream with its header fields', async () => {
    const text = 'again and again. '.repeat(500);
    tunnel.upstream.handle((request, response) => {
      expect(request.headers['accept-encoding']).toBe('gzip');
      response.writeHead(200, { 'content-encoding': 'gzip', vary: 'accept-encoding' });
      response.end(gzipSync(text));
    });

    const response = await client.send(url('/gzip'), {
      method: 'GET',
      headers: { ...tunnel.clientHeaders, 'accept-encoding': 'gzip' },
    });

    const body = await bodyOf(response);
    expect((client.decodes ? body : gunzipSync(body)).toString()).toBe(text);
    expect(response.header('vary')).toBe('accept-encoding');
  });

  it('receives both cookies of a login', async () => {
    tunnel.upstream.handle((_request, response) => {
      response.writeHead(200, { 'set-cookie': ['a=1; Path=/', 'b=2; Secure'] }).end();
    });

    const response = await send('POST', '/login');

    expect(response.cookies).toEqual(['a=1; Path=/', 'b=2; Secure']);
    await bodyOf(response);
  });

  it.each([204, 304, 404, 418, 503, 560])('receives status %i', async (status) => {
    tunnel.upstream.handle((_request, response) => {
      response.writeHead(status, { etag: '"x"' }).end();
    });

    const response = await send('GET', '/status');

    expect(response.status).toBe(status);
    expect(response.header('etag')).toBe('"x"');
    expect(await bodyOf(response)).toHaveLength(0);
  });

  it('receives a redirect unchanged', async () => {
    tunnel.upstream.handle((_request, response) => {
      response.writeHead(302, { location: '/elsewhere' }).end();
    });

    const response = await send('GET', '/old');

    expect([response.status, response.header('location')]).toEqual([302, '/elsewhere']);
    await bodyOf(response);
    expect(tunnel.upstream.hits).toBe(1);
  });

  it('receives the content-length of a response to HEAD, and no body', async () => {
    tunnel.upstream.handle((_request, response) => {
      response.writeHead(200, { 'content-length': 4711 }).end();
    });

    const response = await send('HEAD', '/file');

    expect(response.header('content-length')).toBe('4711');
    expect(await bodyOf(response)).toHaveLength(0);
  });

  it('receives the responses to 50 consecutive and 50 concurrent requests', async () => {
    tunnel.upstream.handle((request, response) => {
      response.end(request.url);
    });
    const ask = async (at: number): Promise<string> =>
      (await bodyOf(await send('GET', `/${at}`))).toString();

    const responses: string[] = [];
    for (let at = 0; at < 50; at += 1) {
      responses.push(await ask(at));
    }
    responses.push(...(await Promise.all(Array.from({ length: 50 }, (_, at) => ask(50 + at)))));

    expect(responses).toEqual(Array.from({ length: 100 }, (_, at) => `/${at}`));
  });

  it('aborts its request at the upstream when it gives up', async () => {
    tunnel.upstream.handle(() => undefined);
    const abort = new AbortController();
    const sent = client.send(url('/slow'), {
      method: 'GET',
      headers: tunnel.clientHeaders,
      signal: abort.signal,
    });
    const rejected = expect(sent).rejects.toThrow();
    const { message } = await tunnel.upstream.requests.find();
    const closed = once(message.socket, 'close');

    abort.abort();

    await rejected;
    await closed;
  });

  it('detects a response that is cut off', async () => {
    tunnel.upstream.handle((_request, response) => {
      response.writeHead(200, { 'content-length': 1_000 });
      response.write('part', () => response.destroy());
    });

    const response = await send('POST', '/part');

    await expect(bodyOf(response)).rejects.toThrow();
  });
});

describe('a client that half-closes its connection', () => {
  it('is treated as disconnected, and its request is aborted at the upstream', async () => {
    tunnel.upstream.handle(() => undefined);
    const socket = openSocket(tunnel.outbound.port);
    const fields = Object.entries(tunnel.clientHeaders).map(([n, v]) => `${n}: ${v}\r\n`);
    socket.write(`GET /half HTTP/1.1\r\nhost: a\r\n${fields.join('')}\r\n`);
    const { message } = await tunnel.upstream.requests.find();
    const closed = once(message.socket, 'close');

    socket.socket.end();

    await closed;
    await socket.close();
  });
});
