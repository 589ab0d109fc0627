import type { RelayConfig } from '@relay/config';

import type { PeerChannels } from '../peers/peer-channels.js';
import type { Peer } from '../peers/peer.js';
import type { RelayLog } from '../telemetry/relay-log.js';
import type { RequestRecord } from '../telemetry/request-record.js';
import type { AttemptContext } from './tunnel-attempt.js';

/** How a client's request ended, once its response had begun. */
export interface ForwardingOutcome {
  readonly status?: number;
  /** Why the response was cut off, if it was. */
  readonly error?: Error;
}

/** What one client request needs on its way. Its attempts share a part of it. */
export interface ForwardingContext extends Omit<AttemptContext, 'address' | 'response'> {
  readonly peer: Peer;
  readonly channels: PeerChannels;
  readonly record: RequestRecord;
  /** The network that the client is in. */
  readonly network: string;
  readonly config: RelayConfig;
  readonly log: RelayLog;
  /** Whether the peer has another origin that this request has not asked. */
  readonly hasOtherOrigin: boolean;
}
