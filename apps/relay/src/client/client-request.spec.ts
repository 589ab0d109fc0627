import { createServer as createHttpsServer } from 'node:https';
import { connect as connectTls } from 'node:tls';
import type { IncomingMessage } from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';

import { HeadInvalidError, decodeRequestHead } from '@relay/protocol';

import { relayConfig } from '../../../../test/support/relays/config.js';
import { listen } from '../../../../test/support/network/listen.js';
import { Recorder } from '../../../../test/support/lifecycle/recorder.js';
import {
  startRequestServer,
  type RequestServer,
} from '../../../../test/support/upstreams/request-server.js';
import { forThisTest, sharedResources } from '../../../../test/support/lifecycle/resources.js';
import { selfSignedCertificate } from '../../../../test/support/certificates/self-signed-certificate.js';
import { readClientRequest, type ClientRequest } from './client-request.js';

const config = relayConfig();

const shared = sharedResources();
let server: RequestServer;

beforeAll(async () => {
  server = shared(await startRequestServer());
});

async function read(target: string, lines: string[] = [], method = 'GET'): Promise<ClientRequest> {
  const head = [`${method} ${target} HTTP/1.1`, 'Host: a', ...lines, '\r\n'].join('\r\n');
  const { message } = await server.receive(Buffer.from(head, 'latin1'));
  return readClientRequest(message, config);
}

describe("a client's request", () => {
  it('becomes a head with the end-to-end fields only, and the encoding of that head', async () => {
    const request = await read(
      '/a/b?c=d',
      ['X-One: 1', 'X-Two: caf\xe9', 'Connection: x-gone', 'x-one: 3', 'X-Gone: 1', 'TE: trailers'],
      'REPORT',
    );
    expect(request.head).toEqual({
      method: 'REPORT',
      scheme: 'http',
      authority: 'a',
      path: '/a/b?c=d',
      fields: ['x-one', '1', 'x-two', 'caf\xe9', 'x-one', '3'],
    });
    expect(decodeRequestHead(request.headBytes)).toEqual(request.head);
  });

  it('has its own fields, and their namesakes, replaced by those that HEADERS sets', async () => {
    const { message } = await server.receive(
      'GET / HTTP/1.1\r\nhost: a\r\nx-set: theirs\r\nx_set: theirs\r\nx-other: 1\r\n\r\n',
    );
    const configured = relayConfig({ HEADERS: '{"x-set":"ours"}' });
    expect(readClientRequest(message, configured).head.fields).toEqual([
      ...['x-other', '1', 'x-set', 'ours'],
    ]);
  });

  it('has nothing of REQUEST_HEADERS, since the client may have named any peer', async () => {
    const { message } = await server.receive(
      'GET / HTTP/1.1\r\nhost: a\r\nauthorization: theirs\r\n\r\n',
    );
    const configured = relayConfig({ REQUEST_HEADERS: '{"authorization":"ours","x-key":"ours"}' });
    expect(readClientRequest(message, configured).head.fields).toEqual(['authorization', 'theirs']);
  });

  it('has the fields that only a relay adds, whatever the client sends as such', async () => {
    const { message } = await server.receive(
      'GET / HTTP/1.1\r\nhost: a\r\nx-mte-client: forged\r\nX-MTE-Client: forged\r\nx-a: 1\r\n\r\n',
    );
    const { head, headBytes } = readClientRequest(message, config, ['x-mte-client', 'billing']);
    expect(head.fields).toEqual(['x-a', '1', 'x-mte-client', 'billing']);
    expect(decodeRequestHead(headBytes)).toEqual(head);
    expect(readClientRequest(message, config).head.fields).toEqual(['x-a', '1']);
  });

  it('has its original path even if the router was given a different one', async () => {
    const { message } = await server.receive('GET /-/outbound HTTP/1.1\r\nhost: a\r\n\r\n');
    Object.assign(message, { originalUrl: '/original/path' });
    expect(readClientRequest(message, config).head.path).toBe('/original/path');
  });

  it('has the scheme of its connection', async () => {
    const certificate = selfSignedCertificate();
    const messages = new Recorder<IncomingMessage>();
    const https = createHttpsServer(certificate, (message) => {
      messages.add(message);
    });
    const { port } = forThisTest(await listen(https));
    const client = connectTls({ port, host: '127.0.0.1', ca: certificate.cert });
    client.on('error', () => undefined);
    client.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    const [message] = await messages.count(1);
    expect(readClientRequest(message!, config).head.scheme).toBe('https');
  });
});

describe('a request target', () => {
  it.each([
    ['http://elsewhere/a?b', 'elsewhere', '/a?b'],
    ['http://elsewhere:1/a', 'elsewhere:1', '/a'],
    ['http://elsewhere:/a', 'elsewhere', '/a'],
    ['HTTPS://Elsewhere/a', 'Elsewhere', '/a'],
    ['http://[::1]:1', '[::1]:1', '/'],
    ['http://elsewhere?a=/b', 'elsewhere', '/?a=/b'],
  ])(
    'in absolute form is cut into the host, in place of that of the field, and path and query: %s',
    async (target, authority, path) => {
      expect((await read(target)).head).toMatchObject({ authority, path });
    },
  );

  it.each(['/', '/a?b=http://c/', '/a//b', '/a/../b', '/%2e%2e', '/a;b', '/a?b?c', '/"<>|^`{}'])(
    'is forwarded unchanged: %s',
    async (target) => {
      expect((await read(target)).head.path).toBe(target);
    },
  );

  it.each([
    ...['//elsewhere/a', 'http://elsewhere//a', '/a\\b', '/a#b', '*', 'ftp://elsewhere/a'],
    ...[
      'http:///a',
      'http://',
      'http://:80/',
      'http://user@elsewhere/',
      'http://a:0/',
      'http://a,b/',
    ],
  ])('is refused: %s', async (target) => {
    await expect(read(target, [], 'OPTIONS')).rejects.toBeInstanceOf(HeadInvalidError);
  });
});

describe('the host of a request', () => {
  const readWithHost = async (lines: string, target = '/', version = '1.1') => {
    const { message } = await server.receive(
      Buffer.from(`GET ${target} HTTP/${version}\r\n${lines}\r\n`, 'latin1'),
    );
    return readClientRequest(message, config).head.authority;
  };

  it.each([
    ['Api.Example.com:8443', 'Api.Example.com:8443'],
    ['[2001:db8::1]:80', '[2001:db8::1]:80'],
    ['api.example.com:', 'api.example.com'],
    ['  a \t', 'a'],
    ['', ''],
  ])('is the authority of its head: %j', async (host, authority) => {
    expect(await readWithHost(`Host: ${host}\r\n`)).toBe(authority);
  });

  it('is empty if an HTTP/1.0 client names none', async () => {
    expect(await readWithHost('', '/', '1.0')).toBe('');
  });

  it.each([
    'a,b',
    'user@a',
    'a/b',
    'a b',
    'a:0',
    'a:65536',
    'a::',
    '[::1',
    'b\xfccher',
    ':80',
    ':',
  ])('is refused if it is %j, even beside a target in absolute form', async (host) => {
    for (const target of ['/', 'http://elsewhere/']) {
      await expect(readWithHost(`Host: ${host}\r\n`, target)).rejects.toBeInstanceOf(
        HeadInvalidError,
      );
    }
  });
});

describe('a request that no relay can forward', () => {
  it('is refused if its method is TRACE', async () => {
    await expect(read('/', [], 'TRACE')).rejects.toBeInstanceOf(HeadInvalidError);
  });

  it('is refused if it has more than 256 fields', async () => {
    const lines = (count: number): string[] =>
      Array.from({ length: count }, (_, at) => `x${at}: 1`);
    expect((await read('/', lines(256))).head.fields).toHaveLength(512);
    await expect(read('/', lines(257))).rejects.toBeInstanceOf(HeadInvalidError);
  });
});

describe('a request that asks for an upgrade to a protocol that this relay carries', () => {
  const upgrade = ['Connection: keep-alive, Upgrade', 'Upgrade: WebSocket'];

  it.each(['Content-Length: 32769', 'Transfer-Encoding: chunked'])(
    'is refused if its body is too long or of unknown length: %s',
    async (framing) => {
      const { message } = await server.receive(
        ['POST / HTTP/1.1', 'Host: a', ...upgrade, framing, '', '1'].join('\r\n'),
      );
      expect(() => readClientRequest(message, config)).toThrow(HeadInvalidError);
    },
  );

  it('is read without the offer', async () => {
    const { head } = await read('/', upgrade);
    expect(head.fields).toEqual([]);
  });
});

describe('an offer to upgrade', () => {
  it.each([
    ...['h2c', 'H2C', ' h2c ', 'h2c, h2', 'TLS/1.2', 'H3', '', ' , ', 'websockets'],
    ...['h2c, websocket', 'websocket, h2c'],
  ])('is ignored: %j', async (protocol) => {
    const { head } = await read('/', [
      'Connection: Upgrade, HTTP2-Settings',
      `Upgrade: ${protocol}`,
      'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
    ]);
    expect(head.fields).toEqual([]);
  });

  it('is ignored in HTTP/1.0, whatever it is', async () => {
    const { message } = await server.receive(
      'GET /old HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    expect(readClientRequest(message, config).head.path).toBe('/old');
  });
});
