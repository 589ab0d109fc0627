import { httpCase, sized, chunked, type HttpCase } from './http-case.js';
import type { Field } from '../network/raw-http.js';

const WITHOUT_BODY = new Set([204, 304]);

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at);

/** Registered and unregistered statuses, and those that relays use among themselves. */
const STATUSES = [
  ...range(200, 208),
  226,
  299,
  ...range(300, 308),
  399,
  ...range(400, 418),
  ...range(420, 426),
  428,
  429,
  431,
  451,
  499,
  ...range(500, 508),
  510,
  511,
  520,
  ...range(559, 569),
  599,
];

/** The fields that belong to a status. */
const FIELDS: Readonly<Record<number, readonly Field[]>> = {
  201: [['Location', '/things/1']],
  206: [['Content-Range', 'bytes 0-21/1000']],
  300: [['Link', '</a>; rel=alternate']],
  301: [['Location', 'https://elsewhere.example/?q#fragment']],
  302: [['Location', '../relative']],
  303: [['Location', '//other.example/']],
  307: [['Location', '/again']],
  308: [['Location', '/for-good']],
  401: [
    ['WWW-Authenticate', 'Bearer realm="api"'],
    ['WWW-Authenticate', 'Basic'],
  ],
  405: [['Allow', 'GET, HEAD']],
  407: [['Proxy-Authenticate', 'Basic realm="proxy"']],
  416: [['Content-Range', 'bytes */1000']],
  426: [
    ['Upgrade', 'HTTP/3.0'],
    ['Connection', 'Upgrade'],
  ],
  429: [['Retry-After', '120']],
  503: [['Retry-After', 'Fri, 31 Dec 2027 23:59:59 GMT']],
};

const STATUS_CASES_OF = (status: number): HttpCase => {
  const fields = FIELDS[status] ?? [];
  return WITHOUT_BODY.has(status)
    ? httpCase(
        `a ${status} response`,
        {},
        { status, fields, body: { framing: 'none', pieces: [] } },
      )
    : httpCase(`a ${status} response`, {}, { status, fields });
};

const NO_BODY = { framing: 'none', pieces: [] } as const;

export const STATUS_CASES: readonly HttpCase[] = [
  ...STATUSES.map(STATUS_CASES_OF),
  httpCase('a response with a custom reason phrase', {}, { reason: 'Rather Fine, thank you' }),
  httpCase('a response without a reason phrase', {}, { reason: '' }),
  httpCase(
    'HEAD with the length of the body',
    { method: 'HEAD' },
    {
      fields: [
        ['Content-Length', '4711'],
        ['ETag', '"x"'],
      ],
      body: NO_BODY,
    },
  ),
  httpCase('HEAD without a length', { method: 'HEAD' }, { body: NO_BODY }),
  httpCase(
    'HEAD with a chunked response',
    { method: 'HEAD' },
    {
      fields: [['Transfer-Encoding', 'chunked']],
      body: NO_BODY,
    },
  ),
  httpCase('HEAD with content-length 0', { method: 'HEAD' }, { body: sized('') }),
  httpCase(
    'HEAD with a 404 response',
    { method: 'HEAD' },
    {
      status: 404,
      fields: [['Content-Length', '9']],
      body: NO_BODY,
    },
  ),
  httpCase(
    '204 with content-length 0',
    {},
    { status: 204, fields: [['Content-Length', '0']], body: NO_BODY },
  ),
  httpCase('204 to DELETE', { method: 'DELETE' }, { status: 204, body: NO_BODY }),
  httpCase('205 with content-length 0', { method: 'POST' }, { status: 205, body: sized('') }),
  httpCase('205 with an empty chunked body', { method: 'POST' }, { status: 205, body: chunked() }),
  httpCase(
    '200 to OPTIONS without a body',
    { method: 'OPTIONS' },
    {
      fields: [
        ['Allow', 'GET, OPTIONS'],
        ['DAV', '1, 2'],
      ],
      body: sized(''),
    },
  ),
  httpCase(
    '206 with several ranges',
    { fields: [['Range', 'bytes=0-0,-1']] },
    {
      status: 206,
      fields: [['Content-Type', 'multipart/byteranges; boundary=B']],
      body: sized('--B\r\nContent-Range: bytes 0-0/10\r\n\r\na\r\n--B--\r\n'),
    },
  ),
  httpCase(
    '207 to PROPFIND',
    { method: 'PROPFIND', body: sized('<propfind/>') },
    {
      status: 207,
      fields: [['Content-Type', 'application/xml']],
      body: chunked('<multistatus/>'),
    },
  ),
  ...[102, 103].map((status) =>
    httpCase(
      `a response after an informational ${status}`,
      {},
      {
        before: [`HTTP/1.1 ${status} Wait\r\nLink: </style.css>\r\n\r\n`],
      },
    ),
  ),
];
