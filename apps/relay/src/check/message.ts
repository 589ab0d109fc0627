import { CodedResponseError } from '../peers/coded-response.js';
import { UnsignedStatusError } from '../peers/intermediary-response.js';
import type { Peer } from '../peers/peer.js';
import { TunnelFailedError } from '../peers/peers.errors.js';
import type { CheckResult, SessionChecker } from '../peers/session-checker.js';
import { StepFailedError, within, type Steps } from './steps.js';

/** As many, each on a connection of its own, that a load balancer has to spread them over several replicas. */
const MESSAGES = 3;

/**
 * The step message: a message of type check (protocol.md section 8), which relay B opens and marks, and to which it responds sealed,
 * and of which nothing is forwarded.
 */
export async function exchangeMessages(
  steps: Steps,
  peer: Peer,
  checker: SessionChecker,
  limitMs: number,
): Promise<void> {
  await steps.run('message', 'CHECK_MESSAGE_FAILED', async () => {
    const times = await Promise.all(
      Array.from({ length: MESSAGES }, () => exchange(peer, checker, limitMs)),
    );
    const count = `${MESSAGES} sealed messages, each on a connection of its own`;
    return { detail: `${count}; the fastest took ${Math.min(...times)} ms`, value: undefined };
  });
}

async function exchange(peer: Peer, checker: SessionChecker, limitMs: number): Promise<number> {
  const reservation = await peer.reserve();
  const startedAtMs = performance.now();
  const result = await within(limitMs, checker.check(peer.address, reservation, 'fresh'));
  if (result?.kind !== 'alive') {
    throw failureOf(result, limitMs);
  }
  return Math.round(performance.now() - startedAtMs);
}

function failureOf(
  result: Exclude<CheckResult, { kind: 'alive' }> | undefined,
  limitMs: number,
): StepFailedError {
  if (result === undefined) {
    return new StepFailedError('CHECK_MESSAGE_TIMEOUT', `no response within ${limitMs} ms`);
  }
  if (result.kind === 'gone') {
    return new StepFailedError(
      'CHECK_SESSION_LOST',
      'relay B does not know the session that it has just made: its replicas do not share a store',
    );
  }
  const { failure } = result;
  const { cause } = failure;
  if (cause instanceof UnsignedStatusError || cause instanceof CodedResponseError) {
    return new StepFailedError('CHECK_MESSAGE_BLOCKED', failure.message);
  }
  if (failure instanceof TunnelFailedError) {
    if (failure.code === 'RELAY_PEER_STORE_UNAVAILABLE') {
      return new StepFailedError('CHECK_STORE_AWAY', failure.message);
    }
    if (failure.code === 'RELAY_PEER_TIMEOUT') {
      return new StepFailedError('CHECK_MESSAGE_TIMEOUT', failure.message);
    }
  }
  return new StepFailedError('CHECK_MESSAGE_FAILED', failure.message);
}
