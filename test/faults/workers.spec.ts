import { beforeAll, describe, expect, it } from 'vitest';

import { adminOf, samplesOf } from '../support/relays/admin.js';
import { request } from '../support/clients/client.js';
import { deliverTo, startManInTheMiddle } from '../support/attackers/man-in-the-middle.js';
import { startProcessTunnel, type ProcessTunnel } from '../support/tunnels/process-tunnel.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { NPM_START, startRelayProcess } from '../support/processes/relay-process.js';
import { TOKEN } from '../support/relays/relay.js';
import { childrenOf, pidsOfRequests, twoWorkers, workersUp } from '../support/processes/workers.js';

const REQUESTS = 40;
const COPIES = 40;
/** Makes a log line that is longer than what a pipe writes atomically. */
const LONG_ROUTE = `/${'r'.repeat(6_000)}`;
/** Each has about 300 bytes; together they are more than the buffers between two processes. */
const LINES = 2_000;
const CONCURRENCY = 50;

/** Log lines pass through two processes. */
const LOG = { timeout: 10_000 };

const environment = await twoWorkers();
const shared = sharedResources();
let tunnel: ProcessTunnel;
let outboundWorkers: readonly number[];
let inboundWorkers: readonly number[];

beforeAll(async () => {
  tunnel = shared(
    await startProcessTunnel(undefined, {
      ...environment,
      ADMIN_PORT: '0',
      PASS_THROUGH_ROUTES: LONG_ROUTE,
    }),
  );
  outboundWorkers = await workersUp(tunnel.outbound);
  inboundWorkers = await workersUp(tunnel.inbound);
});

const send = (count: number) =>
  Promise.all(
    Array.from({ length: count }, (_, at) =>
      tunnel.send({ method: 'POST', path: `/${at}`, body: `body ${at}` }),
    ),
  );

const total = (samples: ReadonlyMap<string, number>, role: string): number =>
  samples.get(`mte_relay_requests_total{role="${role}",code="ok"}`) ?? 0;

describe('two relays with two workers each, on one Redis', () => {
  it('serve requests with all of their workers, at one address', async () => {
    const responses = await send(REQUESTS);

    expect(responses.map(({ status, body }) => `${status} ${body.toString()}`)).toEqual(
      Array.from({ length: REQUESTS }, (_, at) => `200 body ${at}`),
    );
    expect(tunnel.upstream.hits).toBe(REQUESTS);
    for (const [relay, workers] of [
      [tunnel.outbound, outboundWorkers],
      [tunnel.inbound, inboundWorkers],
    ] as const) {
      expect(workers).toHaveLength(2);
      expect(childrenOf(relay).sort()).toEqual([...workers].sort());
      await expect.poll(() => [...pidsOfRequests(relay)].sort(), LOG).toEqual([...workers].sort());
    }
  });

  it('report the metrics of both workers, whichever of them is asked', async () => {
    const before = await samplesOf(tunnel.outbound);
    const inboundBefore = await samplesOf(tunnel.inbound);
    await send(REQUESTS);

    for (let asked = 0; asked < 4; asked += 1) {
      const outbound = await samplesOf(tunnel.outbound);
      const inbound = await samplesOf(tunnel.inbound);
      expect(total(outbound, 'outbound') - total(before, 'outbound')).toBe(REQUESTS);
      expect(total(inbound, 'inbound') - total(inboundBefore, 'inbound')).toBe(REQUESTS);
      expect(outbound.get('mte_relay_store_available')).toBe(1);
      // Each worker has its own session.
      expect(outbound.get('mte_relay_peers{state="paired"}')).toBe(2);
      expect(outbound.get('mte_relay_tls_certificate_not_after_seconds')).toBe(0);
      expect(outbound.get('process_start_time_seconds')).toBeGreaterThan(1.7e9);
      expect(outbound.get('process_start_time_seconds')).toBeLessThan(Date.now() / 1000);
      expect(
        inbound.get('mte_relay_request_duration_seconds_bucket{le="+Inf",role="inbound"}'),
      ).toBe(total(inbound, 'inbound'));
    }
  });

  it('answer health checks on both ports', async () => {
    for (const origin of [tunnel.inbound.url, await adminOf(tunnel.inbound)]) {
      for (const path of ['/health/live', '/health/ready']) {
        expect(await request(origin, { path })).toMatchObject({ status: 200 });
      }
    }
  });

  it('write complete lines, however long, even if nobody reads them for a while', async () => {
    const { pid, log, url, ignoreOutput, readOutput } = tunnel.outbound;
    ignoreOutput('unread');
    for (let count = 0; count < LINES; count += CONCURRENCY) {
      await Promise.all(
        Array.from({ length: CONCURRENCY }, () =>
          request(url, { headers: { 'x-mte-outbound-token': TOKEN } }),
        ),
      );
    }
    readOutput();

    // Each line is parsed when it arrives.
    await expect
      .poll(() => log.items.filter(({ msg }) => msg === 'request refused'), LOG)
      .toHaveLength(LINES);
    const writers = new Set(log.items.map((line) => Number(line['pid'])));
    expect([...writers].sort()).toEqual([pid, ...outboundWorkers].sort());
    const starts = log.items.filter(({ msg }) => msg === 'relay is listening');
    expect(starts.map((line) => JSON.stringify(line).includes(LONG_ROUTE))).toEqual([true, true]);
    const warnings = log.items.filter(({ msg }) => msg.startsWith('OUTBOUND_ALLOWED_UPSTREAMS'));
    expect(warnings.map((line) => line['pid'])).toEqual([pid]);
  });
});

describe('a request that one worker has forwarded', () => {
  it('is refused by every worker, including that one', async () => {
    const attacker = shared(await startManInTheMiddle(tunnel.inbound.url));
    const headers = { 'x-mte-upstream': attacker.url };
    expect(await tunnel.send({ method: 'POST', body: 'one coin', headers })).toMatchObject({
      status: 200,
    });
    const [captured] = attacker.tunnelRequests();
    const hits = tunnel.upstream.hits;

    const responses = await Promise.all(
      Array.from({ length: COPIES }, () => deliverTo(tunnel.inbound.url, captured!)),
    );

    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([565]));
    expect(tunnel.upstream.hits).toBe(hits);
    const refusers = (): Set<unknown> =>
      new Set(
        tunnel.inbound.log.items
          .filter(({ code }) => code === 'RELAY_MESSAGE_REPLAYED')
          .map((line) => line['pid']),
      );
    await expect.poll(() => [...refusers()].sort(), LOG).toEqual([...inboundWorkers].sort());
    const samples = await samplesOf(tunnel.inbound);
    expect(samples.get('mte_relay_replays_refused_total{role="inbound"}')).toBe(COPIES);
  });
});

it('a relay that npm start starts has its workers', async () => {
  const relay = forThisTest(await startRelayProcess(environment, NPM_START));
  expect(await workersUp(relay)).toHaveLength(2);
  expect((await relay.kill('SIGTERM')).exitCode).toBe(0);
});
