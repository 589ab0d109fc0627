import { StreamCode, type Stream } from '@relay/channel';
import { describe, expect, it, vi } from 'vitest';

import type { StreamExchange } from './stream-exchange.js';
import { AskingStream } from './stream-upgrade.js';

/** A stream whose peer ends its direction. @returns the codes with which it was reset, and what the exchange was told */
const ended = (missingBytes: number, hasResponded: boolean, hasBegun = false) => {
  const reset = vi.fn();
  const onFailure = vi.fn();
  const exchange = { hasResponded, hasBegun, onFailure } as unknown as StreamExchange;
  new AskingStream({ reset } as unknown as Stream, exchange, missingBytes).onEnd();
  return { codes: reset.mock.calls.flat(), failures: onFailure.mock.calls.flat() };
};

describe('the end of a stream that asks for an upgrade', () => {
  it.each([
    ['within the body', 1, false],
    ['before a response', 0, false],
  ])('breaks a rule %s', (_when, missingBytes, hasResponded) => {
    expect(ended(missingBytes, hasResponded)).toEqual({
      codes: [StreamCode.PROTOCOL_ERROR],
      failures: ['reset'],
    });
  });

  it('proves nothing once the upstream has been asked', () => {
    expect(ended(0, false, true).codes).toEqual([StreamCode.INTERNAL_ERROR]);
  });

  it('follows a response that is not 101', () => {
    expect(ended(0, true)).toEqual({ codes: [], failures: [] });
  });
});
