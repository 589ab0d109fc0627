import type { ServerResponse } from 'node:http';

import { Injectable } from '@nestjs/common';
import { RelayConfig } from '@relay/config';
import { deriveResponseKey } from '@relay/protocol';
import type { OpenSession } from '@relay/session';
import type { VerifiedTunnelRequest } from '@relay/signature';

import type { RequestRecord } from '../telemetry/request-record.js';
import type { RequestEnd } from '../telemetry/request-reports.js';
import { UpstreamClient } from '../upstream/upstream-client.js';
import type { ReadMessage } from './message-reader.js';
import { ResponseSealer } from './response-sealer.js';
import { UpstreamExchange } from './upstream-exchange.js';

/** Forwards messages whose sequence number has been consumed, and seals the upstream's responses. */
@Injectable()
export class UpstreamForwarder {
  constructor(
    private readonly config: RelayConfig,
    private readonly upstream: UpstreamClient,
  ) {}

  /**
   * @returns how the exchange ended, once the response has been sent or abandoned
   * @throws MessageBrokenError, ResponseUnencodableError, both before the response has begun
   */
  async forward(
    message: ReadMessage,
    { header, responseHeader }: VerifiedTunnelRequest,
    session: OpenSession,
    { record, response }: { readonly record: RequestRecord; readonly response: ServerResponse },
  ): Promise<RequestEnd> {
    const key = deriveResponseKey(session.keys, header.raw, responseHeader);
    const { config } = this;
    const exchange = new UpstreamExchange(
      message,
      response,
      config,
      record.requestId,
      (onDrain) => new ResponseSealer(key, responseHeader, response, config.idleTimeoutMs, onDrain),
    );
    const end = await exchange.run(this.upstream).finally(() => {
      record.upstreamAttempt = exchange.wasRepeated ? 2 : undefined;
    });
    record.bytesOut = exchange.sealer.bytes;
    record.sealedOut = exchange.sealer.sealedBytes;
    return end;
  }
}
