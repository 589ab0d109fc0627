import { RelayStatus } from '@relay/errors';
import { MAX_CLOCK_SKEW_MS } from '@relay/protocol';

import { CodedResponseError } from '../peers/coded-response.js';
import { PairingStatusError, TunnelFailedError } from '../peers/peers.errors.js';
import type { PairingClient } from '../peers/pairing-client.js';
import type { Peer } from '../peers/peer.js';
import { refusalReason } from './early-refusal.js';
import type { Destination } from './reach.js';
import { StepFailedError, within, type StepName, type Steps } from './steps.js';

const MS_PER_SECOND = 1_000;

/** What the steps of a pairing need to know besides the peer. */
export interface PairingCircumstances {
  readonly peer: Peer;
  readonly client: PairingClient;
  readonly destination: Destination;
  /** How far the clock of relay B is ahead by the `date` of its response, in ms. */
  readonly aheadMs: number | undefined;
  readonly limitMs: number;
  /** How long the pairing itself may take. */
  readonly pairLimitMs: number;
}

/**
 * The steps secret, audience, clock, store and pairing: what relay B looks at when it is asked to pair, in its own order.
 *
 * @returns whether there is a session
 */
export async function pair(steps: Steps, circumstances: PairingCircumstances): Promise<boolean> {
  const { peer, pairLimitMs } = circumstances;
  const startedAtMs = performance.now();
  const passedMs = (): number => Math.round(performance.now() - startedAtMs);
  let failure: TunnelFailedError | undefined;
  try {
    if ((await within(pairLimitMs, peer.reserve())) === undefined) {
      const text = `no session in ${pairLimitMs} ms`;
      failure = new TunnelFailedError('RELAY_PEER_TIMEOUT', 'no', text);
    }
  } catch (error) {
    if (!(error instanceof TunnelFailedError)) {
      throw error;
    }
    failure = error;
  }
  const ms = passedMs();
  if (failure === undefined) {
    passUntil(steps, circumstances, 'pairing');
    const { client } = circumstances;
    const isCorrected = client.clockOffsetMs(peer.origin) !== undefined;
    const how = isCorrected ? 'paired after the correction' : 'paired in one round trip';
    steps.pass('pairing', `a new session, ${how}`, ms);
    return true;
  }
  await explain(steps, circumstances, failure, ms);
  return false;
}

/** Passes the steps that stand before one which relay B comes to only if it accepts what they are about. */
function passUntil(steps: Steps, circumstances: PairingCircumstances, until: StepName): void {
  const { peer } = circumstances;
  steps.pass('secret', `relay B has the secret with key id ${keyIdOf(peer)}`);
  steps.pass('audience', `relay B accepts ${peer.origin}`);
  passClock(steps, circumstances);
  if (until === 'pairing') {
    steps.pass('store', 'relay B has stored the session');
  }
}

function passClock(steps: Steps, { client, peer, aheadMs }: PairingCircumstances): void {
  const signedMs = client.clockOffsetMs(peer.origin);
  if (signedMs !== undefined) {
    steps.fail('clock', skewed(signedMs, 'it pairs after a correction, which costs a round trip'));
  } else if (aheadMs === undefined || Math.abs(aheadMs) > MAX_CLOCK_SKEW_MS) {
    // A `date` that is further off is not that of relay B.
    steps.pass('clock', `relay B takes our clock for right, within ${MAX_CLOCK_SKEW_MS} ms`);
  } else {
    const isSame = Math.abs(aheadMs) <= MS_PER_SECOND;
    const shown = isSame ? 'the clocks agree to the second' : difference(aheadMs);
    steps.pass('clock', `${shown}; the limit is ${MAX_CLOCK_SKEW_MS} ms`);
  }
}

/** Relay B refuses whoever is beyond the limit, and signs its own time. */
function skewed(signedMs: number, consequence: string): StepFailedError {
  return new StepFailedError(
    'CHECK_CLOCK_SKEW',
    `${difference(signedMs)}, more than ${MAX_CLOCK_SKEW_MS} ms: ${consequence}`,
  );
}

function difference(aheadMs: number): string {
  const direction = aheadMs > 0 ? 'ahead of' : 'behind';
  return `the clock of relay B is about ${Math.round(Math.abs(aheadMs))} ms ${direction} ours`;
}

function keyIdOf({ known }: Peer): string {
  return known.keys.current.kid;
}

async function explain(
  steps: Steps,
  circumstances: PairingCircumstances,
  failure: TunnelFailedError,
  ms: number,
): Promise<void> {
  const { code, cause, message } = failure;
  if (code === 'RELAY_PEER_STORE_UNAVAILABLE') {
    passUntil(steps, circumstances, 'store');
    steps.fail(
      'store',
      new StepFailedError('CHECK_STORE_AWAY', `${message}: it has signed that`),
      ms,
    );
    return;
  }
  if (code === 'RELAY_BUSY') {
    passUntil(steps, circumstances, 'store');
    steps.skip('store', 'not asked: relay B limits pairings first');
    const text = 'relay B has signed that this sender pairs too often';
    steps.fail('pairing', new StepFailedError('CHECK_PAIRING_LIMITED', text), ms);
    return;
  }
  if (cause instanceof PairingStatusError && cause.status === RelayStatus.SENDER_REFUSED) {
    if (cause.isSigned) {
      refusedByClock(steps, circumstances);
    } else {
      await refused(steps, circumstances);
    }
    return;
  }
  for (const step of ['secret', 'audience', 'clock', 'store'] as const) {
    steps.skip(step, 'not known: the pairing has failed before');
  }
  steps.fail('pairing', pairingFailure(failure), ms);
}

/** The second attempt of this relay, with the time that relay B had signed, was refused as well. */
function refusedByClock(steps: Steps, { peer, client }: PairingCircumstances): void {
  steps.pass('secret', `relay B has the secret with key id ${keyIdOf(peer)}`);
  steps.pass('audience', `relay B accepts ${peer.origin}`);
  const consequence = 'and a correction has not helped: the replicas of relay B may differ';
  steps.fail('clock', skewed(client.clockOffsetMs(peer.origin) ?? 0, consequence));
}

/** Relay B has not signed its refusal, as it must not for whom it does not know. */
async function refused(
  steps: Steps,
  { peer, destination, limitMs }: PairingCircumstances,
): Promise<void> {
  const keyId = keyIdOf(peer);
  // Without a connection, nothing shows.
  const reason = await refusalReason(destination, peer.known.signer, limitMs).catch(
    () => 'unknown' as const,
  );
  switch (reason) {
    case 'secret':
      steps.fail(
        'secret',
        new StepFailedError(
          'CHECK_SECRET_DIFFERS',
          `relay B knows no secret with key id ${keyId}, which is that of ours`,
        ),
      );
      break;
    case 'self':
      steps.pass('secret', `relay B has the secret with key id ${keyId}`);
      steps.fail(
        'audience',
        new StepFailedError(
          'CHECK_SENDER_SELF',
          'relay B takes this relay for itself: it is, or both have the same CLIENT_ID',
        ),
      );
      break;
    case 'audience':
      steps.pass('secret', `relay B has the secret with key id ${keyId}`);
      steps.fail(
        'audience',
        new StepFailedError('CHECK_AUDIENCE_REFUSED', `relay B does not accept ${peer.origin}`),
      );
      break;
    case 'unknown':
      steps.fail(
        'secret',
        new StepFailedError(
          'CHECK_SECRET_OR_AUDIENCE',
          `relay B refuses, and cannot say why: the secret differs (key id of ours: ${keyId}), or it does not accept ${peer.origin}`,
        ),
      );
  }
}

function pairingFailure({ code, cause, message }: TunnelFailedError): StepFailedError {
  const text = cause instanceof Error ? `${message} (${cause.message})` : message;
  if (cause instanceof CodedResponseError) {
    return new StepFailedError('CHECK_PAIRING_CHANGED', cause.message);
  }
  if (cause instanceof PairingStatusError) {
    return cause.status === RelayStatus.HEADER_MISSING
      ? new StepFailedError('CHECK_PAIRING_BLOCKED', 'the x-mte-* fields do not arrive at relay B')
      : new StepFailedError('CHECK_PAIRING_BLOCKED', text);
  }
  if (code === 'RELAY_PEER_TIMEOUT') {
    return new StepFailedError('CHECK_PAIRING_TIMEOUT', text);
  }
  return code === 'RELAY_PAIR_REFUSED'
    ? new StepFailedError(
        'CHECK_PAIRING_CHANGED',
        `what came is not the response of relay B (${text})`,
      )
    : new StepFailedError('CHECK_PAIRING_FAILED', text);
}
