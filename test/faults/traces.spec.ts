import { resolve } from 'node:path';

import { beforeEach, expect, it } from 'vitest';

import { request } from '../support/clients/client.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startRelayProcess } from '../support/processes/relay-process.js';
import { twoWorkers, workersUp } from '../support/processes/workers.js';
import type { RelayEnvironment } from '../support/relays/relay.js';
import { startCollector, type Collector } from '../support/traces/collector.js';
import { newCaller } from '../support/traces/traced.js';

const LISTING = { NODE_OPTIONS: `--require=${resolve('test/support/traces/list-modules.cjs')}` };
/** What prom-client loads, and does nothing with. */
const API = '@opentelemetry/api';
const LIMIT = { timeout: 30_000 };

const workers = await twoWorkers();
let collector: Collector;

beforeEach(async () => {
  collector = forThisTest(await startCollector());
});

/** Starts a relay, has it refuse a request, and stops it. @returns what it has loaded of OpenTelemetry */
async function loadedBy(environment: RelayEnvironment): Promise<string> {
  const relay = forThisTest(await startRelayProcess({ ...LISTING, ...environment }));
  const { traceparent } = newCaller();
  await request(relay.url, { headers: { 'x-mte-outbound-token': 'wrong', traceparent } });
  const { stderr, exitCode } = await relay.kill('SIGTERM');
  expect(exitCode).toBe(0);
  return /^loaded: ?(.*)$/m.exec(stderr)?.[1] ?? 'nothing was listed';
}

it('a relay without a collector, or told to have no traces, loads nothing of the SDK', async () => {
  expect(await loadedBy({})).toBe(API);
  expect(await loadedBy({ ...collector.environment, OTEL_SDK_DISABLED: 'true' })).toBe(API);
  expect(await loadedBy({ ...collector.environment, OTEL_TRACES_EXPORTER: 'none' })).toBe(API);
  expect(collector.exports.items).toEqual([]);
});

it('a relay with a collector loads it, and sends what is left of its spans when it stops', async () => {
  const environment = { ...collector.environment, OTEL_BSP_SCHEDULE_DELAY: '600000' };

  expect(await loadedBy(environment)).toContain('@opentelemetry/sdk-trace');
  expect(collector.spans.items).toHaveLength(1);
});

it('each of several workers exports its own spans', async () => {
  const relay = forThisTest(await startRelayProcess({ ...workers, ...collector.environment }));
  await workersUp(relay);

  await expect
    .poll(async () => {
      await request(relay.url, {
        headers: { 'x-mte-outbound-token': 'wrong', connection: 'close' },
      });
      const instances = collector.spans.items.map(
        ({ resource }) => resource['service.instance.id'],
      );
      return new Set(instances).size;
    }, LIMIT)
    .toBe(2);
});
