import { expect } from 'vitest';

import { OpenSockets } from '../network/open-sockets.js';
import { samplesOf } from '../relays/admin.js';
import type { TestRelay } from '../relays/relay.js';
import { IS_OVER_CHANNELS } from './transport.js';

const STREAMS = 'mte_relay_channel_streams{role="inbound"}';

/** What is open between two relays. Create it before the first request, with an inbound relay that has ADMIN_PORT. */
export class BetweenRelays {
  /** The connections of the inbound relay. */
  readonly connections: OpenSockets;

  constructor(private readonly inbound: TestRelay) {
    this.connections = new OpenSockets(inbound.app.getHttpServer());
  }

  /** Resolves once no request is under way: no connection is left or, where channels stay open, no stream. */
  async untilNothing(): Promise<void> {
    if (IS_OVER_CHANNELS) {
      const streams = async () => (await samplesOf(this.inbound)).get(STREAMS);
      await expect.poll(streams, { timeout: 40_000 }).toBe(0);
    } else {
      await this.connections.until(0);
    }
  }
}
