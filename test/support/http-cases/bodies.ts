import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

import { chunked, httpCase, sized, untilClose, type CaseBody, type HttpCase } from './http-case.js';

const SIZES = [1, 65_535, 65_536, 65_537, 200_000];

/** Bytes that any text encoding would change; the same in every run. */
export function bytesOfSize(size: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(size / 32) }, (_, at) =>
    createHash('sha256').update(String(at)).digest(),
  );
  return Buffer.concat(blocks).subarray(0, size);
}

const pieces = (body: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(body.length / size) }, (_, at) =>
    body.subarray(at * size, (at + 1) * size),
  );

const FRAMINGS: readonly [name: string, make: (body: Buffer) => CaseBody][] = [
  ['with content-length', (body) => sized(body)],
  ['with content-length, in several writes', (body) => sized(...pieces(body, 30_000))],
  ['in one chunk', (body) => chunked(body)],
  ['in many chunks', (body) => chunked(...pieces(body, 7_001))],
];

const SIZED_CASES = SIZES.flatMap((size) =>
  FRAMINGS.flatMap(([name, make]) => {
    const body = make(bytesOfSize(size));
    return [
      httpCase(`POST of ${size} bytes ${name}`, { method: 'POST', body }),
      httpCase(`a response of ${size} bytes ${name}`, {}, { body }),
    ];
  }),
);

const EMPTY: readonly [name: string, body: CaseBody][] = [
  ['with content-length 0', sized('')],
  ['chunked', chunked()],
];

const EMPTY_CASES = [
  'GET',
  'DELETE',
  'OPTIONS',
  'POST',
  'PUT',
  'PATCH',
  'QUERY',
  'PROPFIND',
].flatMap((method) =>
  EMPTY.map(([name, body]) =>
    httpCase(`${method} with an empty body, ${name}`, { method, body }, { body }),
  ),
);

const GZIPPED = gzipSync('the same text again and again. '.repeat(500));
const MULTIPART = '--b\r\nContent-Disposition: form-data; name="f"\r\n\r\n\x00\xff\r\n--b--\r\n';
const SMUGGLED = 'GET /evil HTTP/1.1\r\nHost: evil\r\n\r\n';

const SPECIAL_CASES = [
  httpCase('POST of a multipart form', {
    method: 'POST',
    fields: [['Content-Type', 'multipart/form-data; boundary=b']],
    body: sized(MULTIPART),
  }),
  httpCase('PUT of a gzip body', {
    method: 'PUT',
    fields: [['Content-Encoding', 'gzip']],
    body: sized(GZIPPED),
  }),
  httpCase(
    'a gzip response',
    { fields: [['Accept-Encoding', 'gzip, br']] },
    {
      fields: [
        ['Content-Encoding', 'gzip'],
        ['Vary', 'Accept-Encoding'],
      ],
      body: sized(GZIPPED),
    },
  ),
  httpCase(
    'a gzip response in chunks',
    { fields: [['Accept-Encoding', 'gzip']] },
    { fields: [['Content-Encoding', 'gzip']], body: chunked(...pieces(GZIPPED, 50)) },
  ),
  httpCase(
    'a response that states a content coding that its body does not have',
    {},
    { fields: [['Content-Encoding', 'br']], body: sized('plain') },
  ),
  ...['GET', 'DELETE', 'OPTIONS', 'POST'].map((method) =>
    httpCase(`${method} with a chunked body that looks like a request`, {
      method,
      body: chunked(SMUGGLED),
    }),
  ),
  ...['GET', 'DELETE'].map((method) =>
    httpCase(`${method} with a body of known length that looks like a request`, {
      method,
      body: sized(SMUGGLED),
    }),
  ),
  httpCase('a chunked POST with chunk extensions', {
    method: 'POST',
    body: { ...chunked('a', 'bc'), chunkExtension: ';name="value"' },
  }),
  httpCase('a chunked POST with a trailer section', {
    method: 'POST',
    fields: [['Trailer', 'X-Checksum']],
    body: { ...chunked('content'), trailers: [['X-Checksum', '1']] },
  }),
  httpCase(
    'a chunked response with a trailer section',
    { fields: [['TE', 'trailers']] },
    {
      fields: [['Trailer', 'X-Checksum']],
      body: { ...chunked('content'), trailers: [['X-Checksum', '1']] },
    },
  ),
  httpCase(
    'a chunked response with chunk extensions',
    {},
    { body: { ...chunked('a', 'bc'), chunkExtension: ';x=y' } },
  ),
  httpCase('a response that ends with its connection', {}, { body: untilClose('all', ' of it') }),
  httpCase('an empty response that ends with its connection', {}, { body: untilClose() }),
  httpCase('an HTTP/1.0 response', {}, { version: '1.0', body: untilClose('all of it') }),
  httpCase(
    'an HTTP/1.0 response with content-length',
    {},
    { version: '1.0', body: sized('all of it') },
  ),
  httpCase(
    'an event stream',
    { fields: [['Accept', 'text/event-stream']] },
    {
      fields: [
        ['Content-Type', 'text/event-stream'],
        ['Cache-Control', 'no-cache'],
      ],
      body: chunked('id: 1\ndata: one\n\n', ': comment\n\n', 'data: two\n\n'),
    },
  ),
];

export const BODY_CASES: readonly HttpCase[] = [...SIZED_CASES, ...EMPTY_CASES, ...SPECIAL_CASES];
