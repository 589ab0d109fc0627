import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as plainRequest, type ServerResponse } from 'node:http';
import { connect, type TLSSocket } from 'node:tls';

import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { makeAuthority } from '../support/certificates/certificates.js';
import { streamRequest } from '../support/clients/client.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { startTunnel, type Tunnel } from '../support/tunnels/tunnel.js';

const shared = sharedResources();
let tunnel: Tunnel;
let ca: string;
let client: TLSSocket;
let received: string;

beforeAll(async () => {
  const authority = shared(makeAuthority());
  const { cert, key } = authority.issue('relay', 'IP:127.0.0.1');
  ca = readFileSync(authority.ca, 'utf8');
  tunnel = shared(await startTunnel({ outbound: { TLS_CERT_FILE: cert, TLS_KEY_FILE: key } }));
});

beforeEach(async () => {
  tunnel.upstream.forget();
  client = connect({ port: tunnel.outbound.port, host: '127.0.0.1', ca });
  received = '';
  client.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  client.on('error', () => undefined);
  await once(client, 'secureConnect');
});

afterEach(() => {
  client.destroy();
});

function head(startLine: string, ...lines: string[]): string {
  const own = Object.entries(tunnel.clientHeaders).map(([name, value]) => `${name}: ${value}`);
  return [startLine, 'host: api.example.com', ...own, ...lines, '', ''].join('\r\n');
}

async function until(text: string): Promise<void> {
  while (!received.includes(text)) {
    await once(client, 'data');
  }
}

describe('a TLS listener', () => {
  it('forwards pipelined requests on one connection in order', async () => {
    tunnel.upstream.handle(async (request, response) => {
      response.end(`${request.method} ${request.url} ${(await request.body()).toString()};`);
    });

    client.write(head('POST /1 HTTP/1.1', 'content-length: 3') + 'one' + head('GET /2 HTTP/1.1'));
    await until('GET /2 ;');

    expect(received).toContain('POST /1 one;');
    expect(received.indexOf('/1')).toBeLessThan(received.indexOf('/2'));
  });

  it('does not run a pipelined request whose connection ends before its turn, and aborts the one before it', async () => {
    const responses: ServerResponse[] = [];
    tunnel.upstream.handle((_request, response) => {
      responses.push(response);
    });
    client.write(head('GET /first HTTP/1.1') + head('GET /second HTTP/1.1'));
    await tunnel.upstream.requests.count(1);
    const closed = Promise.all(responses.map((response) => once(response, 'close')));

    client.destroy();

    await closed;
    expect(responses.every((response) => !response.writableFinished)).toBe(true);
    expect(tunnel.upstream.requests.items.map(({ url }) => url)).toEqual(['/first']);
  });

  it.each([
    ['bytes that are not HTTP', () => 'no HTTP\r\n\r\n', 400, 'RELAY_REQUEST_INVALID'],
    [
      'a head of 80 KiB',
      () => head('GET / HTTP/1.1', `x-long: ${'x'.repeat(80 * 1024)}`),
      431,
      'RELAY_REQUEST_TOO_LARGE',
    ],
    ['CONNECT', () => head('CONNECT a:443 HTTP/1.1'), 405, 'RELAY_METHOD_UNSUPPORTED'],
    [
      'an upgrade with a long body',
      () =>
        head(
          'GET / HTTP/1.1',
          'connection: upgrade',
          'upgrade: websocket',
          'content-length: 32769',
        ),
      400,
      'RELAY_HEAD_INVALID',
    ],
    ['an expectation', () => head('GET / HTTP/1.1', 'expect: x'), 417, 'RELAY_EXPECTATION_FAILED'],
  ])('responds to %s with an error', async (_what, bytes, status, code) => {
    client.write(bytes(), 'latin1');

    await until('"requestId"');

    expect(received).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(received).toContain(`"code":"${code}"`);
    expect(tunnel.upstream.hits).toBe(0);
  });

  it('does not pass a response that is cut off as complete', async () => {
    tunnel.upstream.handle((_request, response) => {
      response.writeHead(200);
      response.write('begun', () => {
        response.destroy();
      });
    });

    const response = await streamRequest(tunnel.outbound.url, {
      headers: tunnel.clientHeaders,
      ca,
    });

    expect(await response.ended).toBe('aborted');
  });

  it('rejects plain HTTP and continues to serve other connections', async () => {
    const plain = plainRequest({ port: tunnel.outbound.port, host: '127.0.0.1' });
    const [error] = (await once(plain.end(), 'error')) as [Error & { readonly code?: string }];
    expect(error.code).toBe('ECONNRESET');
    await tunnel.outbound.log.find(
      ({ msg, error: logged }) =>
        msg === 'connection lost' && JSON.stringify(logged).includes('ERR_SSL_HTTP_REQUEST'),
    );

    tunnel.upstream.handle((_request, response) => {
      response.end('served');
    });
    client.write(head('GET / HTTP/1.1'));
    await until('served');
  });
});
