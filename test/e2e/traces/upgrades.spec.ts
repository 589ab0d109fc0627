import { once } from 'node:events';

import { expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

import { forThisTest } from '../../support/lifecycle/resources.js';
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
  for (const parent of [spans[0], spans[2]]) {
    const connection = await collector.spans.find(
      ({ kind, parentSpanId }) => kind === 'internal' && parentSpanId === parent?.spanId,
    );
    expect(connection).toMatchObject({ name: 'upgraded connection', isError: false });
    expect(connection.endMs).toBeGreaterThanOrEqual(parent?.endMs ?? Infinity);
  }
});
