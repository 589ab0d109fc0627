import { fieldValue, withoutFields } from '@relay/fields';
import { Exchange, isSafeMethod, type ExchangeEvents } from '@relay/http';
import type { RequestHead } from '@relay/protocol';

import type { RequestTrace } from '../traces/tracer.js';
import { withClientName } from './client-name.js';
import { withForwardedFields, withoutFieldsForRelays } from './forwarded-headers.js';
import { LocationRewriter } from './location-rewriter.js';
import { RewrittenResponse } from './rewritten-response.js';
import { TracedExchange } from './traced-exchange.js';
import type { UpstreamConnections } from './upstream-connections.js';
import { upstreamFields, type Requester } from './upstream-fields.js';
import { UpstreamHost } from './upstream-host.js';
import type { UpstreamSettings } from './upstream-settings.js';

const CONTENT_LENGTH = 'content-length';
/** Methods whose requests state the length of their body even if it is empty. RFC 9110 section 8.6. */
const METHODS_WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);

/** A buffered body is sent in slices of this size. */
const SLICE_BYTES = 65_536;

/** What only some requests have. */
interface SendOptions {
  /** The protocol to ask for, if an upgrade is wanted. */
  readonly upgrade?: string | undefined;
  /** The trace that the call of the upstream belongs to. */
  readonly trace?: RequestTrace | undefined;
}

/** The upstream of one tenant: a fixed host and port, whatever a message names. */
export class UpstreamClient {
  private readonly host: UpstreamHost;
  private readonly locations: LocationRewriter | undefined;

  constructor(
    private readonly settings: UpstreamSettings,
    private readonly connections: UpstreamConnections,
  ) {
    this.host = new UpstreamHost(settings);
    this.locations = settings.rewriteLocation ? new LocationRewriter(settings) : undefined;
  }

  /**
   * Sends one request. What becomes of it is reported as events. It is sent twice only if its method is safe and the connection
   * was lost before any response, as kept connections are that the upstream closes.
   *
   * @param body - has the length that the head states, or fails before it ends. If the head states no length, the body is sent
   *   chunked, whatever the method, because the upstream would read an unframed body as a second request
   * @param requester - decides which of the configured fields the request has
   */
  send(
    untraced: RequestHead,
    body: Buffer | AsyncIterable<Buffer> | undefined,
    requester: Requester,
    events: ExchangeEvents,
    { upgrade, trace }: SendOptions = {},
  ): Exchange {
    const call = trace?.call(untraced.method, this.settings.upstreamOrigin);
    const head =
      call === undefined ? untraced : { ...untraced, fields: call.fieldsOf(untraced.fields) };
    const traced =
      call === undefined || trace?.isRecorded !== true
        ? undefined
        : new TracedExchange(events, call);
    const exchange = new Exchange(
      {
        responseTimeoutMs: this.settings.responseTimeoutMs,
        idleTimeoutMs: this.settings.idleTimeoutMs,
      },
      this.translated(traced ?? events, head, requester),
    );
    const sentBody = Buffer.isBuffer(body) && !isSentWhole(head, body) ? slicesOf(body) : body;
    const isStreamed = sentBody !== undefined && !Buffer.isBuffer(sentBody);
    // An upgraded connection is not kept.
    const connections = upgrade === undefined ? this.connections.kept : this.connections.fresh;
    exchange.start(connections, {
      origin: this.settings.upstreamOrigin,
      method: head.method,
      path: this.settings.upstreamBasePath + head.path,
      headers: [
        ...this.hostField(head, requester),
        ...this.headersOf(head, body !== undefined, requester),
      ],
      body: sentBody,
      fresh: upgrade === undefined ? this.connections.fresh : undefined,
      mayRunTwice: isSafeMethod(head.method) && !isStreamed && upgrade === undefined,
      upgrade,
    });
    if (traced !== undefined) {
      traced.exchange = exchange;
    }
    return exchange;
  }

  /** What the last attempt to connect showed. Reading it does not contact the upstream. */
  get state(): 'unknown' | 'reachable' | 'unreachable' {
    return this.connections.state;
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
    const described = this.settings.forwardedHeaders
      ? withForwardedFields(head, this.host.believed(head, requester))
      : withoutFieldsForRelays(head);
    const translated = this.locations?.inFields(described, head, requester) ?? described;
    const configured = upstreamFields(translated, this.settings, requester);
    const fields = withClientName(configured, head, this.settings.forwardClient, requester);
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
 * the response timeout begins when the last slice has been taken.
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
