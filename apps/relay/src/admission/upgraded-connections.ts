import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { RelayConfig, type Grant } from '@relay/config';
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

/** Who has an upgraded connection: the client that was admitted and the peer that it named, or the tenant that anybody reaches. */
export interface UpgradeHolder {
  readonly grant: Grant | undefined;
  readonly peerName: string | undefined;
  readonly tenant: string | undefined;
}

/** The upgraded connections that this process carries at this moment. */
@Injectable()
export class UpgradedConnections implements OnApplicationShutdown {
  private readonly open = new Map<
    JoinedEnds,
    { readonly role: UpgradeRole; readonly holder: UpgradeHolder }
  >();

  /** How many there are, in one role or in all. */
  count(role?: UpgradeRole): number {
    const all = [...this.open.values()];
    return role === undefined ? all.length : all.filter((one) => one.role === role).length;
  }

  /** Tracks a connection until it ends. @param holder - as it was admitted */
  add(role: UpgradeRole, connection: JoinedEnds, holder: UpgradeHolder): void {
    this.open.set(connection, { role, holder });
    void connection.over.then(() => this.open.delete(connection));
  }

  /** Resets those of a role for which there is a reason. */
  resetThose(role: UpgradeRole, reasonFor: (holder: UpgradeHolder) => Error | undefined): void {
    for (const [connection, one] of this.open) {
      const reason = one.role === role ? reasonFor(one.holder) : undefined;
      if (reason !== undefined) {
        connection.reset(reason);
      }
    }
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
