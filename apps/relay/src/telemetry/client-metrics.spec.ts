import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';

import { ClientMetrics } from './client-metrics.js';

const start = (): { registry: Registry; metrics: ClientMetrics } => {
  const registry = new Registry();
  return { registry, metrics: new ClientMetrics(registry) };
};

const samples = async (registry: Registry): Promise<readonly string[]> =>
  (await registry.metrics()).split('\n').filter((line) => line.startsWith('mte_'));

describe('the metrics of clients', () => {
  it('count requests by client and result, from 0 on', async () => {
    const { registry, metrics } = start();
    metrics.retain(new Set(['billing']));
    metrics.count('billing', undefined);
    metrics.count('billing', undefined);
    metrics.count('billing', 'RELAY_BUSY');
    expect(await samples(registry)).toEqual([
      'mte_relay_client_requests_total{client="billing",result="ok"} 2',
      'mte_relay_client_requests_total{client="billing",result="limited"} 0',
      'mte_relay_client_requests_total{client="billing",result="error"} 1',
    ]);
    metrics.count('billing', 'RELAY_CLIENT_LIMITED');
    expect((await samples(registry))[1]).toMatch(/limited"} 1$/);
  });

  it('have labels for the clients of the directory only, also after requests of those that are gone', async () => {
    const { registry, metrics } = start();
    metrics.retain(new Set(['billing', 'orders']));
    metrics.count('billing', undefined);
    metrics.count('orders', undefined);
    metrics.retain(new Set(['orders']));
    metrics.count('billing', undefined);
    metrics.count('nobody', undefined);
    expect((await samples(registry)).join('\n')).not.toMatch(/billing|nobody/);
    expect((await samples(registry))[0]).toBe(
      'mte_relay_client_requests_total{client="orders",result="ok"} 1',
    );
  });

  it('show the next expiry of the clients that have one at this moment', async () => {
    const { registry, metrics } = start();
    const expiries = new Map([['billing', 1_900_000_000]]);
    expect(await samples(registry)).toEqual([]);
    metrics.observeExpiries(() => expiries);
    expect(await samples(registry)).toEqual([
      'mte_relay_client_token_expires_seconds{client="billing"} 1900000000',
    ]);
    expiries.clear();
    expect(await samples(registry)).toEqual([]);
  });
});
