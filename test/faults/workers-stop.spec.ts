import { createServer } from 'node:net';
import { setInterval } from 'node:timers';

import { describe, expect, it, onTestFinished } from 'vitest';

import { request } from '../support/client.js';
import { listen } from '../support/listen.js';
import { startRelayProcess, runRelay, type RelayProcess } from '../support/relay-process.js';
import { DEFAULTS, TOKEN, type RelayEnvironment } from '../support/relay.js';
import { forThisTest } from '../support/resources.js';
import { startUpstream } from '../support/upstream.js';
import { isAlive, twoWorkers, workersUp } from '../support/workers.js';

const SIGNAL_INTERVAL_MS = 100;
/** What a relay may take to end beside what it is told. */
const END_LIMIT_MS = 12_000;

const environment = await twoWorkers();

const startWorkers = async (
  overrides: RelayEnvironment = {},
): Promise<{ relay: RelayProcess; workers: readonly number[] }> => {
  const relay = forThisTest(await startRelayProcess({ ...environment, ...overrides }));
  return { relay, workers: await workersUp(relay) };
};

/** A request on a route that is passed through, which the upstream has got and does not answer. */
const openRequest = async (overrides: RelayEnvironment) => {
  const upstream = forThisTest(await startUpstream(() => undefined));
  const PASS_THROUGH_ROUTES = '/open';
  const started = await startWorkers({ ...overrides, UPSTREAM: upstream.url, PASS_THROUGH_ROUTES });
  const answer = request(started.relay.url, { path: '/open' }).catch(() => 'broken off');
  await upstream.requests.find();
  return { ...started, upstream, answer };
};

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');

describe('a relay of two workers that is told to stop', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'ends with exit code 0 on %s, and all of its workers before it',
    async (signal) => {
      const { relay, workers } = await startWorkers();

      expect(await relay.kill(signal)).toMatchObject({ exitCode: 0, signal: null, stderr: '' });

      expect(workers.map(isAlive)).toEqual([false, false]);
      const stopped = relay.log.items.filter(({ msg }) => msg === 'stopped');
      expect(stopped.map(({ pid }) => pid).sort()).toEqual([...workers].sort());
      expect(relay.log.items.at(-1)).toMatchObject({ msg: 'all workers have ended' });
    },
  );

  it('finishes what is under way', async () => {
    const { relay, upstream, answer } = await openRequest({});
    const ended = relay.kill('SIGTERM');
    await relay.log.find(({ msg }) => msg === 'stopped');

    expect(relay.isRunning()).toBe(true);
    upstream.requests.items[0]!.message.socket.end(
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
    );

    expect(await answer).toMatchObject({ status: 200 });
    expect(await ended).toMatchObject({ exitCode: 0 });
  });

  it('ends with exit code 1 when it is told so again', async () => {
    const { relay, workers, answer } = await openRequest({ SHUTDOWN_TIMEOUT_MS: '600000' });
    const timer = setInterval(() => void relay.kill('SIGTERM'), SIGNAL_INTERVAL_MS);
    onTestFinished(() => {
      clearInterval(timer);
    });

    expect(await relay.ended).toMatchObject({ exitCode: 1, signal: null });
    expect(await answer).toBe('broken off');
    expect(workers.map(isAlive)).toEqual([false, false]);
  });

  it('kills a worker that does not end, and says so by exit code 1', async () => {
    const { relay, workers } = await startWorkers({ SHUTDOWN_TIMEOUT_MS: '100' });
    process.kill(workers[0]!, 'SIGSTOP');

    const startedAt = performance.now();
    expect(await relay.kill('SIGTERM')).toMatchObject({ exitCode: 1, signal: null });

    expect(performance.now() - startedAt).toBeLessThan(END_LIMIT_MS);
    expect(workers.map(isAlive)).toEqual([false, false]);
  });
});

describe('a relay of two workers that is killed', () => {
  it('leaves none of them behind', async () => {
    const { relay, workers } = await startWorkers();

    await relay.kill('SIGKILL');

    await expect
      .poll(() => workers.map(isAlive), { timeout: END_LIMIT_MS })
      .toEqual([false, false]);
  });
});

describe('a relay of two workers that cannot start', () => {
  it('says once what is wrong with its configuration', async () => {
    const { exitCode, stdout, stderr } = await runRelay({ ...DEFAULTS, ...environment, PORT: 'x' });

    expect(exitCode).toBe(1);
    expect(stdout).toBe('');
    expect(linesOf(stderr)).toEqual(['PORT must be an integer from 0 to 65535']);
  });

  it('says once that sessions in memory cannot be shared', async () => {
    const { exitCode, stderr } = await runRelay({ ...DEFAULTS, WORKERS: '2' });

    expect(exitCode).toBe(1);
    expect(linesOf(stderr)).toEqual([expect.stringMatching(/^WORKERS must come to 1 /)]);
  });

  it.each(['PORT', 'ADMIN_PORT'])('says once that its %s is taken', async (variable) => {
    const taken = forThisTest(await listen(createServer()));
    const { exitCode, stderr } = await runRelay({
      ...DEFAULTS,
      ...environment,
      [variable]: String(taken.port),
    });

    expect(exitCode).toBe(1);
    expect(linesOf(stderr)).toEqual([expect.stringContaining('EADDRINUSE')]);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

it('a relay of one worker is a single process, whatever it is called by', async () => {
  const relay = forThisTest(await startRelayProcess({ ...environment, WORKERS: '1' }));

  expect(relay.log.items.every((line) => line['pid'] === undefined)).toBe(true);
  expect(await request(relay.url, { headers: { 'x-mte-outbound-token': TOKEN } })).toMatchObject({
    status: 400,
  });
  expect(await relay.kill('SIGTERM')).toMatchObject({ exitCode: 0, stderr: '' });
});
