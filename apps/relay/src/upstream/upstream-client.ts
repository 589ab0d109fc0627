import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { fieldValue, withoutFields } from '@relay/fields';
import { RelayConfig } from '@relay/config';
import { Exchange, type ExchangeEvents } from '@relay/http';
import type { RequestHead } from '@relay/protocol';
import { Pool, type Dispatcher } from 'undici';

import { RelayMetrics } from '../telemetry/relay-metrics.js';
import { withForwardedFields, withoutClientAddress } from './forwarded-headers.js';
import { LocationRewriter } from './location-rewriter.js';
import { connectorThatReportsResets } from './reset-connector.js';
import { RewrittenResponse } from './rewritten-response.js';
import { withServerName } from './server-name.js';
import { upstreamFields, type Requester } from './upstream-fields.js';
import { UpstreamHost } from './upstream-host.js';

const CONTENT_LENGTH = 'content-length';
/** A whole head may have 64 KiB, of which undici counts the names and values. */
const MAX_RESPONSE_HEADER_BYTES = 65_536;
/** Methods whose requests state the length of their body even if it is empty. RFC 9110 section 8.6. */
const METHODS_WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);

/** A buffered body is sent in slices of this size. */
const SLICE_BYTES = 65_536;

/** The one upstream of this relay: a fixed host and port, whatever a message names. */
@Injectable()
export class UpstreamClient implements OnApplicationShutdown {
  private readonly pool: Pool;
  private readonly dispatcher: Dispatcher;
  private readonly host: UpstreamHost;
  private readonly locations: LocationRewriter | undefined;
  private lastSeen: 'unknown' | 'reachable' | 'unreachable' = 'unknown';

  constructor(
    private readonly config: RelayConfig,
    metrics: RelayMetrics,
  ) {
    this.pool = new Pool(config.upstreamOrigin, {
      connect: connectorThatReportsResets(config.connectTimeoutMs),
      maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
      pipelining: 1,
    });
    this.dispatcher =
      config.upstreamHost === 'upstream'
        ? this.pool
        : this.pool.compose(withServerName(config.upstreamOrigin));
    this.host = new UpstreamHost(config);
    this.locations = config.rewriteLocation ? new LocationRewriter(config) : undefined;
    this.pool.on('connect', () => {
      this.lastSeen = 'reachable';
    });
    this.pool.on('connectionError', () => {
      this.lastSeen = 'unreachable';
    });
    metrics.openSockets.observe(() => this.pool.stats.connected, 'upstream');
  }

  /**
   * Sends one request, and never sends it twice. What becomes of it is reported as events.
   *
   * @param body - has the length that the head states, or fails before it ends. If the head states no length, the body is sent
   *   chunked, whatever the method, because the upstream would read an unframed body as a second request
   * @param requester - decides which of the configured fields the request has
   */
  send(
    head: RequestHead,
    body: Buffer | AsyncIterable<Buffer> | undefined,
    requester: Requester,
    events: ExchangeEvents,
  ): Exchange {
    const exchange = new Exchange(
      {
        responseTimeoutMs: this.config.responseTimeoutMs,
        idleTimeoutMs: this.config.idleTimeoutMs,
      },
      this.translated(events, head, requester),
    );
    exchange.start(this.dispatcher, {
      origin: this.config.upstreamOrigin,
      method: head.method,
      path: this.config.upstreamBasePath + head.path,
      headers: [
        ...this.hostField(head, requester),
        ...this.headersOf(head, body !== undefined, requester),
      ],
      body: Buffer.isBuffer(body) && !isSentWhole(head, body) ? slicesOf(body) : body,
    });
    return exchange;
  }

  /** What the last attempt to connect showed. Reading it does not contact the upstream. */
  get state(): 'unknown' | 'reachable' | 'unreachable' {
    return this.lastSeen;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.destroy();
  }

  /** Without a host field, undici sends the host and port of the upstream. */
  private hostField(head: RequestHead, requester: Requester): string[] {
    const host = this.host.fieldFor(head, requester);
    return host === undefined ? [] : ['host', host];
  }

  private translated(
    events: ExchangeEvents,
    head: RequestHead,
    requester: Requester,
  ): ExchangeEvents {
    const { locations } = this;
    return locations === undefined
      ? events
      : new RewrittenResponse(events, (value) => locations.toClient(value, head, requester));
  }

  private headersOf(head: RequestHead, hasBody: boolean, requester: Requester): string[] {
    const described = this.config.forwardedHeaders
      ? withForwardedFields(head, this.host.believed(head, requester))
      : withoutClientAddress(head);
    const translated = this.locations?.inFields(described, head, requester) ?? described;
    const fields = upstreamFields(translated, this.config, requester);
    if (hasBody || fieldValue(fields, CONTENT_LENGTH) === undefined) {
      const lacksLength = !hasBody && METHODS_WITH_BODY.has(head.method);
      return lacksLength ? [...fields, CONTENT_LENGTH, '0'] : fields;
    }
    // If a request without a body stated any other length, the upstream would wait for a body.
    return fieldValue(fields, CONTENT_LENGTH) === '0'
      ? fields
      : withoutFields(fields, new Set([CONTENT_LENGTH]));
  }
}

/**
 * Whether a buffered body is given to undici whole. undici would add the length of a Buffer to a request whose head states
 * none, so such a body is sent in slices. So is a large body: then an upstream that reads slowly is seen to make progress, and
 * the response time-out begins when the last slice has been taken.
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
