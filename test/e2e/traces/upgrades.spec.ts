import { once } from 'node:events';

import { expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

import { forThisTest } from '../../support/lifecycle/resources.js';
import { startStrippingProxy } from '../../support/network/stripping-proxy.js';
import { startCollector } from '../../support/traces/collector.js';
import { chainOf, newCaller } from '../../support/traces/traced.js';
import { startUpgradeTunnel } from '../../support/tunnels/upgrade-tunnel.js';

it('a WebSocket is one trace that ends with the 101, and its connection is a span of each relay', async () => {
  const collector = forThisTest(await startCollector());
  const server = new WebSocketServer({ noServer: true });
  const tunnel = forThisTest(
    await startUpgradeTunnel(
      ({ message, socket, head }) => {
        server.handleUpgrade(message, socket, head, (webSocket) => {
          webSocket.on('message', () => {
            webSocket.close();
          });
        });
      },
      { both: collector.environment },
    ),
  );
  const caller = newCaller();
  const client = new WebSocket(tunnel.outbound.url.replace('http', 'ws'), {
    headers: { ...tunnel.clientHeaders, traceparent: caller.traceparent },
  });
  await once(client, 'open');

  const spans = await chainOf(collector, caller, 4);
  expect(spans.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    'server GET',
    'client GET',
    'server GET',
    'client GET',
  ]);
  for (const { attributes } of spans) {
    expect(attributes['http.response.status_code']).toBe(101);
  }
  expect(spans[1]?.attributes['mte.transport']).toBe('channel');
  const [upgrade] = tunnel.upgrades.items;
  expect(upgrade?.message.headers['traceparent']).toBe(
    `00-${caller.traceId}-${spans[3]?.spanId ?? ''}-01`,
  );
  expect(
    await collector.spans.find(({ attributes }) => attributes['mte.purpose'] === 'opening conn'),
  ).toMatchObject({ kind: 'client', attributes: { 'http.response.status_code': 101 } });

  client.send('end');
  for (const [parent, role] of [
    [spans[0], 'outbound'],
    [spans[2], 'inbound'],
  ] as const) {
    const connection = await collector.spans.find(
      ({ kind, parentSpanId }) => kind === 'internal' && parentSpanId === parent?.spanId,
    );
    expect(connection).toMatchObject({
      name: 'upgraded connection',
      isError: false,
      attributes: { 'mte.role': role },
    });
    expect(connection.endMs).toBeGreaterThanOrEqual(parent?.endMs ?? Infinity);
  }
});

it('an opening that fails has an error code of the relay, the kind of its failure, and the status of a response', async () => {
  const collector = forThisTest(await startCollector());
  const tunnel = forThisTest(
    await startUpgradeTunnel(() => undefined, { outbound: collector.environment }),
  );
  const proxy = forThisTest(await startStrippingProxy(tunnel.inbound.port));
  const open = async (peer: string): Promise<void> => {
    const client = new WebSocket(tunnel.outbound.url.replace('http', 'ws'), {
      headers: { ...tunnel.clientHeaders, 'x-mte-upstream': peer },
    });
    await once(client, 'error');
  };
  const failed = (kind: string) =>
    collector.spans.find(({ attributes }) => attributes['mte.opening_failure'] === kind);

  await open(proxy.url);
  expect(await failed('no-channels')).toMatchObject({
    isError: true,
    attributes: {
      'mte.purpose': 'opening conn',
      'mte.code': 'RELAY_CHANNEL_UNAVAILABLE',
      'error.type': 'RELAY_CHANNEL_UNAVAILABLE',
      'http.response.status_code': expect.any(Number) as number,
    },
  });

  await tunnel.send();
  await tunnel.inbound.close();
  await open(tunnel.inbound.url);
  const unreached = await failed('unreached');
  expect(unreached.attributes).toMatchObject({ 'mte.code': 'RELAY_PEER_UNREACHABLE' });
  expect(unreached.attributes).not.toHaveProperty('http.response.status_code');
});
