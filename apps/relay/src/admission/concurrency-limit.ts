import { Injectable } from '@nestjs/common';
import { RelayConfig } from '@relay/config';

import { Places } from './places.js';

/** Why a request of a peer is refused that finds no place. */
export const NO_PLACE = 'as many requests as MAX_CONCURRENT_REQUESTS are under way';

/**
 * Limits the requests of the tunnel that this process forwards at the same time, both roles together, to
 * MAX_CONCURRENT_REQUESTS. Only senders with the token or the secret are counted. The relay's own endpoints and pairings need no
 * place, so a relay that is at its limit still reports its health and still pairs.
 */
@Injectable()
export class ConcurrencyLimit extends Places {
  constructor(config: RelayConfig) {
    super(config.maxConcurrentRequests, 'requests');
  }
}

/**
 * Limits the requests on PASS_THROUGH_ROUTES that this process forwards at the same time to MAX_PASS_THROUGH_REQUESTS. Anybody
 * may send them, so they have places of their own: those of the tunnel are only for senders with the token or the secret.
 */
@Injectable()
export class PassThroughLimit extends Places {
  constructor(config: RelayConfig) {
    super(config.maxPassThroughRequests, 'requests on pass-through routes');
  }
}
