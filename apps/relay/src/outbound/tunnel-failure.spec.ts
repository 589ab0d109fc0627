import {
  BodyAbortedError,
  BodyIdleError,
  ClientGoneError,
  type ExchangeFailure,
} from '@relay/http';
import { MessageTooLongError } from '@relay/protocol';
import { describe, expect, it } from 'vitest';

import { MessageTooLargeError, RelayBusyError } from '../admission/admission.errors.js';
import { TunnelFailedError } from '../peers/peers.errors.js';
import { tunnelFailure, type FailedOutcome } from './tunnel-failure.js';

const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

const failed = (kind: ExchangeFailure['kind'], reason: Error = cause): FailedOutcome => ({
  kind: 'failed',
  failure: { kind, wasSent: true, hasHead: false, cause: reason },
});
const incomplete = (kind: ExchangeFailure['kind'], reason: Error = cause): FailedOutcome => ({
  kind: 'incomplete',
  failure: { kind, wasSent: true, hasHead: true, cause: reason },
});
const signed = (status: number): FailedOutcome => ({
  kind: 'signed-error',
  signedError: { status, isNeverForwarded: false, unixMs: 0 },
});

describe('the error that a client receives for a failed attempt', () => {
  it.each<[outcome: FailedOutcome, code: string]>([
    [failed('unreachable'), 'RELAY_PEER_UNREACHABLE'],
    [failed('connect-timeout'), 'RELAY_PEER_CONNECT_TIMEOUT'],
    [failed('response-timeout'), 'RELAY_PEER_TIMEOUT'],
    [failed('idle'), 'RELAY_PEER_STALLED'],
    [failed('reset'), 'RELAY_PEER_CONNECTION_LOST'],
    [failed('aborted'), 'RELAY_PEER_CONNECTION_LOST'],
    [failed('aborted', new BodyIdleError('silence')), 'RELAY_BODY_IDLE'],
    [failed('aborted', new MessageTooLongError('too long')), 'RELAY_MESSAGE_TOO_LONG'],
    [{ kind: 'unauthenticated', cause }, 'RELAY_PEER_ANSWER_INVALID'],
    [incomplete('reset'), 'RELAY_PEER_CONNECTION_LOST'],
    [incomplete('idle'), 'RELAY_PEER_TIMEOUT'],
    [incomplete('aborted', new MessageTooLargeError('11')), 'RELAY_PEER_ANSWER_TOO_LARGE'],
    [incomplete('aborted', new RelayBusyError('256')), 'RELAY_PEER_ANSWER_TOO_LARGE'],
    [signed(559), 'RELAY_PEER_REFUSED_MESSAGE'],
    [signed(560), 'RELAY_PEER_REFUSED_MESSAGE'],
    [signed(561), 'RELAY_PEER_REFUSED_MESSAGE'],
    [signed(562), 'RELAY_PEER_REFUSED_MESSAGE'],
    [signed(563), 'RELAY_PEER_STORE_UNAVAILABLE'],
    [signed(564), 'RELAY_BUSY'],
    [signed(565), 'RELAY_PEER_REFUSED_MESSAGE'],
    [signed(567), 'RELAY_PEER_STORE_UNAVAILABLE'],
  ])('for %j has the code %s and the given forwarded value', (outcome, code) => {
    for (const forwarded of ['no', 'maybe'] as const) {
      const error = tunnelFailure(outcome, forwarded);
      expect(error).toBeInstanceOf(TunnelFailedError);
      expect(error).toMatchObject({ code, forwarded });
    }
  });

  it.each([
    ['the client has gone away', new ClientGoneError('gone')],
    ['the body ended early', new BodyAbortedError('gone')],
  ])('is the reason of the abort itself if %s', (_name, reason) => {
    expect(tunnelFailure(failed('aborted', reason), 'maybe')).toBe(reason);
  });

  it('keeps the cause for the log', () => {
    expect(tunnelFailure(failed('reset'), 'maybe').cause).toBe(cause);
    expect(tunnelFailure({ kind: 'unauthenticated', cause }, 'maybe').cause).toBe(cause);
  });
});
