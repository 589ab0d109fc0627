import type { ServerResponse } from 'node:http';

import { Injectable } from '@nestjs/common';
import { RelayError } from '@relay/errors';
import { deriveResponseKey } from '@relay/protocol';
import type { OpenSession } from '@relay/session';
import type { VerifiedTunnelRequest } from '@relay/signature';

import type { RequestRecord } from '../telemetry/request-record.js';
import type { RequestEnd } from '../telemetry/request-reports.js';
import type { Tenant } from '../upstream/tenant.js';
import type { TenantClaim } from '../upstream/tenants.service.js';
import { MessageBrokenError, PeerGoneError, ResponseUnencodableError } from './inbound.errors.js';
import type { ReadMessage } from './message-reader.js';
import { ResponseSealer } from './response-sealer.js';
import { UpstreamExchange } from './upstream-exchange.js';

/** A session, and the tenant that its peer may enter with it. */
export interface EnteredSession {
  readonly session: OpenSession;
  /** What the tenant was chosen by. */
  readonly claim: TenantClaim;
  readonly tenant: Tenant;
}

/** Forwards messages whose sequence number has been consumed, and seals the upstream's responses. */
@Injectable()
export class UpstreamForwarder {
  /**
   * @returns how the exchange ended, once the response has been sent or abandoned
   * @throws MessageBrokenError, ResponseUnencodableError, both before the response has begun
   */
  async forward(
    message: ReadMessage,
    { header, responseHeader }: VerifiedTunnelRequest,
    { session, tenant }: EnteredSession,
    { record, response }: { readonly record: RequestRecord; readonly response: ServerResponse },
  ): Promise<RequestEnd> {
    const key = deriveResponseKey(session.keys, header.raw, responseHeader);
    const { settings } = tenant;
    const sealer = new ResponseSealer(key, responseHeader, response, settings.idleTimeoutMs, () => {
      exchange.resume();
    });
    const exchange = new UpstreamExchange(message, sealer, settings, record);
    const end = await this.run(exchange, response, tenant).finally(() => {
      record.upstreamAttempt = exchange.wasRepeated ? 2 : undefined;
    });
    record.bytesOut = sealer.bytes;
    record.sealedOut = sealer.sealedBytes;
    return end;
  }

  private async run(
    exchange: UpstreamExchange,
    response: ServerResponse,
    { upstream }: Tenant,
  ): Promise<RequestEnd> {
    const onClose = (): void => {
      if (!response.writableFinished) {
        exchange.abort(new PeerGoneError('the relay that sent the message has gone away'));
      }
    };
    response.once('close', onClose);
    try {
      const end = exchange.run(upstream);
      if (response.destroyed) {
        onClose();
      }
      return await end;
    } catch (cause) {
      if (cause instanceof RelayError && !(cause instanceof ResponseUnencodableError)) {
        throw new MessageBrokenError('the message ended early or is invalid', { cause });
      }
      throw cause;
    } finally {
      response.off('close', onClose);
    }
  }
}
