import { describe, expect, it } from 'vitest';

import { request } from '../support/clients/client.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { startRelayProcess, type RelayProcess } from '../support/processes/relay-process.js';
import { childrenOf, twoWorkers, workersUp } from '../support/processes/workers.js';
import {
  clientWith,
  createDirectoryFile,
  type DirectoryContent,
} from '../support/relays/mounted-directory.js';
import { newSecret } from '../support/tunnels/directory-tunnel.js';

const CHANGE_LIMIT_MS = 10_000;
const START_LIMIT_MS = 60_000;
const REQUESTS = 20;
const REPLACED = 'the directory was replaced';
const REFUSED = 'the new directory cannot be used: the previous one stays in use';

const environment = await twoWorkers();

/** Nothing listens there: whether a client is admitted shows all the same. */
const withClients = (...names: readonly string[]): DirectoryContent => ({
  peers: { payments: { origins: ['http://127.0.0.1:9'], secret: { file: 'payments' } } },
  clients: Object.fromEntries(names.map((name) => [name, clientWith(name, 'payments')])),
});
const BAD = { ...withClients('billing'), tenants: { 'no origin': {} } };

/** A relay whose clients are in a file. */
const start = async (overrides: Readonly<Record<string, string>>) => {
  const file = forThisTest(
    await createDirectoryFile(withClients('billing'), { payments: newSecret() }),
  );
  const relay = forThisTest(
    await startRelayProcess({
      UPSTREAM: '',
      CLIENT_ID_SECRET: '',
      OUTBOUND_TOKEN: '',
      RELAY_CONFIG_FILE: file.path,
      ...overrides,
    }),
  );
  return { file, relay };
};

/** The processes that have logged a message. */
const pidsOf = ({ log }: RelayProcess, message: string): number[] =>
  log.items.filter(({ msg }) => msg === message).map(({ pid }) => Number(pid));

/** Of many requests, each on a connection of its own: which workers serve them is up to the system. */
const admits = async ({ url }: RelayProcess, token: string): Promise<boolean[]> => {
  const headers = { 'x-mte-outbound-token': token, 'x-mte-upstream': 'payments' };
  const sent = Array.from({ length: REQUESTS }, () => request(url, { headers }));
  return [...new Set((await Promise.all(sent)).map(({ status }) => status !== 401))];
};

describe('a relay with workers', () => {
  it('takes a change of its directory file over in every worker', async () => {
    const { file, relay } = await start(environment);
    const workers = await workersUp(relay);
    expect(await admits(relay, 'shipping')).toEqual([false]);

    file.write(withClients('shipping'));
    await expect
      .poll(() => pidsOf(relay, REPLACED).sort(), { timeout: CHANGE_LIMIT_MS })
      .toEqual([...workers].sort());

    expect(await admits(relay, 'shipping')).toEqual([true]);
    expect(await admits(relay, 'billing')).toEqual([false]);
    expect(childrenOf(relay).sort()).toEqual([...workers].sort());
  });

  it('keeps its workers on SIGHUP if the file cannot be used', async () => {
    const { file, relay } = await start(environment);
    const workers = await workersUp(relay);
    file.write(BAD);
    await expect
      .poll(() => pidsOf(relay, REFUSED).length, { timeout: CHANGE_LIMIT_MS })
      .toBeGreaterThanOrEqual(workers.length);

    process.kill(relay.pid, 'SIGHUP');
    await relay.log.find(
      ({ msg }) => msg === 'a new worker did not start: the existing workers stay',
      START_LIMIT_MS,
    );

    expect(childrenOf(relay).sort()).toEqual([...workers].sort());
    expect(await admits(relay, 'billing')).toEqual([true]);
    const { stderr } = await relay.kill('SIGTERM');
    expect(stderr).toMatch(/^relay\.yaml:\d+: tenants has a name here/m);
  });

  it('replaces a worker that ended while the file could not be used once it can be, and is there meanwhile', async () => {
    const { file, relay } = await start(environment);
    const [first, second] = await workersUp(relay);
    file.write(BAD);
    await expect
      .poll(() => pidsOf(relay, REFUSED).length, { timeout: CHANGE_LIMIT_MS })
      .toBeGreaterThanOrEqual(2);

    process.kill(first!, 'SIGKILL');
    const ends = () => pidsOf(relay, 'a worker ended unexpectedly').length;
    await expect.poll(ends, { timeout: START_LIMIT_MS }).toBeGreaterThanOrEqual(2);
    expect(await admits(relay, 'billing')).toEqual([true]);

    file.write(withClients('billing', 'shipping'));
    const listening = () => pidsOf(relay, 'relay is listening');
    await expect.poll(() => listening().length, { timeout: START_LIMIT_MS }).toBe(3);
    expect(childrenOf(relay).sort()).toEqual([second!, listening()[2]!].sort());
    await expect
      .poll(() => admits(relay, 'shipping'), { timeout: CHANGE_LIMIT_MS })
      .toEqual([true]);
  });
});

describe('a relay without workers', () => {
  it('reads its directory file again on SIGHUP, and does not end', async () => {
    const { file, relay } = await start({});
    file.write(withClients('billing', 'shipping'));
    process.kill(relay.pid, 'SIGHUP');
    await relay.log.find(({ msg }) => msg === REPLACED, CHANGE_LIMIT_MS);
    expect(await admits(relay, 'shipping')).toEqual([true]);
    expect(relay.isRunning()).toBe(true);
  });

  it('stays as it is on SIGHUP if it has no such file, and says so', async () => {
    const relay = forThisTest(await startRelayProcess());
    process.kill(relay.pid, 'SIGHUP');
    await relay.log.find(({ msg }) => msg.startsWith('told to reload'), CHANGE_LIMIT_MS);
    expect((await fetch(`${relay.url}/api/mte-echo`)).status).toBe(200);
  });
});
