import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { RelayMetrics } from '../../apps/relay/src/telemetry/relay-metrics.js';

const document = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
const rows = [...document.matchAll(/^\| `(mte_relay_\w+)` +\| (\w+) +\|/gm)].map(
  ([, name, type]) => ({ name, type }),
);

describe('docs/metrics.md', () => {
  it('lists exactly the metrics of a relay, with their types', async () => {
    const metrics = await new RelayMetrics().registry.getMetricsAsJSON();
    const own = metrics
      .filter(({ name }) => name.startsWith('mte_relay_'))
      .map(({ name, type }) => ({ name, type: String(type) }));
    expect(rows).toHaveLength(own.length);
    expect(rows).toEqual(expect.arrayContaining(own));
  });
});
