import { httpCase, sized, type HttpCase } from './http-case.js';
import type { Field } from '../network/raw-http.js';

const many = (count: number): Field[] =>
  Array.from({ length: count }, (_, at): Field => [`X-Field-${at}`, `value ${at}`]);

const FIELDS: readonly [title: string, ...fields: Field[]][] = [
  ['no extra field'],
  ['a repeated field', ['X-Many', 'one'], ['X-Other', '-'], ['x-many', 'two'], ['X-MANY', 'one']],
  ['a list in one field', ['Accept', 'text/html, application/json;q=0.9, */*;q=0.1']],
  ['two cookie fields', ['Cookie', 'a=1; b=2'], ['Cookie', 'c=3']],
  ['an empty value', ['X-Empty', ''], ['X-After', '1']],
  ['whitespace around a value', ['X-Blanks', '  value \t ']],
  ['tabs and several spaces within a value', ['X-Inner', 'a\tb   c']],
  ['octets beyond ASCII', ['X-Latin', 'na\xefve'], ['X-Utf8', Buffer.from('€').toString('latin1')]],
  ['all visible ASCII in a value', ['X-Ascii', '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~']],
  ['all characters of a token in a name', ["X!#$%&'*+-.^_`|~9z", '1']],
  [
    'names of JavaScript object properties',
    ['__proto__', '1'],
    ['constructor', '2'],
    ['toString', '3'],
  ],
  ['200 fields', ...many(200)],
  ['a value of 16 KiB', ['X-Long', 'v'.repeat(16_384)]],
  ['fields of 40 KiB in all', ...many(40).map(([name]): Field => [name, 'w'.repeat(1_000)])],
  ['credentials', ['Authorization', 'Basic dXNlcjpwYXNz'], ['Cookie', 'session=secret']],
  ['a range', ['Range', 'bytes=0-99,200-'], ['If-Range', '"etag"']],
  ['conditions on an entity tag', ['If-Match', '"a", W/"b"'], ['If-None-Match', '*']],
  [
    'conditions on a date',
    ['If-Modified-Since', 'Sun, 06 Nov 1994 08:49:37 GMT'],
    ['If-Unmodified-Since', 'Sunday, 06-Nov-94 08:49:37 GMT'],
  ],
  ['fields that proxies add', ['Via', '1.0 fred'], ['Via', '1.1 p.example'], ['Max-Forwards', '3']],
  [
    'fields that identify the client',
    ['X-Forwarded-For', '192.0.2.1, 198.51.100.2'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Host', 'api.example.com'],
    ['Forwarded', 'for=192.0.2.1;proto=https'],
    ['X-Real-IP', '192.0.2.1'],
  ],
  ['a user agent', ['User-Agent', 'curl/8 (x; y)'], ['Server', 'odd'], ['Date', 'yesterday']],
  ['CORS fields', ['Origin', 'https://app.example'], ['Access-Control-Request-Method', 'PUT']],
  ['browser fields', ['Sec-Fetch-Mode', 'cors'], ['Referer', 'https://app.example/?q']],
  ['caching fields', ['Cache-Control', 'no-store'], ['Pragma', 'no-cache'], ['Age', '1']],
  ['a method override', ['X-HTTP-Method-Override', 'DELETE'], ['X-Original-URL', '/admin']],
  ['a trace id', ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01']],
  ['a request id', ['X-Request-Id', 'order-4711']],
  ['an upgrade to HTTP/2', ['Upgrade', 'h2c'], ['HTTP2-Settings', 'AAMAAABkAARAAAAAAAIAAAAA']],
  ['keep-alive fields', ['Keep-Alive', 'timeout=5'], ['Proxy-Connection', 'keep-alive']],
  ['proxy credentials', ['Proxy-Authorization', 'Basic eDp5']],
  ['accepted transfer codings', ['TE', 'trailers, deflate;q=0.5']],
  [
    'fields that Connection names',
    ['Connection', 'X-Hop, x-hop2'],
    ['X-Hop', '1'],
    ['X-Hop2', '2'],
  ],
  [
    'several Connection fields',
    ['Connection', 'X-A'],
    ['X-A', '1'],
    ['Connection', 'X-B'],
    ['X-b', '2'],
  ],
  ['relay fields', ['X-MTE-Other', '1'], ['x-mte-client-id', '2'], ['X-Mte-Relay', '3']],
];

const WITH_BODY: readonly [title: string, ...fields: Field[]][] = [
  [
    'that describe the content',
    ['Content-Type', 'text/plain; charset="utf-8"'],
    ['Content-Language', 'de'],
  ],
  [
    'that describe an upload',
    ['Content-Disposition', 'attachment; filename="x"'],
    ['Content-MD5', 'Q2hlY2s='],
  ],
  ['of a partial update', ['Content-Range', 'bytes 0-9/100'], ['If-Match', '"x"']],
  ['that state an expectation', ['Expect', '100-continue']],
  ['of WebDAV', ['Depth', 'infinity'], ['Destination', 'http://x/api/y'], ['If', '(<urn:uuid:1>)']],
];

export const REQUEST_FIELD_CASES: readonly HttpCase[] = [
  ...FIELDS.map(([title, ...fields]) => httpCase(`GET with ${title}`, { fields })),
  ...WITH_BODY.map(([title, ...fields]) =>
    httpCase(`PUT with fields ${title}`, { method: 'PUT', fields, body: sized('some body') }),
  ),
  httpCase('PUT with its length before the other fields', {
    method: 'PUT',
    fields: [
      ['Content-Length', '4'],
      ['X-After', '1'],
    ],
    body: { framing: 'none', pieces: [Buffer.from('body')] },
  }),
];
