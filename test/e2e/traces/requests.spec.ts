import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { request } from '../../support/clients/client.js';
import { forThisTest, sharedResources } from '../../support/lifecycle/resources.js';
import { startRelay } from '../../support/relays/relay.js';
import type { Collector } from '../../support/traces/collector.js';
import { startTracedTunnel, type TracedTunnel } from '../../support/traces/traced-tunnel.js';
import { chainFrom, chainOf, newCaller, type Caller } from '../../support/traces/traced.js';
import { IS_OVER_CHANNELS, TRANSPORT } from '../../support/tunnels/transport.js';

const shared = sharedResources();
let tunnel: TracedTunnel;
let collector: Collector;
let caller: Caller;

beforeAll(async () => {
  tunnel = shared(await startTracedTunnel());
  ({ collector } = tunnel);
});

beforeEach(() => {
  caller = newCaller();
  tunnel.forget();
});

describe('a request through both relays', () => {
  it.each(['GET', 'POST'])(
    'is one trace of four spans, whose last is what the API is called with: %s',
    async (method) => {
      await tunnel.send({
        method,
        ...(method === 'POST' ? { body: 'x' } : {}),
        headers: { traceparent: caller.traceparent, tracestate: 'vendor=1' },
      });

      const spans = await chainOf(collector, caller, 4);
      const peer = new URL(tunnel.inbound.url);
      const api = new URL(tunnel.upstream.url);
      expect(spans.map(({ kind, name, isError }) => [kind, name, isError])).toEqual(
        ['server', 'client', 'server', 'client'].map((kind) => [kind, method, false]),
      );
      const common = { 'http.request.method': method, 'http.response.status_code': 200 };
      expect(spans.map(({ attributes }) => attributes)).toEqual([
        {
          ...common,
          'network.protocol.version': '1.1',
          'mte.role': 'outbound',
          'mte.peer': tunnel.inbound.url,
          'mte.attempt': 1,
        },
        {
          ...common,
          'network.protocol.version': '1.1',
          'server.address': peer.hostname,
          'server.port': Number(peer.port),
          'mte.role': 'outbound',
          'mte.peer': tunnel.inbound.url,
          'mte.transport': TRANSPORT,
          'mte.attempt': 1,
        },
        { ...common, 'network.protocol.version': '1.1', 'mte.role': 'inbound' },
        { ...common, 'server.address': api.hostname, 'server.port': Number(api.port) },
      ]);
      expect(tunnel.forwardedParent()).toBe(`00-${caller.traceId}-${spans[3]?.spanId ?? ''}-01`);
      expect(tunnel.upstream.requests.items[0]?.headers['tracestate']).toBe('vendor=1');
      for (const [index, span] of spans.entries()) {
        expect(span.endMs).toBeGreaterThanOrEqual(span.startMs);
        expect(span.startMs).toBeGreaterThanOrEqual((spans[index - 1]?.startMs ?? 0) - 1);
      }
    },
  );

  it('is exported with the names of the relays and the fields that the collector asks for', async () => {
    await tunnel.send({ headers: { traceparent: caller.traceparent } });

    const [first, , third] = await chainOf(collector, caller, 4);
    expect(first?.resource).toMatchObject({
      'service.name': 'mte-api-relay',
      'deployment.environment.name': 'test',
    });
    expect(first?.resource['service.instance.id']).not.toBe(third?.resource['service.instance.id']);
    expect(collector.exports.items[0]).toMatchObject({
      path: '/v1/traces',
      headers: {
        authorization: 'Bearer token-of-the-collector',
        'content-type': 'application/x-protobuf',
      },
    });
  });

  it('has the id of its trace in the log of both relays, also if the trace begins here', async () => {
    await tunnel.send();

    const [first] = await chainFrom(
      collector,
      ({ parentSpanId, kind }) => parentSpanId === '' && kind === 'server',
      4,
    );
    expect(first?.attributes['mte.role']).toBe('outbound');
    const line = await tunnel.outbound.log.find(({ role }) => role === 'outbound');
    expect(line['trace_id']).toBe(first?.traceId);
    expect(
      await tunnel.inbound.log.find(({ trace_id }) => trace_id === first?.traceId),
    ).toBeDefined();
  });

  it('has a name of few, whatever method a client invents', async () => {
    await tunnel.send({ method: 'PROPFIND', headers: { traceparent: caller.traceparent } });

    for (const span of await chainOf(collector, caller, 4)) {
      expect(span).toMatchObject({
        name: 'HTTP',
        attributes: { 'http.request.method': '_OTHER' },
      });
    }
  });

  it.skipIf(IS_OVER_CHANNELS)('has a span for each attempt', async () => {
    const environment = { ...collector.environment, UPSTREAM: tunnel.upstream.url };
    const first = await startRelay(environment);
    const headers = { 'x-mte-upstream': first.url };
    await tunnel.send({ headers });
    await first.close();
    forThisTest(await startRelay({ ...environment, PORT: String(first.port) }));
    tunnel.upstream.forget();

    await tunnel.send({ headers: { ...headers, traceparent: caller.traceparent } });

    const [server] = await chainOf(collector, caller, 1);
    const attempt = (number: number) =>
      collector.spans.find(
        ({ parentSpanId, attributes }) =>
          parentSpanId === server?.spanId && attributes['mte.attempt'] === number,
      );
    expect(await attempt(1)).toMatchObject({
      kind: 'client',
      isError: true,
      attributes: { 'error.type': 'RELAY_PEER_REFUSED_MESSAGE', 'mte.forwarded': 'maybe' },
    });
    const second = await attempt(2);
    expect(second).toMatchObject({
      isError: false,
      attributes: { 'http.request.resend_count': 1, 'http.response.status_code': 200 },
    });
    const [, call] = await chainOf(collector, second, 2);
    expect(tunnel.forwardedParent()).toBe(`00-${caller.traceId}-${call?.spanId ?? ''}-01`);
  });

  it('on a pass-through route is a span of the server and one of its call', async () => {
    await request(tunnel.inbound.url, {
      path: '/open',
      headers: { traceparent: caller.traceparent },
    });

    const [server, call] = await chainOf(collector, caller, 2);
    expect(server).toMatchObject({ kind: 'server', attributes: { 'mte.role': 'pass-through' } });
    expect(call).toMatchObject({
      kind: 'client',
      attributes: { 'http.response.status_code': 200 },
    });
    expect(tunnel.forwardedParent()).toBe(`00-${caller.traceId}-${call?.spanId ?? ''}-01`);
  });
});

describe('a refused request', () => {
  it('by a guard has a span with the code', async () => {
    await tunnel.send({
      method: 'PUT',
      headers: { 'x-mte-outbound-token': 'wrong', traceparent: caller.traceparent },
    });

    const [span] = await chainOf(collector, caller, 1);
    expect(span).toMatchObject({
      kind: 'server',
      name: 'PUT',
      isError: false,
      attributes: {
        'http.response.status_code': 401,
        'error.type': 'RELAY_TOKEN_INVALID',
        'mte.code': 'RELAY_TOKEN_INVALID',
        'mte.forwarded': 'no',
      },
    });
  });

  it('by the rules of relay B has no call of the API', async () => {
    await tunnel.send({ path: '/unlisted', headers: { traceparent: caller.traceparent } });

    const [, , third] = await chainOf(collector, caller, 3);
    expect(third).toMatchObject({
      kind: 'server',
      attributes: { 'http.response.status_code': 404, 'error.type': 'RELAY_ROUTE_UNKNOWN' },
    });
    expect(collector.spans.items.filter(({ traceId }) => traceId === caller.traceId)).toHaveLength(
      3,
    );
  });

  it('that could not reach the API has the code in the span of the call', async () => {
    const inbound = forThisTest(await startRelay(collector.environment));
    await tunnel.send({
      method: 'POST',
      body: 'x',
      headers: { 'x-mte-upstream': inbound.url, traceparent: caller.traceparent },
    });

    const spans = await chainOf(collector, caller, 4);
    expect(spans[3]).toMatchObject({
      isError: true,
      attributes: { 'error.type': 'RELAY_UPSTREAM_UNREACHABLE', 'server.port': 9 },
    });
    expect(spans[3]?.attributes).not.toHaveProperty('http.response.status_code');
    expect(spans[2]).toMatchObject({
      isError: true,
      attributes: { 'mte.code': 'RELAY_UPSTREAM_UNREACHABLE', 'http.response.status_code': 502 },
    });
  });
});

describe('the calls of a relay itself', () => {
  it('are traces of their own: a pairing, and the opening of a channel', async () => {
    const inbound = forThisTest(
      await startRelay({ ...collector.environment, UPSTREAM: tunnel.upstream.url }),
    );
    await tunnel.send({
      headers: { 'x-mte-upstream': inbound.url, traceparent: caller.traceparent },
    });

    const purposes = ['pairing', ...(IS_OVER_CHANNELS ? ['opening chan'] : [])];
    for (const purpose of purposes) {
      expect(
        await collector.spans.find(({ attributes }) => attributes['mte.purpose'] === purpose),
      ).toMatchObject({
        kind: 'client',
        parentSpanId: '',
        attributes: { 'mte.peer': inbound.url },
      });
    }
    expect(
      await collector.spans.find(({ attributes }) => attributes['mte.role'] === 'pairing'),
    ).toMatchObject({ kind: 'server', name: 'POST', parentSpanId: '' });
  });
});
