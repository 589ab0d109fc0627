import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';

import { ChannelReports } from '../channels/channel-reports.js';
import { DirectoryService } from '../directory/directory.service.js';
import { DirectoryWatch } from '../directory/directory-watch.js';
import { PeersService } from '../peers/peers.service.js';
import { TenantsService } from '../upstream/tenants.service.js';

/**
 * What `/health/ready` reports for information. Never down, because neither a restart nor another replica would help; no
 * names and addresses, because the endpoint is open to everybody.
 */
@Injectable()
export class KnownState {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly peerRelays: PeersService,
    private readonly tenants: TenantsService,
    private readonly directory: DirectoryService,
    private readonly watch: DirectoryWatch,
    private readonly channelReports: ChannelReports,
  ) {}

  /** The last known state, without a call to the peers. */
  peers(): HealthIndicatorResult {
    return this.indicators.check('peers').up({ ...this.peerRelays.summary() });
  }

  /** Channels of both roles, and peers to which none could be opened. */
  channels(): HealthIndicatorResult {
    return this.indicators.check('channels').up({ ...this.channelReports.summary() });
  }

  /** The last known state, without a call to the API. */
  upstream(): HealthIndicatorResult {
    return this.indicators.check('upstream').up({ lastConnect: this.tenants.state });
  }

  /** Whether this relay accepts only what was meant for it. */
  audience(): HealthIndicatorResult {
    const { tenants } = this.directory.current.entries;
    const takesAll = tenants.some(({ audiences }) => audiences === undefined);
    return this.indicators.check('audience').up({ relayAudience: takesAll ? 'unset' : 'set' });
  }

  /** How many this relay knows, and whether RELAY_CONFIG_FILE as it is now is in use. */
  knownParties(): HealthIndicatorResult {
    const { peers, clients, tenants } = this.directory.current.entries;
    return this.indicators.check('directory').up({
      file: this.watch.state,
      peers: peers.length,
      clients: clients.length,
      tenants: tenants.length,
    });
  }
}
