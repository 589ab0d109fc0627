import { httpCase, sized, type HttpCase } from './http-case.js';
import type { Field } from '../network/raw-http.js';

const many = (count: number): Field[] =>
  Array.from({ length: count }, (_, at): Field => [`X-Field-${at}`, `value ${at}`]);

const FIELDS: readonly [title: string, ...fields: Field[]][] = [
  ['no extra field'],
  ['two cookies', ['Set-Cookie', 'a=1; Path=/'], ['X-Between', '-'], ['Set-Cookie', 'b=2; Secure']],
  ['the same cookie twice', ['Set-Cookie', 'a=1'], ['Set-Cookie', 'a=1']],
  ['a cookie with a date', ['Set-Cookie', 'a=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT']],
  ['a repeated field', ['Link', '<a>'], ['X-Other', '1'], ['link', '<b>'], ['LINK', '<c>']],
  [
    'repeated fields of which Node.js keeps only one',
    ['ETag', '"a"'],
    ['ETag', '"b"'],
    ['Age', '1'],
    ['Age', '2'],
  ],
  ['a date', ['Date', 'Sun, 06 Nov 1994 08:49:37 GMT']],
  [
    'fields that identify the server',
    ['Server', 'nginx/1.22.1'],
    ['X-Powered-By', 'PHP/8'],
    ['Via', '1.1 varnish'],
  ],
  ['an empty value', ['X-Empty', ''], ['X-After', '1']],
  ['whitespace around a value', ['X-Blanks', ' \t value  ']],
  ['octets beyond ASCII', ['X-Latin', 'caf\xe9'], ['X-Utf8', Buffer.from('€').toString('latin1')]],
  ['all visible ASCII in a value', ['X-Ascii', '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~']],
  [
    'names of JavaScript object properties',
    ['__proto__', '1'],
    ['constructor', '2'],
    ['toString', '3'],
  ],
  ['200 fields', ...many(200)],
  ['a value of 16 KiB', ['X-Long', 'v'.repeat(16_384)]],
  ['fields of 40 KiB in all', ...many(40).map(([name]): Field => [name, 'w'.repeat(1_000)])],
  ['validators', ['ETag', '"strong"'], ['Last-Modified', 'Sun, 06 Nov 1994 08:49:37 GMT']],
  [
    'caching fields',
    ['Cache-Control', 'max-age=60'],
    ['Expires', '0'],
    ['Vary', '*'],
    ['Age', '5'],
  ],
  ['an offer of ranges', ['Accept-Ranges', 'bytes'], ['Content-Disposition', 'attachment']],
  [
    'security fields',
    ['Strict-Transport-Security', 'max-age=1'],
    ['Content-Security-Policy', "default-src 'self'"],
  ],
  ['CORS fields', ['Access-Control-Allow-Origin', '*'], ['Access-Control-Expose-Headers', 'X-A']],
  ['an alternative service', ['Alt-Svc', 'h3=":443"'], ['Refresh', '5; url=/x']],
  ['an offer to upgrade', ['Upgrade', 'h2,h2c'], ['Connection', 'Upgrade']],
  ['keep-alive fields', ['Connection', 'keep-alive'], ['Keep-Alive', 'timeout=5, max=100']],
  ['proxy fields', ['Proxy-Authenticate', 'Basic'], ['Proxy-Connection', 'close']],
  ['fields that Connection names', ['Connection', 'X-Hop'], ['X-Hop', '1'], ['X-Kept', '2']],
  ['relay fields', ['X-MTE-Other', '1'], ['x-mte-relay', '1.AAAAAAAAAAAAAAAAAAAAAA']],
  [
    'no content type and a request id',
    ['X-Request-Id', 'of-the-upstream'],
    ['Content-Language', 'de'],
  ],
];

export const RESPONSE_FIELD_CASES: readonly HttpCase[] = [
  ...FIELDS.map(([title, ...fields]) => httpCase(`a response with ${title}`, {}, { fields })),
  httpCase(
    'a response with its length before the other fields',
    {},
    {
      fields: [
        ['Content-Length', '4'],
        ['X-After', '1'],
      ],
      body: { framing: 'close', pieces: [Buffer.from('body')] },
    },
  ),
  httpCase(
    'a response with content-length 0 and fields',
    {},
    { fields: [['X-A', '1']], body: sized('') },
  ),
];
