import { randomUUID } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import type { Stream, StreamEvents } from '@relay/channel';
import { RelayConfig } from '@relay/config';
import type { RelayError } from '@relay/errors';
import { fieldValue } from '@relay/fields';
import { UpgradeUnsupportedError, connectionAuthRefusal } from '@relay/http';
import { decodeUpgradeRequest, type UpgradeRequest } from '@relay/protocol';

import { RequestRecord } from '../telemetry/request-record.js';
import { RequestReports } from '../telemetry/request-reports.js';
import { UpgradedReports } from '../telemetry/upgraded-reports.js';
import type { Tenant } from '../upstream/tenant.js';
import { rejectStream, type StreamOrigin } from './refused-stream.js';
import { StreamExchange } from './stream-exchange.js';
import { AskingStream, StreamUpgrade } from './stream-upgrade.js';

/** Serves the streams of channels of type `conn`, each of which asks for an upgrade. protocol.md section 11.8. */
@Injectable()
export class UpgradeReceiver {
  constructor(
    private readonly config: RelayConfig,
    private readonly upgraded: UpgradedReports,
    private readonly reports: RequestReports,
  ) {}

  /**
   * Takes the stream of a channel, whose place was taken when the channel was opened.
   *
   * @param head - of the request; not decoded
   * @returns what hears of the stream
   */
  receive(
    stream: Stream,
    head: Buffer,
    { exchange: name, peer, tenant, socket }: StreamOrigin,
  ): StreamEvents {
    const record = new RequestRecord(randomUUID(), 'inbound');
    record.exchange = `${name}.${stream.id}`;
    record.peer = peer;
    let request: UpgradeRequest;
    try {
      request = decodeUpgradeRequest(head);
    } catch (error) {
      return rejectStream(stream, error, (end) => {
        this.reports.refused(record, end, socket);
      });
    }
    this.reports.begun(record, request.head);
    const bodyBytes = Number(fieldValue(request.head.fields, 'content-length') ?? 0);
    const upgrade = new StreamUpgrade(request.protocol, stream, tenant.settings);
    const exchange = new StreamExchange(
      {
        stream,
        head: request.head,
        headBytes: head.length,
        hasBody: bodyBytes > 0,
        refusal: this.refusalOf(request, tenant),
        record,
        upgrade,
      },
      tenant.settings,
    );
    // Once the record with the head has been read, because the body usually comes in the same one.
    queueMicrotask(() => {
      void this.serve(exchange, tenant, upgrade, record).finally(() => {
        stream.release();
      });
    });
    return new AskingStream(stream, exchange, bodyBytes);
  }

  /** Why this relay responds itself, or undefined. */
  private refusalOf(
    { head, protocol }: UpgradeRequest,
    { routeRule }: Tenant,
  ): RelayError | undefined {
    const { upgradeProtocols } = this.config;
    return (
      routeRule.refusalOf(head) ??
      connectionAuthRefusal(head.fields) ??
      (upgradeProtocols.includes(protocol.toLowerCase())
        ? undefined
        : new UpgradeUnsupportedError('UPGRADE_PROTOCOLS of the inbound relay does not list it'))
    );
  }

  private async serve(
    exchange: StreamExchange,
    { upstream }: Tenant,
    upgrade: StreamUpgrade,
    record: RequestRecord,
  ): Promise<void> {
    const end = await exchange.run(upstream);
    if (end.status === undefined) {
      this.reports.cutOff(record, end);
    } else {
      this.reports.completed(record, end);
    }
    if (upgrade.ends !== undefined) {
      await this.upgraded.untilOver('inbound', upgrade.ends, record);
    }
  }
}
