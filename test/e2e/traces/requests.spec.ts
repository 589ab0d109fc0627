import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { sharedResources } from '../../support/lifecycle/resources.js';
import { startCollector, type Collector } from '../../support/traces/collector.js';
import type { ReceivedSpan } from '../../support/traces/decode-spans.js';
import { TRANSPORT } from '../../support/tunnels/transport.js';
import { startTunnel, type Tunnel } from '../../support/tunnels/tunnel.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';
const TRACEPARENT = `00-${TRACE}-${CALLER}-01`;

const shared = sharedResources();
let collector: Collector;
let tunnel: Tunnel;

beforeAll(async () => {
  collector = shared(await startCollector());
  tunnel = shared(await startTunnel({ both: collector.environment }));
  await tunnel.send();
});

beforeEach(() => {
  collector.spans.items.length = 0;
  tunnel.upstream.forget();
});

/** The spans of a trace, from the first to the last, once there are so many. */
async function traceOf(traceId: string, count: number): Promise<ReceivedSpan[]> {
  const found: ReceivedSpan[] = [];
  let parent: string | undefined;
  while (found.length < count) {
    const span: ReceivedSpan = await collector.spans.find(
      (one) =>
        one.traceId === traceId &&
        (parent === undefined ? isFirst(one) : one.parentSpanId === parent),
    );
    found.push(span);
    parent = span.spanId;
  }
  return found;
}

const isFirst = ({ parentSpanId }: ReceivedSpan): boolean =>
  parentSpanId === CALLER || parentSpanId === '';

describe('a request through both relays', () => {
  it.each(['GET', 'POST'])(
    '%s is one trace of four spans, and the API has their context',
    async (method) => {
      await tunnel.send({
        method,
        ...(method === 'POST' ? { body: 'x' } : {}),
        headers: { traceparent: TRACEPARENT, tracestate: 'vendor=1' },
      });

      const spans = await traceOf(TRACE, 4);
      const peer = new URL(tunnel.inbound.url);
      const api = new URL(tunnel.upstream.url);
      expect(spans.map(({ kind, name, isError }) => [kind, name, isError])).toEqual(
        ['server', 'client', 'server', 'client'].map((kind) => [kind, method, false]),
      );
      expect(spans.map(({ attributes }) => attributes)).toEqual([
        {
          'http.request.method': method,
          'http.response.status_code': 200,
          'network.protocol.version': '1.1',
          'mte.role': 'outbound',
          'mte.peer': tunnel.inbound.url,
          'mte.attempt': 1,
        },
        {
          'http.request.method': method,
          'http.response.status_code': 200,
          'network.protocol.version': '1.1',
          'server.address': peer.hostname,
          'server.port': Number(peer.port),
          'mte.role': 'outbound',
          'mte.peer': tunnel.inbound.url,
          'mte.transport': TRANSPORT,
          'mte.attempt': 1,
        },
        {
          'http.request.method': method,
          'http.response.status_code': 200,
          'network.protocol.version': '1.1',
          'mte.role': 'inbound',
        },
        {
          'http.request.method': method,
          'http.response.status_code': 200,
          'server.address': api.hostname,
          'server.port': Number(api.port),
        },
      ]);
      const { headers } = tunnel.upstream.requests.items[0] ?? { headers: {} };
      expect(headers['traceparent']).toBe(`00-${TRACE}-${spans[3]?.spanId ?? ''}-01`);
      expect(headers?.['tracestate']).toBe('vendor=1');
    },
  );
});
