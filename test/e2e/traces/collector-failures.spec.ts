import { createServer, type ServerResponse } from 'node:http';

import { beforeEach, describe, expect, it } from 'vitest';

import { Recorder } from '../../support/lifecycle/recorder.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { closedPort } from '../../support/network/listen.js';
import { request } from '../../support/clients/client.js';
import { startRelay, type TestRelay, type RelayEnvironment } from '../../support/relays/relay.js';
import { RelayMetrics } from '../../../apps/relay/src/telemetry/relay-metrics.js';
import { startCollector, type Collector } from '../../support/traces/collector.js';
import { startTunnel } from '../../support/tunnels/tunnel.js';

const REQUESTS = 100;
const AT_ONCE = 10;
const QUEUE = 20;
/** Of refusals to one network. */
const LINES_PER_MINUTE = 100;
/** Exports at once, each without a response. */
const LITTLE: RelayEnvironment = {
  OTEL_BSP_MAX_QUEUE_SIZE: String(QUEUE),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '5',
  OTEL_BSP_SCHEDULE_DELAY: '20',
};

let collector: Collector;

beforeEach(async () => {
  collector = forThisTest(await startCollector());
});

interface Drops {
  readonly exported: number;
  readonly queueFull: number;
  readonly failed: number;
  readonly stopped: number;
}

async function dropsOf({ app }: TestRelay): Promise<Drops> {
  const { spansExported, spansDropped } = app.get(RelayMetrics);
  const [exported] = (await spansExported.get()).values;
  const { values } = await spansDropped.get();
  const dropped = (reason: string) =>
    values.find(({ labels }) => labels.reason === reason)?.value ?? 0;
  return {
    exported: exported?.value ?? 0,
    queueFull: dropped('queue_full'),
    failed: dropped('export_failed'),
    stopped: dropped('stopped'),
  };
}

/** Sends requests through two relays of which the first is traced. @returns their statuses, without repeats, and relay A */
async function underLoad(environment: RelayEnvironment) {
  const tunnel = forThisTest(
    await startTunnel({ outbound: { ...collector.environment, ...LITTLE, ...environment } }),
  );
  const statuses = new Set<number>();
  const send = async (): Promise<void> => {
    for (let count = 0; count < REQUESTS / AT_ONCE; count += 1) {
      statuses.add((await tunnel.send()).status);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, send));
  return { statuses: [...statuses], tunnel };
}

const failing = (relay: TestRelay) =>
  relay.log.find(({ msg }) => msg.startsWith('traces cannot be exported'));

describe('a collector that does not take spans, while there is load', () => {
  it('that never responds costs no request and no more memory than the queue, and drops are counted (#120)', async () => {
    collector.respond = () => undefined;
    const { statuses, tunnel } = await underLoad({ OTEL_EXPORTER_OTLP_TIMEOUT: '600000' });

    expect(statuses).toEqual([200]);
    const { exported, queueFull } = await dropsOf(tunnel.outbound);
    // Two spans for each request, the pairing's besides them.
    expect(exported).toBe(0);
    expect(queueFull).toBeGreaterThanOrEqual(2 * REQUESTS - QUEUE);
  });

  it('that answers 500 costs no request; one line says so, and one that it is over (#119)', async () => {
    collector.respond = (response) => response.writeHead(500, 'sorry').end('sorry'.repeat(9));
    const { statuses, tunnel } = await underLoad({});
    const { outbound } = tunnel;

    expect(statuses).toEqual([200]);
    expect(await failing(outbound)).toMatchObject({ level: 40, reason: 'status 500' });
    await collector.exports.count(3);
    const { failed, exported } = await dropsOf(outbound);
    expect(failed).toBeGreaterThan(0);
    expect(exported).toBe(0);
    expect(outbound.log.items.filter(({ msg }) => msg.startsWith('traces '))).toHaveLength(1);

    collector.respond = (response) => response.end();
    await tunnel.send();
    expect(
      await outbound.log.find(({ msg }) => msg === 'traces can be exported again'),
    ).toMatchObject({ level: 30 });
    expect((await dropsOf(outbound)).exported).toBeGreaterThan(0);
    expect(JSON.stringify(outbound.log.items)).not.toContain('sorry');
  });

  it('that is not there costs no request', async () => {
    const port = await closedPort(createServer());
    const { statuses, tunnel } = await underLoad({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_TIMEOUT: '100',
    });

    expect(statuses).toEqual([200]);
    expect(await failing(tunnel.outbound)).toMatchObject({ reason: 'ECONNREFUSED' });
  });

  it('that answers garbage, or more than any collector says, costs no request', async () => {
    const answers = ['x'.repeat(1_000), Buffer.alloc(8 * 1_048_576)];
    collector.respond = (response) => response.end(answers[collector.exports.items.length % 2]);
    const { statuses } = await underLoad({});

    expect(statuses).toEqual([200]);
    await collector.exports.count(2);
  });
});

describe('a flood of refused strangers', () => {
  it('makes no more spans than log lines (#120)', async () => {
    const relay = await startRelay({ ...collector.environment, OTEL_BSP_SCHEDULE_DELAY: '600000' });
    for (let count = 0; count < LINES_PER_MINUTE + 50; count += 1) {
      await request(relay.url, { headers: { 'x-mte-outbound-token': 'wrong' } });
    }
    const lines = relay.log.items.filter(({ code }) => code === 'RELAY_TOKEN_INVALID').length;
    await relay.close();

    expect(lines).toBeLessThan(LINES_PER_MINUTE + 50);
    expect(collector.spans.items).toHaveLength(lines);
  });
});

describe('a relay that refuses more requests than it logs', () => {
  it('ends each trace that has begun: every span has its parent', async () => {
    const held = new Recorder<ServerResponse>();
    const tunnel = await startTunnel({
      both: { ...collector.environment, OTEL_BSP_SCHEDULE_DELAY: '600000' },
      inbound: { MAX_CONCURRENT_REQUESTS: '1' },
      handler: (_request, response) => {
        held.add(response);
      },
    });
    const first = tunnel.send();
    const response = await held.find();
    const count = LINES_PER_MINUTE + 50;
    for (let sent = 0; sent < count; sent += 1) {
      await tunnel.send();
    }
    const lines = tunnel.outbound.log.items.filter(({ code }) => code === 'RELAY_BUSY').length;
    response.end();
    await first;
    await tunnel.close();

    expect(lines).toBeLessThan(count);
    const spans = collector.spans.items;
    const ids = new Set(spans.map(({ spanId }) => spanId));
    const busy = (kind: string) =>
      spans.filter((span) => span.kind === kind && span.attributes['mte.code'] === 'RELAY_BUSY');
    expect(busy('client')).toHaveLength(count);
    expect(busy('server')).toHaveLength(count);
    expect(
      spans.filter(({ parentSpanId }) => parentSpanId !== '' && !ids.has(parentSpanId)),
    ).toEqual([]);
  });
});

describe('a stop', () => {
  it('sends the spans that are left', async () => {
    const tunnel = await startTunnel({
      outbound: { ...collector.environment, OTEL_BSP_SCHEDULE_DELAY: '600000' },
    });
    await tunnel.send();
    expect(collector.spans.items).toEqual([]);
    await tunnel.close();

    expect(collector.spans.items.map(({ kind }) => kind).sort()).toEqual(
      expect.arrayContaining(['client', 'server']),
    );
  });

  it('sends them all, in however many batches they wait', async () => {
    const held = new Recorder<ServerResponse>();
    const take = collector.respond;
    collector.respond = (response) => {
      // As long as one export is under way, all others wait.
      collector.respond = take;
      held.add(response);
    };
    const tunnel = await startTunnel({
      outbound: { ...collector.environment, OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '5' },
    });
    for (let sent = 0; sent < 30; sent += 1) {
      await tunnel.send();
    }
    const response = await held.find();
    const closed = tunnel.close();
    await collector.exports.count(10);
    take(response);
    await closed;

    expect(await dropsOf(tunnel.outbound)).toEqual({
      exported: collector.spans.items.length,
      queueFull: 0,
      failed: 0,
      stopped: 0,
    });
    expect(collector.spans.items.length).toBeGreaterThanOrEqual(60);
  });

  it('does not wait for a collector that never responds longer than SHUTDOWN_TIMEOUT_MS', async () => {
    collector.respond = () => undefined;
    const tunnel = await startTunnel({
      outbound: {
        ...collector.environment,
        OTEL_EXPORTER_OTLP_TIMEOUT: '600000',
        OTEL_BSP_EXPORT_TIMEOUT: '600000',
        SHUTDOWN_TIMEOUT_MS: '300',
      },
    });
    await tunnel.send();
    await collector.exports.count(1);
    await tunnel.send();
    await tunnel.close();

    expect((await dropsOf(tunnel.outbound)).stopped).toBeGreaterThan(0);
  });
});
