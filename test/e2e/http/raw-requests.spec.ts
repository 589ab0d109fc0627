import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { statusOf, valueOf } from '../../support/network/raw-http.js';
import type { ReceivedResponse } from '../../support/clients/raw-client.js';
import { startRawTunnel, type RawTunnel } from '../../support/tunnels/raw-tunnel.js';
import { sharedResources } from '../../support/lifecycle/resources.js';
import { respondOk } from '../../support/upstreams/scripted-upstream.js';

const shared = sharedResources();
let tunnel: RawTunnel;

beforeAll(async () => {
  tunnel = shared(await startRawTunnel());
});

beforeEach(() => {
  tunnel.upstream.exchanges.items.length = 0;
  tunnel.upstream.follow(respondOk);
});

/** A placeholder for the fields of the tunnel in a handwritten request. */
const FIELDS = '<fields>';

/** Sends the request with the fields of a client and connection: close, so bytes after the response are seen too. */
const send = (text: string, method = 'GET'): Promise<ReceivedResponse> => {
  const fields = [...tunnel.fields, ['Connection', 'close']].map(([n, v]) => `${n}: ${v}\r\n`);
  return tunnel.exchange(method, text.replace(FIELDS, fields.join('')));
};

const EVIL = 'GET /evil HTTP/1.1\r\nHost: a\r\n\r\n';
const post = (fields: string, body = ''): string =>
  `POST /x HTTP/1.1\r\n${FIELDS}${fields}\r\n${body}${EVIL}`;
const get = (target: string, fields = ''): string =>
  `GET ${target} HTTP/1.1\r\n${FIELDS}${fields}\r\n`;

type Refusal = readonly [what: string, status: number, code: string, request: string];

const refused = (
  cases: readonly (readonly [what: string, request: string])[],
  code = 'RELAY_REQUEST_INVALID',
  status = 400,
): Refusal[] => cases.map(([what, request]) => [what, status, code, request]);

const FRAMING = refused([
  ['a length and chunks', post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')],
  ['chunks and a length', post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n')],
  ['two different lengths', post('Content-Length: 1\r\nContent-Length: 2\r\n', 'ab')],
  ['the same length twice', post('Content-Length: 2\r\nContent-Length: 2\r\n', 'ab')],
  ['a list of lengths', post('Content-Length: 2, 2\r\n', 'ab')],
  ['a length with a sign', post('Content-Length: +2\r\n', 'ab')],
  ['a negative length', post('Content-Length: -1\r\n')],
  ['a hexadecimal length', post('Content-Length: 0x2\r\n', 'ab')],
  ['an empty length', post('Content-Length: \r\n')],
  ['a length beyond 64 bits', post('Content-Length: 99999999999999999999\r\n')],
  ['an unknown transfer coding', post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n')],
  ['a transfer coding without chunked', post('Transfer-Encoding: gzip\r\n')],
  ['a chunked coding that is not last', post('Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n')],
  ['a chunked coding applied twice', post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n')],
  ['the coding identity', post('Transfer-Encoding: identity\r\n')],
  ['a coding in quotes', post('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n')],
  ['a coding after a vertical tab', post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n')],
  ['a space before the colon', post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n')],
]);

const FIELD_LINES = refused([
  ['a folded field', get('/', 'X-Fold: a\r\n b\r\n')],
  ['a folded first field', `GET / HTTP/1.1\r\n X-Fold: a\r\n${FIELDS}\r\n`],
  ['lines that end in LF', `GET / HTTP/1.1\nHost: a\n\n`],
  ['one line that ends in LF', get('/', 'X-A: 1\nX-B: 2\r\n')],
  ['a CR within a value', get('/', 'X-A: 1\rX-B: 2\r\n')],
  ['a NUL in a value', get('/', 'X-A: a\0b\r\n')],
  ['a NUL in a name', get('/', 'X\0A: b\r\n')],
  ['a control character in a value', get('/', 'X-A: a\x01b\r\n')],
  ['a DEL in a value', get('/', 'X-A: a\x7fb\r\n')],
  ['an empty name', get('/', ': b\r\n')],
  ['a space in a name', get('/', 'X A: b\r\n')],
  ['a non-ASCII name', get('/', 'X\xe9: b\r\n')],
  ['a line without a colon', get('/', 'XA\r\n')],
]);

const REQUEST_LINES = refused([
  ['a method in lower case', `get / HTTP/1.1\r\n${FIELDS}\r\n`],
  ['an unknown method', `BREW / HTTP/1.1\r\n${FIELDS}\r\n`],
  ['no target', `GET HTTP/1.1\r\n${FIELDS}\r\n`],
  ['a target without a slash', get('x')],
  ['a target that begins with a backslash', get('\\evil\\x')],
  ['only a host and port', get('other.example:80')],
  ['a space in the target', get('/a b')],
  ['a tab in the target', get('/a\tb')],
  ['a NUL in the target', get('/a\0b')],
  ['a DEL in the target', get('/a\x7fb')],
  ['a non-ASCII octet in the target', get('/caf\xe9')],
  ['a version in lower case', `GET / http/1.1\r\n${FIELDS}\r\n`],
  ['a TLS greeting', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n'],
]);

const REFUSED_BY_THE_HEAD = refused(
  [
    ['two slashes at the start of the path', get('//evil/x')],
    ['two slashes at the start of the path of an absolute form', get('http://other.example//x')],
    ['a user name in an absolute form', get('https://u:p@other.example/abs')],
    ['an absolute form without a host', get('http:///abs')],
    ['a backslash in the target', get('/a\\b')],
    ['a fragment in the target', get('/a#b')],
    ['another scheme', get('ftp://other.example/x')],
    ['an asterisk', `OPTIONS * HTTP/1.1\r\n${FIELDS}\r\n`],
    ['TRACE', `TRACE / HTTP/1.1\r\n${FIELDS}\r\n`],
    ['300 fields', get('/', 'X-A: 1\r\n'.repeat(300))],
    ['257 fields', get('/', 'X-A: 1\r\n'.repeat(257))],
    ['a target of 70 KiB', get(`/${'a'.repeat(70 * 1024)}`)],
    ['a field of 70 KiB', get('/', `X-A: ${'a'.repeat(70 * 1024)}\r\n`)],
  ],
  'RELAY_HEAD_INVALID',
);

const REFUSED_OTHERWISE: Refusal[] = [
  ...refused(
    [
      ['a target of 90 KiB', get(`/${'a'.repeat(90 * 1024)}`)],
      ['a field of 90 KiB', get('/', `X-A: ${'a'.repeat(90 * 1024)}\r\n`)],
      ['fields of 90 KiB in total', get('/', `X-A: ${'a'.repeat(1_000)}\r\n`.repeat(90))],
    ],
    'RELAY_REQUEST_TOO_LARGE',
    431,
  ),
  ...refused(
    [['CONNECT', `CONNECT other.example:80 HTTP/1.1\r\n${FIELDS}\r\n`]],
    'RELAY_METHOD_UNSUPPORTED',
    405,
  ),
  ...refused(
    [
      ['an unknown version', `GET / HTTP/1.2\r\n${FIELDS}\r\n`],
      ['HTTP/2.0 in text', `GET / HTTP/2.0\r\n${FIELDS}\r\n`],
    ],
    'RELAY_VERSION_UNSUPPORTED',
    505,
  ),
  ...refused(
    [['an unknown expectation', get('/', 'Expect: 200-ok\r\n')]],
    'RELAY_EXPECTATION_FAILED',
    417,
  ),
];

describe.each([
  ['requests with invalid framing', FRAMING],
  ['requests with invalid field lines', FIELD_LINES],
  ['requests with an invalid request line', REQUEST_LINES],
  ['requests with a head that no message can carry', REFUSED_BY_THE_HEAD],
  ['requests that are not supported', REFUSED_OTHERWISE],
])('%s', (_group, refusals) => {
  it.each(refusals)(
    '%s: refused with %i %s, and nothing is forwarded',
    async (_what, status, code, text) => {
      const response = await send(text, text.split(' ')[0]);

      expectRefusal(response, code, status);
      expect(tunnel.upstream.exchanges.items).toEqual([]);
    },
  );

  const expectRefusal = (
    { head, body, isComplete }: ReceivedResponse,
    code: string,
    status: number,
  ) => {
    expect(head === undefined ? 0 : statusOf(head)).toBe(status);
    expect(valueOf(head!.fields, 'content-type')).toBe('application/json; charset=utf-8');
    expect(isComplete).toBe(true);
    expect(JSON.parse(body.toString())).toEqual({
      error: {
        code,
        message: expect.stringMatching(/./) as string,
        forwarded: 'no',
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      },
    });
  };
});

const CARRIED: readonly [what: string, request: string, startLine: string][] = [
  ['an absolute form', get('http://other.example/abs?q'), 'GET /abs?q HTTP/1.1'],
  ['an absolute form in capitals', get('HTTP://OTHER/Abs'), 'GET /Abs HTTP/1.1'],
  ['an absolute form without a path', get('http://other.example?q'), 'GET /?q HTTP/1.1'],
  ['an absolute form that is only a host', get('http://other.example'), 'GET / HTTP/1.1'],
  ['an invalid percent-encoding', get('/%zz%'), 'GET /%zz% HTTP/1.1'],
  ['a target of 60 KiB', get(`/${'a'.repeat(60_000)}`), `GET /${'a'.repeat(60_000)} HTTP/1.1`],
  ['256 fields', get('/', 'X-A: 1\r\n'.repeat(256)), 'GET / HTTP/1.1'],
  ['empty lines before the request line', `\r\n\r\n${get('/after')}`, 'GET /after HTTP/1.1'],
  ['HTTP/1.0', `GET /old HTTP/1.0\r\n${FIELDS}\r\n`, 'GET /old HTTP/1.1'],
  ['an upgrade to h2c', get('/', 'Connection: Upgrade\r\nUpgrade: h2c\r\n'), 'GET / HTTP/1.1'],
  ['an upgrade to H2C', get('/', 'Connection: upgrade\r\nUpgrade: H2C\r\n'), 'GET / HTTP/1.1'],
  [
    'an upgrade to WebSocket of any version',
    get('/', 'Connection: upgrade\r\nUpgrade: WebSocket/13 , websocket\r\n'),
    'GET / HTTP/1.1',
  ],
];

describe('a tunnel', () => {
  it.each(CARRIED)('carries an unusual request: %s', async (_what, text, startLine) => {
    const response = await send(text);

    expect(response).toMatchObject({ body: Buffer.from('ok'), isComplete: true });
    expect(tunnel.upstream.exchanges.items.map(({ head }) => head.startLine)).toEqual([startLine]);
  });

  it('meets the expectation 100-continue itself and does not forward it', async () => {
    const response = await send(
      `PUT /x HTTP/1.1\r\n${FIELDS}Expect: 100-Continue\r\nContent-Length: 1\r\n\r\na`,
      'PUT',
    );

    expect(response.informational.map(statusOf)).toEqual([100]);
    expect(response.body.toString()).toBe('ok');
    const [exchange] = tunnel.upstream.exchanges.items;
    expect(valueOf(exchange!.head.fields, 'expect')).toBeUndefined();
    expect(exchange!.seen().body.toString()).toBe('a');
  });

  it('keeps content-length and reads its own fields even if connection lists them', async () => {
    const named = 'Connection: content-length, host, x-mte-outbound-token, x-mte-upstream\r\n';
    const response = await send(
      `POST /x HTTP/1.1\r\n${FIELDS}${named}Content-Length: 3\r\n\r\nabc`,
      'POST',
    );

    expect(response.body.toString()).toBe('ok');
    const [exchange] = tunnel.upstream.exchanges.items;
    expect(valueOf(exchange!.head.fields, 'content-length')).toBe('3');
    expect(exchange!.seen().body.toString()).toBe('abc');
  });

  it('responds in order to two requests that arrive in one write', async () => {
    tunnel.upstream.follow(async ({ head, write }) => {
      await write(`HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n${head.startLine.charAt(5)}`);
    });

    const first = get('/1').replace(
      FIELDS,
      tunnel.fields.map((f) => f.join(': ') + '\r\n').join(''),
    );
    const response = await send(`${first}${get('/2')}`);

    // The reader stops at the end of the first response, so the rest is the second.
    expect(response.body.toString()).toBe('1');
    expect(response.rest.toString('latin1')).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n2$/);
  });
});
