import { startTunnel, type Tunnel } from '../tunnels/tunnel.js';
import { startCollector, type Collector } from './collector.js';
import { chainFrom } from './traced.js';

/** Credentials of the relays at their collector. */
export const COLLECTOR_TOKEN = 'token-of-the-collector';

/** Two relays that export their traces. */
export interface TracedTunnel extends Tunnel {
  readonly collector: Collector;
  /** The `traceparent` with which the API was called first. */
  forwardedParent(): string | undefined;
  /** Forgets what has been recorded so far. */
  forget(): void;
}

/** The two have paired, and the spans of that have arrived. */
export async function startTracedTunnel(): Promise<TracedTunnel> {
  const collector = await startCollector();
  const tunnel = await startTunnel({
    both: {
      ...collector.environment,
      PASS_THROUGH_ROUTES: '/open',
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${COLLECTOR_TOKEN}`,
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    },
    inbound: { MTE_ROUTES: '/,/open,/listed/*' },
  });
  await tunnel.send();
  await chainFrom(
    collector,
    ({ kind, parentSpanId, attributes }) =>
      kind === 'server' && parentSpanId === '' && attributes['mte.role'] === 'outbound',
    4,
  );
  return {
    ...tunnel,
    collector,
    forwardedParent: () => tunnel.upstream.requests.items[0]?.headers['traceparent']?.toString(),
    forget: () => {
      collector.spans.items.length = 0;
      collector.exports.items.length = 0;
      tunnel.outbound.log.items.length = 0;
      tunnel.inbound.log.items.length = 0;
      tunnel.upstream.forget();
    },
    close: async () => {
      await tunnel.close();
      await collector.close();
    },
  };
}
