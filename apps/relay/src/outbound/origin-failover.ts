import type { RelayError } from '@relay/errors';

import type { OriginChoice, Origins } from '../peers/origin-choice.js';
import type { Peer } from '../peers/peer.js';
import { TunnelFailedError, noOriginLeft } from '../peers/peers.errors.js';
import type { RelayLog } from '../telemetry/relay-log.js';
import type { RequestRecord } from '../telemetry/request-record.js';

/** What a request needs to go on from one origin of a peer to the next. */
export interface Failover {
  readonly origins: Origins;
  readonly choice: OriginChoice;
  readonly record: RequestRecord;
  readonly log: RelayLog;
}

/**
 * Asks one origin after the other, each at most once.
 *
 * @param ask - sends the request to an origin
 * @param isUnforwarded - whether a failure of `ask` proves that nothing was forwarded, and allows that another origin is asked;
 *   if it says so wrongly, a request is executed twice
 * @returns what `ask` returns
 * @throws what `ask` throws, and RELAY_PEER_UNAVAILABLE if the origins have failed one after the other
 */
export async function askInTurn<T>(
  { origins, choice, record, log }: Failover,
  ask: (peer: Peer, hasOtherOrigin: boolean) => Promise<T>,
  isUnforwarded: (error: unknown) => error is RelayError,
): Promise<T> {
  const failures: RelayError[] = [];
  for (const peer of origins) {
    record.peer = peer.origin;
    record.exchange = undefined;
    const hasOtherOrigin = failures.length + 1 < origins.length;
    try {
      const result = await ask(peer, hasOtherOrigin);
      choice.noteServed(peer);
      return result;
    } catch (error) {
      if (!isUnforwarded(error)) {
        throw error;
      }
      failures.push(error);
      if (error instanceof TunnelFailedError) {
        choice.noteFailure(peer, error);
      }
      if (hasOtherOrigin) {
        log.debug('trying another origin of the peer', {
          requestId: record.requestId,
          peer: peer.origin,
          code: error.code,
          attempt: record.attempt,
          error,
        });
      }
    }
  }
  throw noOriginLeft(failures) ?? new Error('a peer without origins was asked');
}
