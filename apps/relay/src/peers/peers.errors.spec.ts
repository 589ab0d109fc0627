import { UpgradeUnsupportedError } from '@relay/http';
import { describe, expect, it } from 'vitest';

import { noOriginLeft, TunnelFailedError, type TunnelFailureCode } from './peers.errors.js';

const failure = (code: TunnelFailureCode, retryAfter?: number): TunnelFailedError =>
  new TunnelFailedError(code, 'no', code, { retryAfter });

describe('when the origins of a peer have failed one after the other', () => {
  it('a single one has its own failure', () => {
    const only = failure('RELAY_PEER_UNREACHABLE');
    expect(noOriginLeft([only])).toBe(only);
  });

  it.each(['RELAY_PEER_UNREACHABLE', 'RELAY_PEER_TIMEOUT', 'RELAY_CHANNEL_UNAVAILABLE'] as const)(
    'those that are away are reported together: %s',
    (code) => {
      const last = failure(code);
      expect(noOriginLeft([failure(code), last])).toMatchObject({
        code: 'RELAY_PEER_UNAVAILABLE',
        forwarded: 'no',
        message: `none of the 2 origins of the other relay can be used: ${code}`,
        retryAfter: 1,
        cause: last,
      });
    },
  );

  it('the shortest wait is reported', () => {
    const failures = [failure('RELAY_BUSY', 3), failure('RELAY_PEER_UNREACHABLE', 2)];
    expect(noOriginLeft(failures)).toMatchObject({ code: 'RELAY_PEER_UNAVAILABLE', retryAfter: 2 });
  });

  it('reasons that differ are all named', () => {
    const failures = [failure('RELAY_PAIR_REFUSED'), failure('RELAY_BUSY')];
    expect(noOriginLeft(failures)?.message).toContain('RELAY_PAIR_REFUSED, RELAY_BUSY');
  });

  it('a reason that all of them have is reported as it is', () => {
    const refused = [failure('RELAY_PAIR_REFUSED'), failure('RELAY_PAIR_REFUSED')];
    expect(noOriginLeft(refused)).toBe(refused[0]);
    const unsupported = [new UpgradeUnsupportedError('one'), new UpgradeUnsupportedError('two')];
    expect(noOriginLeft(unsupported)).toBe(unsupported[0]);
  });
});
