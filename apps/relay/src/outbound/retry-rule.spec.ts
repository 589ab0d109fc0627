import type { ExchangeFailure } from '@relay/http';
import { describe, expect, it } from 'vitest';

import { isProvenUnforwarded, retryOf, type Retry, type RetryCircumstances } from './retry-rule.js';
import type { AttemptOutcome, UnforwardedReason } from './tunnel-attempt.js';

const cause = new Error('cause');
const SAFE = ['GET', 'HEAD', 'OPTIONS'];
const IDEMPOTENT = [...SAFE, 'PUT', 'DELETE'];
const OTHERS = ['POST', 'PATCH', 'REPORT', 'get'];
const METHODS = [...IDEMPOTENT, ...OTHERS];

const failed = (kind: ExchangeFailure['kind'], wasSent: boolean): AttemptOutcome => ({
  kind: 'failed',
  failure: { kind, wasSent, hasHead: false, cause },
});
const signed = (status: number, isNeverForwarded: boolean): AttemptOutcome => ({
  kind: 'signed-error',
  signedError: { status, isNeverForwarded, unixMs: 0 },
});
const unforwarded = (reason: UnforwardedReason): AttemptOutcome => ({
  kind: 'unforwarded',
  reason,
});
const completed: AttemptOutcome = { kind: 'completed', status: 200 };
const cutOff: AttemptOutcome = { kind: 'cut-off', cause };
const unauthenticated: AttemptOutcome = { kind: 'unauthenticated', cause };

const CIRCUMSTANCES: RetryCircumstances = {
  method: 'POST',
  attempt: 1,
  isReplayable: true,
  isReplaceable: true,
  retryUnsafeMethods: true,
};
/** How a request with each of these methods is sent again. */
const retries = (
  outcome: AttemptOutcome,
  methods: readonly string[],
  changes: Partial<RetryCircumstances> = {},
): Set<Retry> =>
  new Set(methods.map((method) => retryOf(outcome, { ...CIRCUMSTANCES, method, ...changes })));

const INDEPENDENT = new Set<Retry>(['independent']);
const REPLACING = new Set<Retry>(['replacing']);
const NONE = new Set<Retry>(['none']);

/** Outcomes after which any request may be sent again as any other message. */
const NOT_FORWARDED: [name: string, outcome: AttemptOutcome][] = [
  ['no connection', failed('unreachable', false)],
  ['no connection in time', failed('connect-timeout', false)],
  ...[559, 562].map((status): [string, AttemptOutcome] => [
    `a signed ${status} with p = 0`,
    signed(status, true),
  ]),
];

describe('a request is sent again, whatever its method,', () => {
  it.each(NOT_FORWARDED)('after %s', (_name, outcome) => {
    expect(retries(outcome, METHODS)).toEqual(INDEPENDENT);
  });
});

describe('a request whose connection was lost before a response', () => {
  const lost = failed('reset', true);

  it('is sent again as any other message if its method is safe', () => {
    expect(retries(lost, SAFE)).toEqual(INDEPENDENT);
  });

  it('is sent again as a replacement under the same session if its method is not safe', () => {
    expect(retries(lost, ['PUT', 'DELETE', ...OTHERS])).toEqual(REPLACING);
  });

  it('is not sent again if its method is not safe and the session takes no more messages', () => {
    expect(retries(lost, ['PUT', 'DELETE', ...OTHERS], { isReplaceable: false })).toEqual(NONE);
    expect(retries(lost, SAFE, { isReplaceable: false })).toEqual(INDEPENDENT);
  });
});

describe('a request whose session the peer does not know', () => {
  it('is sent again only if its method is safe', () => {
    expect(retries(signed(560, false), SAFE)).toEqual(INDEPENDENT);
    expect(retries(signed(560, false), ['PUT', 'DELETE', ...OTHERS])).toEqual(NONE);
  });
});

describe('a stream that was provably not forwarded', () => {
  it.each(['not-sent', 'not-forwarded'] as const)('is sent again if it was %s', (reason) => {
    expect(retries(unforwarded(reason), METHODS)).toEqual(INDEPENDENT);
  });

  it.each(['refused', 'rejected'] as const)('is not sent again if it was %s', (reason) => {
    expect(retries(unforwarded(reason), METHODS)).toEqual(NONE);
  });
});

describe('a request is not sent again', () => {
  it.each([
    ['a complete response', completed],
    ['a response that was cut off', cutOff],
    ['an unauthenticated response', unauthenticated],
    ['a response timeout', failed('response-timeout', true)],
    ['a response timeout before anything was sent', failed('response-timeout', false)],
    ['silence within a response', failed('idle', true)],
    ['an abort', failed('aborted', true)],
    ['an abort before anything was sent', failed('aborted', false)],
    ...[559, 561, 562, 563, 565, 567].map((status): [string, AttemptOutcome] => [
      `a signed ${status} with p = 1`,
      signed(status, false),
    ]),
    ['a signed 564, although the message was not forwarded', signed(564, true)],
  ])('after %s', (_name, outcome) => {
    expect(retries(outcome, METHODS)).toEqual(NONE);
  });

  it('a third time', () => {
    for (const [, outcome] of NOT_FORWARDED) {
      expect(retries(outcome, METHODS, { attempt: 2 })).toEqual(NONE);
    }
    expect(retries(failed('reset', true), METHODS, { attempt: 2 })).toEqual(NONE);
    expect(retries(signed(560, false), METHODS, { attempt: 2 })).toEqual(NONE);
  });

  it('if its whole body is no longer in the replay buffer', () => {
    for (const [, outcome] of NOT_FORWARDED) {
      expect(retries(outcome, METHODS, { isReplayable: false })).toEqual(NONE);
    }
    expect(retries(failed('reset', true), METHODS, { isReplayable: false })).toEqual(NONE);
  });
});

describe('RETRY_UNSAFE_METHODS=false', () => {
  const changes = { retryUnsafeMethods: false };

  it('limits retries of messages that may have been sent to idempotent methods', () => {
    expect(retries(signed(559, true), IDEMPOTENT, changes)).toEqual(INDEPENDENT);
    expect(retries(signed(559, true), OTHERS, changes)).toEqual(NONE);
    expect(retries(failed('reset', true), ['PUT', 'DELETE'], changes)).toEqual(REPLACING);
    expect(retries(failed('reset', true), OTHERS, changes)).toEqual(NONE);
  });

  it('limits retries of streams that a draining channel did not take to idempotent methods', () => {
    expect(retries(unforwarded('not-forwarded'), IDEMPOTENT, changes)).toEqual(INDEPENDENT);
    expect(retries(unforwarded('not-forwarded'), OTHERS, changes)).toEqual(NONE);
  });

  it('does not affect requests that were never sent', () => {
    expect(retries(failed('unreachable', false), METHODS, changes)).toEqual(INDEPENDENT);
    expect(retries(unforwarded('not-sent'), METHODS, changes)).toEqual(INDEPENDENT);
  });
});

describe('proof that a message was not and never will be forwarded', () => {
  it.each<[name: string, expected: boolean, outcome: AttemptOutcome]>([
    ['nothing was sent', true, failed('unreachable', false)],
    ['nothing was sent before the abort', true, failed('aborted', false)],
    ['something may have been sent', false, failed('reset', true)],
    ['the peer signed that it was not', true, signed(559, true)],
    ['the peer signed that it may have been', false, signed(560, false)],
    ['the response is unauthenticated', false, unauthenticated],
    ['the response is complete', false, completed],
    ['the response was cut off', false, cutOff],
  ])('if %s: %s', (_name, expected, outcome) => {
    expect(isProvenUnforwarded(outcome)).toBe(expected);
  });
});
