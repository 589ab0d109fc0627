import type { ExchangeFailure } from '@relay/http';
import { describe, expect, it } from 'vitest';

import { isProvenUnforwarded, mayRetry, type RetryCircumstances } from './retry-rule.js';
import type { AttemptOutcome } from './tunnel-attempt.js';

const cause = new Error('cause');
const REPEATABLE = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'];
const UNSAFE = ['POST', 'PATCH', 'REPORT', 'get'];

const failed = (kind: ExchangeFailure['kind'], wasSent: boolean): AttemptOutcome => ({
  kind: 'failed',
  failure: { kind, wasSent, hasHead: false, cause },
});
const signed = (status: number, isNeverForwarded: boolean): AttemptOutcome => ({
  kind: 'signed-error',
  signedError: { status, isNeverForwarded, unixMs: 0 },
});
const completed: AttemptOutcome = { kind: 'completed', status: 200 };
const broken: AttemptOutcome = { kind: 'cut-off', cause };
const unauthenticated: AttemptOutcome = { kind: 'unauthenticated', cause };

const CIRCUMSTANCES: RetryCircumstances = {
  method: 'POST',
  attempt: 1,
  isReplayable: true,
  isWithinLifetime: true,
  retryUnsafeMethods: true,
};
const retries = (outcome: AttemptOutcome, changes: Partial<RetryCircumstances> = {}): boolean =>
  mayRetry(outcome, { ...CIRCUMSTANCES, ...changes });

/** Outcomes after which any request may go out again, if the session was alive. */
const SAFE_TO_REPEAT: [name: string, outcome: AttemptOutcome][] = [
  ['no connection', failed('unreachable', false)],
  ['no connection in time', failed('connect-timeout', false)],
  ...[559, 560, 562, 565, 566].map((status): [string, AttemptOutcome] => [
    `a signed ${status} with p = 0`,
    signed(status, true),
  ]),
];

describe('a request goes out again, whatever its method,', () => {
  it.each(SAFE_TO_REPEAT)('after %s', (_name, outcome) => {
    for (const method of [...REPEATABLE, ...UNSAFE]) {
      expect(retries(outcome, { method })).toBe(true);
    }
  });
});

describe('a request whose method may be repeated goes out again', () => {
  it('after a connection that broke without an answer', () => {
    for (const method of REPEATABLE) {
      expect(retries(failed('reset', true), { method })).toBe(true);
    }
    for (const method of UNSAFE) {
      expect(retries(failed('reset', true), { method })).toBe(false);
    }
  });
});

describe('a request does not go out again', () => {
  const anyMethod = [...REPEATABLE, ...UNSAFE];

  it.each([
    ['an answer', completed],
    ['an answer that broke off', broken],
    ['an answer that proves nothing', unauthenticated],
    ['no answer in time', failed('response-timeout', true)],
    ['no answer in time, unsent', failed('response-timeout', false)],
    ['silence within an answer', failed('idle', true)],
    ['giving it up', failed('aborted', true)],
    ['giving it up, unsent', failed('aborted', false)],
    ...[561, 562, 563, 565, 567].map((status): [string, AttemptOutcome] => [
      `a signed ${status} with p = 1`,
      signed(status, false),
    ]),
    ['a signed 564, though it was not forwarded', signed(564, true)],
  ])('after %s', (_name, outcome) => {
    for (const method of anyMethod) {
      expect(retries(outcome, { method })).toBe(false);
    }
  });

  it('a third time', () => {
    for (const [, outcome] of SAFE_TO_REPEAT) {
      expect(retries(outcome, { attempt: 2 })).toBe(false);
    }
    expect(retries(failed('reset', true), { method: 'GET', attempt: 2 })).toBe(false);
  });

  it('without its whole body', () => {
    for (const [, outcome] of SAFE_TO_REPEAT) {
      expect(retries(outcome, { isReplayable: false })).toBe(false);
    }
    expect(retries(failed('reset', true), { method: 'PUT', isReplayable: false })).toBe(false);
  });

  it('on the word of a peer whose session is past its lifetime here', () => {
    for (const method of anyMethod) {
      expect(retries(signed(560, true), { method, isWithinLifetime: false })).toBe(false);
    }
    expect(retries(failed('unreachable', false), { isWithinLifetime: false })).toBe(true);
  });
});

describe('RETRY_UNSAFE_METHODS=false', () => {
  it('lets only methods that may be repeated go out again on the word of a peer', () => {
    for (const method of REPEATABLE) {
      expect(retries(signed(560, true), { method, retryUnsafeMethods: false })).toBe(true);
    }
    for (const method of UNSAFE) {
      expect(retries(signed(560, true), { method, retryUnsafeMethods: false })).toBe(false);
    }
  });

  it('says nothing about requests that never left', () => {
    const changes = { method: 'POST', retryUnsafeMethods: false };
    expect(retries(failed('unreachable', false), changes)).toBe(true);
  });
});

describe('proof that a message was not forwarded', () => {
  it.each<[name: string, outcome: AttemptOutcome, expected: boolean]>([
    ['it never left', failed('unreachable', false), true],
    ['it never left before it was given up', failed('aborted', false), true],
    ['it may have left', failed('reset', true), false],
    ['the peer says so', signed(560, true), true],
    ['the peer does not say so', signed(561, false), false],
    ['somebody completed something', unauthenticated, false],
    ['it was completed', completed, false],
    ['its answer broke off', broken, false],
  ])('is that %s: %#', (_name, outcome, expected) => {
    expect(isProvenUnforwarded(outcome, true)).toBe(expected);
  });

  it('is no word of a peer whose session is past its lifetime here', () => {
    expect(isProvenUnforwarded(signed(560, true), false)).toBe(false);
    expect(isProvenUnforwarded(failed('unreachable', false), false)).toBe(true);
  });
});
