import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '@relay/clock';
import { RelayError } from '@relay/errors';

import { UpgradedConnections, type UpgradeHolder } from '../admission/upgraded-connections.js';
import { DirectoryService } from '../directory/directory.service.js';

/** Tokens expire without anybody changing the directory. */
const CHECK_INTERVAL_MS = 1_000;

/** The client of an upgraded connection may not use it any more. */
class RevokedError extends RelayError {
  readonly code = 'RELAY_TOKEN_INVALID';
}

/**
 * Ends upgraded connections whose client would not be admitted any more: its token was removed or has expired, its listener
 * leads elsewhere, it may not call the peer, or there is no such peer. Requests end by themselves; these connections would go
 * on for as long as their ends like.
 */
@Injectable()
export class Revocations implements OnApplicationShutdown {
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly directory: DirectoryService,
    private readonly connections: UpgradedConnections,
    @Inject(Clock) private readonly clock: Clock,
  ) {
    this.timer = setInterval(() => {
      this.check();
    }, CHECK_INTERVAL_MS).unref();
    directory.onChange(() => {
      this.check();
    });
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private check(): void {
    this.connections.resetThose('outbound', (holder) => this.reasonAgainst(holder));
  }

  private reasonAgainst({ grant, peerName = '' }: UpgradeHolder): Error | undefined {
    const { current } = this.directory;
    const client = grant === undefined ? undefined : current.clientOf(grant, this.clock.nowMs());
    if (client === undefined) {
      return new RevokedError('its client has no valid token, or no listener, any more');
    }
    const isAllowed = client.peers?.includes(peerName) !== false;
    const { listener } = grant ?? {};
    const leadsThere =
      listener === undefined || current.listeners.get(listener)?.peer.name === peerName;
    return isAllowed && leadsThere && current.peerNamed(peerName) !== undefined
      ? undefined
      : new RevokedError('its client may not call this peer any more');
  }
}
