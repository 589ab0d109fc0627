import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { fieldValue, withReplacedFields, withoutFields } from '@relay/fields';
import { RelayConfig } from '@relay/config';
import { Exchange, type ExchangeEvents } from '@relay/http';
import type { RequestHead } from '@relay/protocol';
import { Pool } from 'undici';

import { RelayMetrics } from '../telemetry/relay-metrics.js';
import { connectorThatTellsResets } from './reset-connector.js';

const CONTENT_LENGTH = 'content-length';
/** A whole head may be 64 KiB; undici counts names and values. */
const MAX_RESPONSE_HEADER_BYTES = 65_536;
/** Methods whose requests have a body even when it is empty. RFC 9110 section 8.6. */
const METHODS_WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);

const SLICE_BYTES = 65_536;

/** The one upstream of this relay: a fixed host and port, whatever a message asks for. */
@Injectable()
export class UpstreamClient implements OnApplicationShutdown {
  private readonly pool: Pool;
  private lastSeen: 'unknown' | 'reachable' | 'unreachable' = 'unknown';

  constructor(
    private readonly config: RelayConfig,
    metrics: RelayMetrics,
  ) {
    this.pool = new Pool(config.upstreamOrigin, {
      connect: connectorThatTellsResets(config.connectTimeoutMs),
      maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
      pipelining: 1,
    });
    this.pool.on('connect', () => {
      this.lastSeen = 'reachable';
    });
    this.pool.on('connectionError', () => {
      this.lastSeen = 'unreachable';
    });
    metrics.openSockets.observe(() => this.pool.stats.connected, 'upstream');
  }

  /**
   * Sends one request; what becomes of it arrives as events. Never sent twice.
   *
   * @param body - as long as the head states, or it ends in an error before that; where the head states nothing it goes
   *   out chunked, whatever the method, as an unframed body would be read as a second request
   */
  send(
    head: RequestHead,
    body: Buffer | AsyncIterable<Buffer> | undefined,
    events: ExchangeEvents,
  ): Exchange {
    const exchange = new Exchange(
      {
        responseTimeoutMs: this.config.responseTimeoutMs,
        idleTimeoutMs: this.config.idleTimeoutMs,
      },
      events,
    );
    exchange.start(this.pool, {
      origin: this.config.upstreamOrigin,
      method: head.method,
      path: this.config.upstreamBasePath + head.path,
      headers: this.headersOf(head, body !== undefined),
      body: Buffer.isBuffer(body) && !isSentWhole(head, body) ? slicesOf(body) : body,
    });
    return exchange;
  }

  /** What became of the last attempt to connect to it; nobody is asked. */
  get state(): 'unknown' | 'reachable' | 'unreachable' {
    return this.lastSeen;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.destroy();
  }

  private headersOf(head: RequestHead, hasBody: boolean): string[] {
    const fields = withReplacedFields([...head.fields], this.config.headers);
    if (hasBody || fieldValue(fields, CONTENT_LENGTH) === undefined) {
      const lacksLength = !hasBody && METHODS_WITH_BODY.has(head.method);
      return lacksLength ? [...fields, CONTENT_LENGTH, '0'] : fields;
    }
    // A message without a body that states another length would leave the upstream waiting.
    return fieldValue(fields, CONTENT_LENGTH) === '0'
      ? fields
      : withoutFields(fields, new Set([CONTENT_LENGTH]));
  }
}

/**
 * undici frames a Buffer by its own length, which a body whose head states none must not have. A larger one is cut, so
 * that an upstream which reads slowly is seen to read, and the answer is waited for from when the last slice was taken.
 */
function isSentWhole({ fields }: RequestHead, body: Buffer): boolean {
  return body.length <= SLICE_BYTES && fieldValue(fields, CONTENT_LENGTH) !== undefined;
}

// eslint-disable-next-line @typescript-eslint/require-await
async function* slicesOf(body: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < body.length; at += SLICE_BYTES) {
    yield body.subarray(at, at + SLICE_BYTES);
  }
}
