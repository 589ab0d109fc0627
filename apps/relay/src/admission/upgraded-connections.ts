import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import type { JoinedEnds } from '@relay/http';

import { Places } from './places.js';

/**
 * Limits the upgraded connections of the tunnel that this process carries, both roles together, to MAX_UPGRADED_CONNECTIONS.
 * They last, so they take no places of requests.
 */
@Injectable()
export class UpgradeLimit extends Places {
  constructor(config: RelayConfig) {
    super(config.maxUpgradedConnections, 'upgraded connections');
  }
}

/** The role in which a relay carries an upgraded connection. */
export type UpgradeRole = 'outbound' | 'inbound' | 'pass-through';

/** The upgraded connections that this process carries at this moment. */
@Injectable()
export class UpgradedConnections implements OnApplicationShutdown {
  private readonly open = new Map<JoinedEnds, UpgradeRole>();

  /** How many there are, in one role or in all. */
  count(role?: UpgradeRole): number {
    const roles = [...this.open.values()];
    return role === undefined ? roles.length : roles.filter((one) => one === role).length;
  }

  /** Tracks a connection until it ends. */
  add(role: UpgradeRole, connection: JoinedEnds): void {
    this.open.set(connection, role);
    void connection.over.then(() => this.open.delete(connection));
  }

  /** Resets all of them. */
  resetAll(cause: Error): void {
    for (const connection of this.open.keys()) {
      connection.reset(cause);
    }
  }

  /** Waits for what the API has yet to read, although the channel, or the connection to the client, has ended. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.open.keys()].map(({ over }) => over));
  }
}
