import { bytesOfSize } from './bodies.js';
import type { Field } from '../network/raw-http.js';
import { chunked, httpCase, sized, untilClose, type CaseBody, type HttpCase } from './http-case.js';

const PART = 'part of it';
const UPLOAD = sized(bytesOfSize(65_536), bytesOfSize(65_536), bytesOfSize(65_536));

/** Bodies that their sender cuts off, by framing. */
const CUT: readonly [name: string, body: CaseBody][] = [
  ['with content-length', { ...sized(PART), stated: 1_000 }],
  ['in chunks', chunked(PART)],
];

/** Whether the upstream announces that its connection will close. */
const ANNOUNCED: readonly [name: string, fields: readonly Field[]][] = [
  ['is cut off', []],
  ['announces close and is cut off', [['Connection', 'close']]],
];

/** POST requests: a method that may not be retried reaches the upstream once. */
const CUT_CASES = (['close', 'reset'] as const).flatMap((end) =>
  (['1.1', '1.0'] as const).flatMap((version) =>
    ANNOUNCED.flatMap(([announced, fields]) =>
      CUT.map(([name, body]) =>
        httpCase(
          `a response ${name} to HTTP/${version} that ${announced} by a ${end}`,
          { method: 'POST', version, body: sized('x') },
          { body, end, fields },
        ),
      ),
    ),
  ),
);

const HTTP_10_CASES = [
  httpCase('a response with content-length to HTTP/1.0', { version: '1.0' }),
  httpCase(
    'a response to HTTP/1.0 that ends with its connection',
    { version: '1.0' },
    {
      body: untilClose('all', ' of it'),
    },
  ),
  httpCase('an empty response to HTTP/1.0', { version: '1.0' }, { body: sized('') }),
  httpCase(
    'HEAD over HTTP/1.0',
    { version: '1.0', method: 'HEAD' },
    {
      fields: [['Content-Length', '5']],
      body: { framing: 'none', pieces: [] },
    },
  ),
  httpCase('POST over HTTP/1.0', { version: '1.0', method: 'POST', body: sized('a', 'bc') }),
  httpCase(
    '204 to HTTP/1.0',
    { version: '1.0' },
    {
      status: 204,
      fields: [],
      body: { framing: 'none', pieces: [] },
    },
  ),
];

const EARLY_CASES = [
  ['content-length', sized('too large')],
  ['chunks', chunked('too ', 'large')],
  ['no framing', untilClose('too large')],
  ['no body', sized('')],
] as const satisfies readonly (readonly [string, CaseBody])[];

export const ENDING_CASES: readonly HttpCase[] = [
  ...CUT_CASES,
  ...HTTP_10_CASES,
  ...EARLY_CASES.map(([name, body]) =>
    httpCase(
      `a response with ${name} before the end of the upload`,
      { method: 'PUT', body: UPLOAD },
      { status: 413, body, after: 'head' },
    ),
  ),
  httpCase(
    'an event stream that ends with its connection',
    { fields: [['Accept', 'text/event-stream']] },
    {
      fields: [['Content-Type', 'text/event-stream']],
      body: untilClose('data: 1\n\n', 'data: 2\n\n'),
    },
  ),
];
