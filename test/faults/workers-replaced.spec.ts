import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { RelayConfig } from '@relay/config';
import { describe, expect, it } from 'vitest';

import { samplesOf } from '../support/relays/admin.js';
import { startCountingUpstream } from '../support/upstreams/counting-upstream.js';
import { startProcessTunnel } from '../support/tunnels/process-tunnel.js';
import { startRelayProcess, type RelayProcess } from '../support/processes/relay-process.js';
import { SECRET, TOKEN } from '../support/relays/relay.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startLoad } from '../support/clients/steady-load.js';
import { temporaryFolder } from '../support/lifecycle/temporary-folder.js';
import { childrenOf, isAlive, twoWorkers, workersUp } from '../support/processes/workers.js';

const START_LIMIT_MS = 30_000;
/** Two workers are replaced in turn, and each waits for connections that other relays may still use. */
const RENEWAL_LIMIT_MS = 60_000;
const PER_SECOND = 40;
const REQUESTS = 20;
const OK = 'mte_relay_requests_total{role="inbound",code="ok"}';

const environment = await twoWorkers();

/** Resolves with the pid of a new worker once it is listening. */
const newcomer = async ({ log }: RelayProcess, before: readonly number[]): Promise<number> => {
  const isNew = (pid: unknown): boolean => typeof pid === 'number' && !before.includes(pid);
  const line = await log.find(
    ({ msg, pid }) => msg === 'relay is listening' && isNew(pid),
    START_LIMIT_MS,
  );
  return Number(line['pid']);
};

const endsIn = ({ log }: RelayProcess) =>
  log.items.filter(({ msg }) => msg === 'a worker ended unexpectedly');

/** The smallest number of workers that were listening at any time after the start. */
const fewestListening = ({ log }: RelayProcess): number => {
  const changes = log.items
    .flatMap(({ msg, time }) =>
      msg === 'relay is listening'
        ? [{ time, by: 1 }]
        : msg === 'stopping: finishing requests in progress'
          ? [{ time, by: -1 }]
          : [],
    )
    .sort((one, other) => String(one.time).localeCompare(String(other.time)) || other.by - one.by);
  let listening = 0;
  const counts = changes.map(({ by }) => (listening += by));
  return Math.min(...counts.slice(1));
};

/** A relay whose secret is in a file, which the test can make invalid and valid again. */
const startWithSecretFile = async () => {
  const folder = forThisTest(await temporaryFolder());
  const path = join(folder.path, 'secret');
  const writeSecret = (secret: string): void => {
    writeFileSync(path, secret);
  };
  writeSecret(SECRET);
  const secret = { CLIENT_ID_SECRET: '', CLIENT_ID_SECRET_FILE: path };
  const relay = forThisTest(await startRelayProcess({ ...environment, ...secret }));
  return { relay, workers: await workersUp(relay), writeSecret };
};

describe('a worker that is killed', () => {
  it('is replaced, and its metrics are kept', async () => {
    const tunnel = forThisTest(
      await startProcessTunnel(undefined, { ...environment, ADMIN_PORT: '0' }),
    );
    const { inbound } = tunnel;
    const workers = await workersUp(inbound);
    await workersUp(tunnel.outbound);
    const statuses = async (): Promise<Set<number>> => {
      const sent = Array.from({ length: REQUESTS }, () => tunnel.send());
      return new Set((await Promise.all(sent)).map(({ status }) => status));
    };
    expect(await statuses()).toEqual(new Set([200]));
    expect((await samplesOf(inbound)).get(OK)).toBe(REQUESTS);

    process.kill(workers[0]!, 'SIGKILL');

    const pid = await newcomer(inbound, workers);
    expect(childrenOf(inbound).sort()).toEqual([workers[1]!, pid].sort());
    expect(endsIn(inbound)).toEqual([
      expect.objectContaining({
        level: 50,
        pid: inbound.pid,
        worker: workers[0],
        signal: 'SIGKILL',
      }),
    ]);
    expect(await statuses()).toEqual(new Set([200]));
    expect((await samplesOf(inbound)).get(OK)).toBe(2 * REQUESTS);
  });

  it('is replaced after ever longer pauses until one of its successors starts', async () => {
    const { relay, workers, writeSecret } = await startWithSecretFile();
    writeSecret('short');

    process.kill(workers[0]!, 'SIGKILL');
    await expect.poll(() => endsIn(relay).length, { timeout: START_LIMIT_MS }).toBe(4);
    writeSecret(SECRET);
    const pid = await newcomer(relay, workers);

    const times = endsIn(relay).map(({ time }) => Date.parse(String(time)));
    const pauses = times.slice(1).map((time, at) => time - times[at]!);
    expect(pauses[0]).toBeGreaterThan(500);
    expect(pauses[1]).toBeGreaterThan(1_000);
    expect(pauses[2]).toBeGreaterThan(2_000);
    expect(childrenOf(relay).sort()).toEqual([workers[1]!, pid].sort());
    const { exitCode, stderr } = await relay.kill('SIGTERM');
    expect(exitCode).toBe(0);
    expect(stderr).toContain('CLIENT_ID_SECRET must be at least');
  });
});

describe('workers that are replaced on SIGHUP', () => {
  it('lose no request of clients or of other relays', async () => {
    const upstream = forThisTest(await startCountingUpstream());
    const [inbound, outbound] = await Promise.all([
      startRelayProcess({ ...environment, UPSTREAM: upstream.url, ADMIN_PORT: '0' }),
      startRelayProcess({ ...environment, ADMIN_PORT: '0' }),
    ]);
    const relays = [forThisTest(inbound), forThisTest(outbound)];
    const before = (await Promise.all(relays.map(workersUp))).flat();
    const load = startLoad({
      origin: outbound.url,
      headers: { 'x-mte-outbound-token': TOKEN, 'x-mte-upstream': inbound.url },
      perSecond: PER_SECOND,
    });
    await load.pass(PER_SECOND);

    for (const relay of relays) {
      process.kill(relay.pid, 'SIGHUP');
    }
    await Promise.all(
      relays.map(({ log }) =>
        log.find(({ msg }) => msg === 'workers were replaced', RENEWAL_LIMIT_MS),
      ),
    );
    await load.pass(PER_SECOND);
    const outcomes = await load.stop();

    expect(outcomes.filter(({ end }) => end !== 'completed')).toEqual([]);
    expect(before.map(isAlive)).toEqual([false, false, false, false]);
    expect(relays.map((relay) => childrenOf(relay).length)).toEqual([2, 2]);
    expect(relays.flatMap(endsIn)).toEqual([]);
    expect(relays.map(fewestListening)).toEqual([2, 2]);
    // The upstream never responds with 204, but the relay does: to the checks of sessions whose connections have ended.
    const checks = inbound.log.items.filter(
      ({ msg, status }) => msg === 'request completed' && status === 204,
    );
    // This includes the requests of workers that have ended.
    expect((await samplesOf(inbound)).get(OK)).toBe(outcomes.length + checks.length);
    expect(outcomes.map(({ id }) => upstream.executions(id))).toEqual(outcomes.map(() => 1));
  });

  it('have successors that read .env again, except for the settings that the primary uses', async () => {
    const { path: cwd } = forThisTest(await temporaryFolder());
    const write = (...lines: readonly string[]): void => {
      writeFileSync(join(cwd, '.env'), lines.join('\n'));
    };
    write('WORKERS=2', 'SHUTDOWN_DELAY_MS=5', 'SHUTDOWN_TIMEOUT_MS=20000', 'IDLE_TIMEOUT_MS=1000');
    const { REDIS_URL } = environment;
    const relay = forThisTest(await startRelayProcess({ REDIS_URL }, { cwd }));
    await workersUp(relay);
    write('WORKERS=3', 'SHUTDOWN_DELAY_MS=7', 'SHUTDOWN_TIMEOUT_MS=30000', 'IDLE_TIMEOUT_MS=2000');

    process.kill(relay.pid, 'SIGHUP');
    await relay.log.find(({ msg }) => msg === 'workers were replaced', RENEWAL_LIMIT_MS);

    const starts = () =>
      relay.log.items
        .filter(({ msg }) => msg === 'relay is listening')
        .map(({ config }) => config as Partial<RelayConfig>);
    await expect.poll(() => starts().length, { timeout: 10_000 }).toBe(4);
    expect(starts().map(({ idleTimeoutMs }) => idleTimeoutMs)).toEqual([1000, 1000, 2000, 2000]);
    for (const start of starts()) {
      expect(start).toMatchObject({ workers: 2, shutdownDelayMs: 5, shutdownTimeoutMs: 20_000 });
    }
  });

  it('stay if a new one does not start', async () => {
    const { relay, workers, writeSecret } = await startWithSecretFile();
    writeSecret('short');

    process.kill(relay.pid, 'SIGHUP');
    await relay.log.find(
      ({ msg }) => msg === 'a new worker did not start: the existing workers stay',
      START_LIMIT_MS,
    );

    expect(childrenOf(relay).sort()).toEqual([...workers].sort());
    writeSecret(SECRET);
    process.kill(relay.pid, 'SIGHUP');
    await relay.log.find(({ msg }) => msg === 'workers were replaced', RENEWAL_LIMIT_MS);
    expect(workers.map(isAlive)).toEqual([false, false]);
    expect(await relay.kill('SIGTERM')).toMatchObject({ exitCode: 0 });
  });
});
