import { bytesOfSize } from './bodies.js';
import type { Field } from '../raw-http.js';
import { chunked, httpCase, sized, untilClose, type CaseBody, type HttpCase } from './http-case.js';

const PART = 'part of it';
const UPLOAD = sized(bytesOfSize(65_536), bytesOfSize(65_536), bytesOfSize(65_536));

/** Bodies that their sender cuts off, by what they promise. */
const CUT: readonly [name: string, body: CaseBody][] = [
  ['with a length', { ...sized(PART), stated: 1_000 }],
  ['in chunks', chunked(PART)],
];

/** Whether the upstream says beforehand that its connection will close. */
const ANNOUNCED: readonly [name: string, fields: readonly Field[]][] = [
  ['breaks off', []],
  ['says that it will close and breaks off', [['Connection', 'close']]],
];

/** POST: what may not be repeated is asked for once. */
const CUT_CASES = (['close', 'reset'] as const).flatMap((end) =>
  (['1.1', '1.0'] as const).flatMap((version) =>
    ANNOUNCED.flatMap(([announced, fields]) =>
      CUT.map(([name, body]) =>
        httpCase(
          `an answer ${name} to HTTP/${version} that ${announced} by a ${end}`,
          { method: 'POST', version, body: sized('x') },
          { body, end, fields },
        ),
      ),
    ),
  ),
);

const HTTP_10_CASES = [
  httpCase('an answer with a length to HTTP/1.0', { version: '1.0' }),
  httpCase(
    'an answer until the connection closes to HTTP/1.0',
    { version: '1.0' },
    {
      body: untilClose('all', ' of it'),
    },
  ),
  httpCase('an empty answer to HTTP/1.0', { version: '1.0' }, { body: sized('') }),
  httpCase(
    'HEAD of HTTP/1.0',
    { version: '1.0', method: 'HEAD' },
    {
      fields: [['Content-Length', '5']],
      body: { framing: 'none', pieces: [] },
    },
  ),
  httpCase('POST of HTTP/1.0', { version: '1.0', method: 'POST', body: sized('a', 'bc') }),
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
  ['a length', sized('too large')],
  ['chunks', chunked('too ', 'large')],
  ['no length', untilClose('too large')],
  ['no body', sized('')],
] as const satisfies readonly (readonly [string, CaseBody])[];

export const ENDING_CASES: readonly HttpCase[] = [
  ...CUT_CASES,
  ...HTTP_10_CASES,
  ...EARLY_CASES.map(([name, body]) =>
    httpCase(
      `an answer with ${name} before the end of the upload`,
      { method: 'PUT', body: UPLOAD },
      { status: 413, body, after: 'head' },
    ),
  ),
  httpCase(
    'an event stream that the upstream closes',
    { fields: [['Accept', 'text/event-stream']] },
    {
      fields: [['Content-Type', 'text/event-stream']],
      body: untilClose('data: 1\n\n', 'data: 2\n\n'),
    },
  ),
];
