import { createServer } from 'node:net';
import { setInterval } from 'node:timers';

import { describe, expect, it, onTestFinished } from 'vitest';

import { request } from '../support/clients/client.js';
import { listen } from '../support/network/listen.js';
import {
  startRelayProcess,
  runRelay,
  type RelayProcess,
} from '../support/processes/relay-process.js';
import { DEFAULTS, TOKEN, type RelayEnvironment } from '../support/relays/relay.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startUpstream } from '../support/upstreams/upstream.js';
import { isAlive, twoWorkers, workersUp } from '../support/processes/workers.js';

const SIGNAL_INTERVAL_MS = 100;
/** A relay kills a worker that has not ended 5 s after the configured time. The rest is for a slow machine. */
const END_LIMIT_MS = 30_000;

const environment = await twoWorkers();

const startWorkers = async (
  overrides: RelayEnvironment = {},
): Promise<{ relay: RelayProcess; workers: readonly number[] }> => {
  const relay = forThisTest(await startRelayProcess({ ...environment, ...overrides }));
  return { relay, workers: await workersUp(relay) };
};

/** A request on a pass-through route, which the upstream has received and does not answer. */
const openRequest = async (overrides: RelayEnvironment) => {
  const upstream = forThisTest(await startUpstream(() => undefined));
  const PASS_THROUGH_ROUTES = '/open';
  const started = await startWorkers({ ...overrides, UPSTREAM: upstream.url, PASS_THROUGH_ROUTES });
  const response = request(started.relay.url, { path: '/open' }).catch(() => 'cut off');
  await upstream.requests.find();
  return { ...started, upstream, response };
};

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');

describe('a relay with two workers that is stopped', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'exits with code 0 on %s, after all of its workers',
    async (signal) => {
      const { relay, workers } = await startWorkers();

      expect(await relay.kill(signal)).toMatchObject({ exitCode: 0, signal: null, stderr: '' });

      expect(workers.map(isAlive)).toEqual([false, false]);
      const stopped = relay.log.items.filter(({ msg }) => msg === 'stopped');
      expect(stopped.map(({ pid }) => pid).sort()).toEqual([...workers].sort());
      const messages = relay.log.items.map(({ msg }) => msg);
      expect(messages.filter((msg) => msg === 'stopping: stopping the workers first')).toHaveLength(
        1,
      );
      expect(messages.at(-1)).toBe('all workers have stopped');
    },
  );

  it('finishes requests in progress', async () => {
    const { relay, upstream, response } = await openRequest({});
    const ended = relay.kill('SIGTERM');
    await relay.log.find(({ msg }) => msg === 'stopped');

    expect(relay.isRunning()).toBe(true);
    upstream.requests.items[0]!.message.socket.end(
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
    );

    expect(await response).toMatchObject({ status: 200 });
    expect(await ended).toMatchObject({ exitCode: 0 });
  });

  it('exits with code 1 if it is told to stop again', async () => {
    const { relay, workers, response } = await openRequest({ SHUTDOWN_TIMEOUT_MS: '600000' });
    const timer = setInterval(() => void relay.kill('SIGTERM'), SIGNAL_INTERVAL_MS);
    onTestFinished(() => {
      clearInterval(timer);
    });

    expect(await relay.ended).toMatchObject({ exitCode: 1, signal: null });
    expect(await response).toBe('cut off');
    expect(workers.map(isAlive)).toEqual([false, false]);
  });

  it('kills a worker that does not end, and exits with code 1', async () => {
    const { relay, workers } = await startWorkers({ SHUTDOWN_TIMEOUT_MS: '100' });
    process.kill(workers[0]!, 'SIGSTOP');

    const startedAt = performance.now();
    expect(await relay.kill('SIGTERM')).toMatchObject({ exitCode: 1, signal: null });

    expect(performance.now() - startedAt).toBeLessThan(END_LIMIT_MS);
    expect(workers.map(isAlive)).toEqual([false, false]);
  });
});

describe('a relay with two workers that is killed', () => {
  it('leaves no worker behind', async () => {
    const { relay, workers } = await startWorkers();

    await relay.kill('SIGKILL');

    await expect
      .poll(() => workers.map(isAlive), { timeout: END_LIMIT_MS })
      .toEqual([false, false]);
  });
});

describe('a relay with two workers that cannot start', () => {
  it('reports once what is wrong with its configuration', async () => {
    const { exitCode, stdout, stderr } = await runRelay({ ...DEFAULTS, ...environment, PORT: 'x' });

    expect(exitCode).toBe(1);
    expect(stdout).toBe('');
    expect(linesOf(stderr)).toEqual([expect.stringMatching(/^PORT /)]);
  });

  it('reports once that sessions in memory cannot be shared', async () => {
    const { exitCode, stderr } = await runRelay({ ...DEFAULTS, WORKERS: '2' });

    expect(exitCode).toBe(1);
    expect(linesOf(stderr)).toEqual([expect.stringMatching(/^WORKERS /)]);
  });

  it.each(['PORT', 'ADMIN_PORT'])('reports once that its %s is in use', async (variable) => {
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

it('a relay with one worker is a single process', async () => {
  const relay = forThisTest(await startRelayProcess({ ...environment, WORKERS: '1' }));

  expect(relay.log.items.every((line) => line['pid'] === undefined)).toBe(true);
  expect(await request(relay.url, { headers: { 'x-mte-outbound-token': TOKEN } })).toMatchObject({
    status: 400,
  });
  expect(await relay.kill('SIGTERM')).toMatchObject({ exitCode: 0, stderr: '' });
});
