import type { IncomingMessage, ServerResponse } from 'node:http';

import { Injectable } from '@nestjs/common';
import { RelayConfig, type ClientEntry } from '@relay/config';
import { ClientGoneError, UpgradeUnsupportedError, isClientGone } from '@relay/http';
import { encodeUpgradeRequest } from '@relay/protocol';

import { ClientLimits } from '../admission/client-limits.js';
import { UpgradeLimit } from '../admission/upgraded-connections.js';
import { readClientRequest } from '../client/client-request.js';
import { ClientUpgrade } from '../client/client-upgrade.js';
import type { NamedPeer } from '../peers/peer-origin.js';
import type { OfferedConnection } from '../server/upgrades.js';
import { grantOf, recordOf, type RequestRecord } from '../telemetry/request-record.js';
import { RequestReports } from '../telemetry/request-reports.js';
import { UpgradedReports } from '../telemetry/upgraded-reports.js';
import { isWhollySealed } from './encode-options.js';
import { OptionInvalidError } from './outbound.errors.js';
import { TunnelService, type TunnelRequest } from './tunnel.service.js';
import type { UpgradeForwarding } from './upgrade-forwarding.js';
import { ClientWays } from './ways/client-ways.js';

/** Sends a client's request for an upgrade through the tunnel, and then the octets of its connection. protocol.md section 11.8. */
@Injectable()
export class UpgradeService {
  constructor(
    private readonly config: RelayConfig,
    private readonly ways: ClientWays,
    private readonly tunnel: TunnelService,
    private readonly limits: ClientLimits,
    private readonly places: UpgradeLimit,
    private readonly upgraded: UpgradedReports,
    private readonly reports: RequestReports,
  ) {}

  /**
   * Forwards one request for an upgrade. Returns once its connection has ended.
   *
   * @throws as OutboundService.forward, and UpgradeUnsupportedError, all before the response has begun
   */
  async forward(
    request: IncomingMessage,
    response: ServerResponse,
    offered: OfferedConnection,
  ): Promise<void> {
    const record = recordOf(request);
    const { client } = grantOf(record);
    const peer = this.ways.of(request).peerOf(request, client);
    const upgrade = new ClientUpgrade(request, offered);
    const asked = this.read(request, upgrade.protocol, peer, client);
    const admission = this.limits.admit(client, response);
    if (admission !== undefined) {
      await admission;
      if (response.destroyed) {
        this.reports.abandoned(record, { code: 'RELAY_CLIENT_GONE' });
        return;
      }
    }
    this.places.acquire(response);
    this.reports.begun(record, asked.request.head);
    const forwarding = this.tunnel.prepareUpgrade(asked, request, response, upgrade);
    response.once('close', () => {
      forwarding.abort(new ClientGoneError('the client has gone away'));
    });
    await this.run(forwarding, record);
  }

  /** Reads the client's request and options, and whether they allow an upgrade. */
  private read(
    request: IncomingMessage,
    protocol: string,
    peer: NamedPeer,
    client: ClientEntry,
  ): TunnelRequest {
    if (peer.known.entry.transport === 'message') {
      throw new UpgradeUnsupportedError(
        'TUNNEL_TRANSPORT is message: only channels carry upgraded connections',
      );
    }
    const options = this.ways.optionsOf(request);
    if (!isWhollySealed(options)) {
      throw new OptionInvalidError(
        'an upgraded connection is neither an MTE message, nor has it plaintext copies',
      );
    }
    const added = this.ways.addedFields(request, client);
    const { head } = readClientRequest(request, this.config, added);
    return {
      peer,
      options,
      request: { head, headBytes: encodeUpgradeRequest({ head, protocol }) },
    };
  }

  private async run(forwarding: UpgradeForwarding, record: RequestRecord): Promise<void> {
    try {
      const { status, error } = await forwarding.run();
      if (error !== undefined) {
        this.reports.cutOff(record, { code: 'RELAY_PEER_CONNECTION_LOST', error });
        return;
      }
      this.reports.completed(record, { status });
    } catch (error) {
      if (!isClientGone(error)) {
        throw error;
      }
      this.reports.abandoned(record, { code: error.code });
    }
    if (forwarding.ends !== undefined) {
      await this.upgraded.untilOver('outbound', forwarding.ends, record);
    }
  }
}
