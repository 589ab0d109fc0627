import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { ERRORS, clientOutcome, relayOutcome, type ErrorCode } from './error-registry.js';
import { RelayStatus } from './relay-status.js';

const ROOT = join(import.meta.dirname, '../../..');
const REGISTRY = 'error-registry.ts';

const codes = Object.keys(ERRORS) as ErrorCode[];

/** The codes that sources other than the registry use: in quotes, because comments name codes as well. */
const used = new Set(
  ['apps/relay/src', 'libs']
    .flatMap((dir) =>
      readdirSync(join(ROOT, dir), { recursive: true, encoding: 'utf8' }).map((path) =>
        join(ROOT, dir, path),
      ),
    )
    .filter((path) => /(?<![.]spec)[.]ts$/.test(path) && !path.endsWith(REGISTRY))
    .flatMap((path) =>
      Array.from(readFileSync(path, 'utf8').matchAll(/'(RELAY_[A-Z_]+)'/g), ([, code]) => code),
    ),
);

describe('the error registry', () => {
  it('has no code that the sources do not use', () => {
    expect(codes.filter((code) => !used.has(code) && code !== 'RELAY_INTERNAL')).toEqual([]);
  });

  it.each(codes)('reports %s to a client, to a relay or to neither, but never to both', (code) => {
    const entry: object = ERRORS[code];
    expect(Object.keys(entry).length).toBeLessThanOrEqual(1);
  });

  it('reports these codes to nobody, because they are caught, translated or only logged', () => {
    const silent = codes.filter((code) => Object.keys(ERRORS[code]).length === 0);
    expect(silent.sort()).toEqual([
      'RELAY_BODY_ABORTED',
      'RELAY_CHANNEL_BROKEN',
      'RELAY_CLIENT_GONE',
      'RELAY_CONFIG_INVALID',
      'RELAY_MESSAGE_TRUNCATED',
      'RELAY_PEER_GONE',
      'RELAY_RECORD_MALFORMED',
      'RELAY_RECORD_UNAUTHENTIC',
    ]);
  });

  it('uses every status that is reserved for errors between relays', () => {
    const statuses = codes.flatMap((code) => relayOutcome(code)?.status ?? []);
    expect([...new Set(statuses)].sort()).toEqual(Object.values(RelayStatus));
  });
});

describe('the error that a relay receives', () => {
  it('has a status and a verdict that protocol.md section 8 lists', () => {
    const outcomes = codes.flatMap((code) => {
      const outcome = relayOutcome(code);
      return outcome === undefined ? [] : [`${outcome.status} ${outcome.verdict}`];
    });
    expect([...new Set(outcomes)].sort()).toEqual([
      '559 p=0',
      '560 p=1',
      '561 p=1',
      '562 p=0',
      '562 p=1',
      '563 p=0',
      '563 p=1',
      '564 p=0',
      '565 p=0',
      '565 p=1',
      '566 p=0',
      '566 unsigned',
      '567 p=1',
      '568 p=0',
      '569 unsigned',
    ]);
  });

  it('is unsigned if the sender was not verified or its session cannot be opened', () => {
    const unsigned = codes.filter((code) => relayOutcome(code)?.verdict === 'unsigned');
    expect(unsigned.sort()).toEqual([
      'RELAY_AUDIENCE_REFUSED',
      'RELAY_HEADER_MALFORMED',
      'RELAY_HEADER_MISSING',
      'RELAY_PAIR_MALFORMED',
      'RELAY_SENDER_INVALID',
      'RELAY_SENDER_SELF',
      'RELAY_SESSION_BLOB_INVALID',
    ]);
  });
});

describe('the error that a client receives', () => {
  it.each(codes)('for %s never has a status that is reserved for errors between relays', (code) => {
    const { status } = clientOutcome(code);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(559);
  });

  it('is an internal error if its code is not meant for clients', () => {
    const hidden = codes.filter((code) => !('client' in ERRORS[code]));
    expect(hidden).toContain('RELAY_SESSION_UNKNOWN');
    expect(hidden).toContain('RELAY_RECORD_MALFORMED');
    for (const code of hidden) {
      expect(clientOutcome(code)).toEqual({ status: 500, forwarded: 'maybe' });
    }
  });
});
