import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { CLIENT_STATUSES, INTERNAL_CODE, PEER_ANSWERS, clientStatus } from './error-answers.js';

const ROOT = join(import.meta.dirname, '../../../..');
const CODE = /'(RELAY_[A-Z_]+)'/g;

/** Errors that are caught, translated or only logged: nobody is answered with them. */
const INTERNAL = [
  'RELAY_CONFIG_INVALID',
  'RELAY_RECORD_MALFORMED',
  'RELAY_RECORD_UNAUTHENTIC',
  'RELAY_MESSAGE_TRUNCATED',
  'RELAY_BODY_ABORTED',
  'RELAY_CLIENT_GONE',
  'RELAY_PEER_GONE',
];

const sources = ['apps/relay/src', 'libs']
  .flatMap((dir) =>
    readdirSync(join(ROOT, dir), { recursive: true, encoding: 'utf8' }).map((path) =>
      join(ROOT, dir, path),
    ),
  )
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'));

function codesIn(path: string): string[] {
  return Array.from(readFileSync(path, 'utf8').matchAll(CODE), ([, code]) => code ?? '');
}

/** Every code of an error class. */
const declared = new Set([
  ...sources.filter((path) => path.endsWith('.errors.ts')).flatMap(codesIn),
  ...sources.flatMap((path) =>
    Array.from(
      readFileSync(path, 'utf8').matchAll(/ code = '(RELAY_[A-Z_]+)'/g),
      ([, code]) => code ?? '',
    ),
  ),
]);

describe('the error codes of this repository', () => {
  it('were found', () => {
    expect(declared.size).toBeGreaterThan(40);
    expect(declared).toContain('RELAY_SESSION_UNKNOWN');
    expect(declared).toContain('RELAY_PEER_UNREACHABLE');
  });

  it.each([...declared])('%s is answered in exactly one way, or in none', (code) => {
    const places = [
      code in PEER_ANSWERS && 'to a relay',
      code in CLIENT_STATUSES && 'to a client',
      INTERNAL.includes(code) && 'nowhere',
    ];
    expect(places.filter((place) => place !== false)).toHaveLength(1);
  });

  it('are all declared somewhere, or answered where no error class is needed', () => {
    const used = new Set(
      sources.filter((path) => !path.endsWith('error-answers.ts')).flatMap(codesIn),
    );
    const answered = [...Object.keys(PEER_ANSWERS), ...Object.keys(CLIENT_STATUSES), ...INTERNAL];
    expect(answered.filter((code) => !used.has(code))).toEqual([]);
  });
});

describe('answers to relays', () => {
  it('are as protocol.md section 8 lists them', () => {
    const statements = Object.values(PEER_ANSWERS).map(({ status, isNeverForwarded }) =>
      isNeverForwarded === undefined ? `${status}` : `${status} p=${isNeverForwarded ? 0 : 1}`,
    );
    expect([...new Set(statements)].sort()).toEqual([
      '559 p=0',
      '560 p=0',
      '561 p=1',
      '562 p=0',
      '562 p=1',
      '563 p=0',
      '563 p=1',
      '564 p=0',
      '565 p=0',
      '565 p=1',
      '566',
      '566 p=0',
      '567 p=1',
      '568 p=0',
      '569',
    ]);
  });

  it('sign nothing about a sender that was not verified, or whose session does not open', () => {
    const unsigned = Object.entries(PEER_ANSWERS)
      .filter(([, { isNeverForwarded }]) => isNeverForwarded === undefined)
      .map(([code]) => code);
    expect(unsigned.sort()).toEqual([
      'RELAY_AUDIENCE_REFUSED',
      'RELAY_HEADER_MALFORMED',
      'RELAY_HEADER_MISSING',
      'RELAY_PAIR_MALFORMED',
      'RELAY_SENDER_INVALID',
      'RELAY_SESSION_BLOB_INVALID',
    ]);
  });
});

describe('answers to clients', () => {
  it('never have a status of the relays among themselves', () => {
    for (const status of Object.values(CLIENT_STATUSES)) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(505);
    }
  });

  it('are 500 for what no client should ever see', () => {
    for (const code of [INTERNAL_CODE, ...INTERNAL, '']) {
      expect(clientStatus(code)).toBe(500);
    }
  });
});
