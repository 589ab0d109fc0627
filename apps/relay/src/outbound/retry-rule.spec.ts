import type { ExchangeFailure } from '@relay/http';
import { describe, expect, it } from 'vitest';

import { isProvenUnforwarded, mayRetry, type RetryCircumstances } from './retry-rule.js';
import type { AttemptOutcome } from './tunnel-attempt.js';

const cause = new Error('cause');
const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'];
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
const cutOff: AttemptOutcome = { kind: 'cut-off', cause };
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

/** Outcomes after which any request may be sent again, if the session was within its lifetime. */
const SAFE_TO_RETRY: [name: string, outcome: AttemptOutcome][] = [
  ['no connection', failed('unreachable', false)],
  ['no connection in time', failed('connect-timeout', false)],
  ...[559, 560, 562, 565, 566].map((status): [string, AttemptOutcome] => [
    `a signed ${status} with p = 0`,
    signed(status, true),
  ]),
];

describe('a request is sent again, whatever its method,', () => {
  it.each(SAFE_TO_RETRY)('after %s', (_name, outcome) => {
    for (const method of [...IDEMPOTENT, ...UNSAFE]) {
      expect(retries(outcome, { method })).toBe(true);
    }
  });
});

describe('a request is sent again only if its method is idempotent', () => {
  it('after a connection that was lost before a response', () => {
    for (const method of IDEMPOTENT) {
      expect(retries(failed('reset', true), { method })).toBe(true);
    }
    for (const method of UNSAFE) {
      expect(retries(failed('reset', true), { method })).toBe(false);
    }
  });
});

describe('a request is not sent again', () => {
  const anyMethod = [...IDEMPOTENT, ...UNSAFE];

  it.each([
    ['a complete response', completed],
    ['a response that was cut off', cutOff],
    ['an unauthenticated response', unauthenticated],
    ['a response timeout', failed('response-timeout', true)],
    ['a response timeout before anything was sent', failed('response-timeout', false)],
    ['silence within a response', failed('idle', true)],
    ['an abort', failed('aborted', true)],
    ['an abort before anything was sent', failed('aborted', false)],
    ...[561, 562, 563, 565, 567].map((status): [string, AttemptOutcome] => [
      `a signed ${status} with p = 1`,
      signed(status, false),
    ]),
    ['a signed 564, although the message was not forwarded', signed(564, true)],
  ])('after %s', (_name, outcome) => {
    for (const method of anyMethod) {
      expect(retries(outcome, { method })).toBe(false);
    }
  });

  it('a third time', () => {
    for (const [, outcome] of SAFE_TO_RETRY) {
      expect(retries(outcome, { attempt: 2 })).toBe(false);
    }
    expect(retries(failed('reset', true), { method: 'GET', attempt: 2 })).toBe(false);
  });

  it('if its whole body is no longer in the replay buffer', () => {
    for (const [, outcome] of SAFE_TO_RETRY) {
      expect(retries(outcome, { isReplayable: false })).toBe(false);
    }
    expect(retries(failed('reset', true), { method: 'PUT', isReplayable: false })).toBe(false);
  });

  it('after a signed error if the session is past its lifetime here', () => {
    for (const method of anyMethod) {
      expect(retries(signed(560, true), { method, isWithinLifetime: false })).toBe(false);
    }
    expect(retries(failed('unreachable', false), { isWithinLifetime: false })).toBe(true);
  });
});

describe('RETRY_UNSAFE_METHODS=false', () => {
  it('limits retries after a signed error to idempotent methods', () => {
    for (const method of IDEMPOTENT) {
      expect(retries(signed(560, true), { method, retryUnsafeMethods: false })).toBe(true);
    }
    for (const method of UNSAFE) {
      expect(retries(signed(560, true), { method, retryUnsafeMethods: false })).toBe(false);
    }
  });

  it('does not affect requests that were never sent', () => {
    const changes = { method: 'POST', retryUnsafeMethods: false };
    expect(retries(failed('unreachable', false), changes)).toBe(true);
  });
});

describe('proof that a message was not and never will be forwarded', () => {
  it.each<[name: string, expected: boolean, outcome: AttemptOutcome]>([
    ['nothing was sent', true, failed('unreachable', false)],
    ['nothing was sent before the abort', true, failed('aborted', false)],
    ['something may have been sent', false, failed('reset', true)],
    ['the peer signed that it was not', true, signed(560, true)],
    ['the peer signed that it may have been', false, signed(561, false)],
    ['the response is unauthenticated', false, unauthenticated],
    ['the response is complete', false, completed],
    ['the response was cut off', false, cutOff],
  ])('if %s: %s', (_name, expected, outcome) => {
    expect(isProvenUnforwarded(outcome, true)).toBe(expected);
  });

  it('is not given by a signed error if the session is past its lifetime here', () => {
    expect(isProvenUnforwarded(signed(560, true), false)).toBe(false);
    expect(isProvenUnforwarded(failed('unreachable', false), false)).toBe(true);
  });
});
