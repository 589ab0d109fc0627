import type { Duplex } from 'node:stream';

import { StreamCode, type Stream, type StreamEvents } from '@relay/channel';
import { RelayStatus } from '@relay/errors';

import type { Refusal } from '../telemetry/request-reports.js';
import type { Tenant } from '../upstream/tenant.js';

/** What is known of the channel that a stream is in. */
export interface StreamOrigin {
  /** The name of the opening, the same in both relays' logs. */
  readonly exchange: string;
  readonly socket: Duplex;
  /** The tenant that its peer may enter at this moment. */
  readonly tenant: Tenant;
  /** The name of the peer; undefined if its entry has none. */
  readonly peer: string | undefined;
}

/** Nothing of a refused stream is of interest. */
const REFUSED: StreamEvents = {
  onData: () => true,
  onEnd: () => undefined,
  onDrain: () => undefined,
  onUnwanted: () => undefined,
  onFailure: () => undefined,
};

/** Ends a stream that is not served. @param code - of the reset @returns what hears of it */
export function refuseStream(stream: Stream, code: number): StreamEvents {
  stream.reset(code);
  stream.release();
  return REFUSED;
}

/** Ends a stream whose head breaks a rule. */
export function rejectStream(
  stream: Stream,
  error: unknown,
  report: (end: Refusal) => void,
): StreamEvents {
  report({ status: RelayStatus.DECODE_FAILED, code: 'RELAY_MESSAGE_UNREADABLE', error });
  return refuseStream(stream, StreamCode.PROTOCOL_ERROR);
}
