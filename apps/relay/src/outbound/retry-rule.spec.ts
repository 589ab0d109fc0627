import type { ExchangeFailure } from '@relay/http';
import { describe, expect, it } from 'vitest';

import {
  isProvenUnforwarded,
  mayGoElsewhere,
  retryOf,
  type Retry,
  type RetryCircumstances,
} from './retry-rule.js';
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
  hasOtherOrigin: false,
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

describe('a request to a peer with another origin', () => {
  const changes = { hasOtherOrigin: true };
  /** Whether a request with each of these methods may go to the other origin. */
  const goesElsewhere = (
    outcome: AttemptOutcome | undefined,
    methods: readonly string[],
    retryUnsafeMethods = true,
  ): Set<boolean> =>
    new Set(methods.map((method) => mayGoElsewhere(outcome, { method, retryUnsafeMethods })));
  const YES = new Set([true]);
  const NO = new Set([false]);

  it('is not sent again where there is no connection, but goes to the other one', () => {
    for (const kind of ['unreachable', 'connect-timeout'] as const) {
      expect(retries(failed(kind, false), METHODS, changes)).toEqual(NONE);
      expect(goesElsewhere(failed(kind, false), METHODS)).toEqual(YES);
    }
  });

  it('is sent again under the same session after a reset, and never elsewhere: #109', () => {
    expect(retries(failed('reset', true), OTHERS, changes)).toEqual(REPLACING);
    expect(goesElsewhere(failed('reset', true), METHODS)).toEqual(NO);
  });

  it('goes there if a pairing or a check has failed before any attempt', () => {
    expect(goesElsewhere(undefined, METHODS)).toEqual(YES);
  });

  it.each<[string, AttemptOutcome]>([
    ['an overloaded peer has signed that it does not forward it', signed(564, true)],
    ['a session has ended for good', signed(559, true)],
    ['a channel drains', unforwarded('not-forwarded')],
    ['a channel has no place', unforwarded('refused')],
  ])('goes there if %s, unless RETRY_UNSAFE_METHODS is false', (_name, outcome) => {
    expect(goesElsewhere(outcome, METHODS)).toEqual(YES);
    expect(goesElsewhere(outcome, IDEMPOTENT, false)).toEqual(YES);
    expect(goesElsewhere(outcome, OTHERS, false)).toEqual(NO);
  });

  it('goes there whatever RETRY_UNSAFE_METHODS is if nothing was sent', () => {
    expect(goesElsewhere(failed('unreachable', false), OTHERS, false)).toEqual(YES);
    expect(goesElsewhere(unforwarded('not-sent'), OTHERS, false)).toEqual(YES);
  });

  it.each<[string, AttemptOutcome]>([
    ['a lost connection', failed('reset', true)],
    ['a response timeout', failed('response-timeout', true)],
    ['silence within a response', failed('idle', true)],
    ['an abort before anything was sent', failed('aborted', false)],
    ['a request that breaks a rule', unforwarded('rejected')],
    ['an unauthenticated response', unauthenticated],
    ['a complete response', completed],
    ['a response that was cut off', cutOff],
    ['a stream that was given up', { kind: 'given-up', cause }],
    ['a signed 560 with p = 1', signed(560, false)],
    ['a signed 563 with p = 1', signed(563, false)],
    ['a signed 565 with p = 1', signed(565, false)],
  ])('does not go there after %s, not even a GET: #109', (_name, outcome) => {
    expect(goesElsewhere(outcome, METHODS)).toEqual(NO);
  });
});
