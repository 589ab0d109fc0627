import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

import type { StoreReport } from '@relay/session';
import { describe, expect, it } from 'vitest';

import { makeAuthority } from '../support/certificates/certificates.js';
import { closedPort } from '../support/network/listen.js';
import { startRedisCluster } from '../support/redis/redis-cluster.js';
import { sentinelPorts, startRedisSentinels } from '../support/redis/redis-sentinels.js';
import { startRedisServer } from '../support/redis/redis-server.js';
import { tlsArgs } from '../support/redis/redis-tls.js';
import { forThisTest, sharedResources } from '../support/lifecycle/resources.js';
import { connectRedis, openReadyStore, openStore, pairIn } from '../support/redis/session-store.js';

const authority = sharedResources()(makeAuthority());
const stranger = sharedResources()(makeAuthority());
const [forAddress, forName, ofRelay] = [
  authority.issue('address', 'IP:127.0.0.1'),
  authority.issue('name', 'DNS:redis.example'),
  authority.issue('relay', 'DNS:relay'),
];
const ofStranger = stranger.issue('stranger', 'DNS:relay');

const PASSWORD = 'p@ss/wörd:#1';
const CODED = encodeURIComponent(PASSWORD);

const start = async (...args: string[]) => {
  const server = await startRedisServer({ args });
  forThisTest({ close: () => server.stop() });
  return server;
};

const reasonOf = (report: StoreReport): string =>
  report.state === 'unavailable' ? report.error.message : 'none';

const firstReason = async (...args: Parameters<typeof openStore>): Promise<string> => {
  const opened = forThisTest(await openStore(...args));
  return reasonOf(await opened.reports.find());
};

describe('a Redis with a password', () => {
  it('accepts the password of the URL; a wrong or missing one is reported without being shown', async () => {
    const { port, url } = await start();
    const operator = forThisTest(connectRedis(url));
    await operator.config('SET', 'requirepass', PASSWORD);

    const { store } = forThisTest(await openReadyStore(`redis://:${CODED}@127.0.0.1:${port}`));
    await pairIn(store);
    const wrong = await firstReason(`redis://:canary@127.0.0.1:${port}`);
    expect(wrong).toContain('WRONGPASS');
    expect(wrong).not.toContain('canary');
    expect(await firstReason(url)).toContain('NOAUTH');
  });

  it('becomes available without a restart once its password is the one of the URL', async () => {
    const { port, url } = await start();
    const operator = forThisTest(connectRedis(url));
    await operator.config('SET', 'requirepass', 'before');
    const opened = forThisTest(await openStore(`redis://:${CODED}@127.0.0.1:${port}`));
    await opened.reports.find();
    await operator.config('SET', 'requirepass', PASSWORD);
    await opened.reports.find(({ state }) => state === 'available');
  });
});

describe('a Redis with users', () => {
  /** The line that operators copy. */
  const rights = (): string[] => {
    const [, line] = /^ACL SETUSER relay on >password (.*)$/m.exec(
      readFileSync('docs/configuration.md', 'utf8'),
    )!;
    return line!.split(' ');
  };

  it('needs to grant no more rights than the documentation lists', async () => {
    const { port, url } = await start();
    await forThisTest(connectRedis(url)).acl('SETUSER', 'relay', 'on', `>${PASSWORD}`, ...rights());
    const { store, health } = forThisTest(
      await openReadyStore(`redis://relay:${CODED}@127.0.0.1:${port}`),
    );
    const { sid, head } = await pairIn(store);
    expect(await store.mark(sid, { sequence: 1 }, head)).toBe('first');
    await store.kill(sid);
    await health.check();
    expect((await health.describe()).warnings).toEqual([]);
  });

  it('may deny CONFIG GET, which causes a warning', async () => {
    const { port, url } = await start();
    const operator = forThisTest(connectRedis(url));
    await operator.acl('SETUSER', 'relay', 'on', `>${PASSWORD}`, ...rights(), '-config|get');
    const { health } = forThisTest(
      await openReadyStore(`redis://relay:${CODED}@127.0.0.1:${port}`),
    );
    expect(await health.describe()).toMatchObject({
      persistence: 'unknown',
      warnings: [expect.stringContaining('CONFIG GET save')],
    });
  });

  it('is unavailable if it denies the database of the URL, and no other database is used instead', async () => {
    const { port, url } = await start();
    const operator = forThisTest(connectRedis(url));
    await operator.acl('SETUSER', 'relay', 'on', `>${PASSWORD}`, ...rights());
    const { store, reports } = forThisTest(
      await openStore(`redis://relay:${CODED}@127.0.0.1:${port}/2`),
    );
    const report = await reports.find();
    expect(report.state === 'unavailable' && String(report.error)).toContain('NOPERM');
    await expect(store.reserve('new')).rejects.toMatchObject({ code: 'RELAY_STORE_UNAVAILABLE' });
    expect(await operator.dbsize()).toBe(0);

    await operator.acl('SETUSER', 'relay', '+select');
    await reports.find(({ state }) => state === 'available');
    await store.reserve('new');
    expect(await operator.dbsize()).toBe(0);
  });

  it('is unavailable if it denies scripts, for the reason that Redis gives', async () => {
    const { port, url } = await start();
    const operator = forThisTest(connectRedis(url));
    await operator.acl('SETUSER', 'relay', 'on', `>${PASSWORD}`, '~*', '+@all', '-@scripting');
    const opened = forThisTest(await openStore(`redis://relay:${CODED}@127.0.0.1:${port}`));
    const report = await opened.reports.find();
    expect(report.state === 'unavailable' && String(report.error.cause)).toContain('NOPERM');
  });
});

it('sessions are kept in the database that the URL names', async () => {
  const { url } = await start();
  const { store } = forThisTest(await openReadyStore(`${url}/3`));
  const { key } = await pairIn(store);
  const operator = forThisTest(connectRedis(url));
  expect(await operator.exists(key)).toBe(0);
  await operator.select(3);
  expect(await operator.exists(key)).toBe(1);
});

describe('a Redis over TLS', () => {
  const startTls = async ({ cert, key } = forAddress, clients = 'no'): Promise<string> => {
    // Every test server has a plaintext port; the TLS port is an additional one.
    const port = await closedPort(createServer());
    const tls = tlsArgs({ cert, key, ca: authority.ca });
    await start(...tls, '--tls-auth-clients', clients, '--tls-port', String(port));
    return `rediss://127.0.0.1:${port}`;
  };
  const CA = { REDIS_TLS_CA_FILE: authority.ca };

  it('is trusted if the configured authority has signed its certificate', async () => {
    const { store } = forThisTest(await openReadyStore(await startTls(), CA));
    await pairIn(store);
  });

  it('is not trusted with another authority or with those of the system', async () => {
    const url = await startTls();
    expect(await firstReason(url, { REDIS_TLS_CA_FILE: stranger.ca })).toMatch(/certificate/);
    expect(await firstReason(url)).toMatch(/certificate/);
  });

  it('is not trusted with a certificate for another name', async () => {
    expect(await firstReason(await startTls(forName), CA)).toContain(
      "does not match certificate's",
    );
  });

  it('gets the certificate of this relay if it requires one', async () => {
    const url = await startTls(forAddress, 'yes');
    const own = { REDIS_TLS_CERT_FILE: ofRelay.cert, REDIS_TLS_KEY_FILE: ofRelay.key };
    const { store } = forThisTest(await openReadyStore(url, { ...CA, ...own }));
    await pairIn(store);
    expect(await firstReason(url, CA)).not.toBe('none');
    const foreign = { REDIS_TLS_CERT_FILE: ofStranger.cert, REDIS_TLS_KEY_FILE: ofStranger.key };
    expect(await firstReason(url, { ...CA, ...foreign })).not.toBe('none');
  });

  it('cannot be used in plaintext, nor a plaintext Redis over TLS', async () => {
    const url = await startTls();
    expect(await firstReason(url.replace('rediss', 'redis'))).not.toBe('none');
    const plaintext = await start();
    expect(await firstReason(plaintext.url.replace('redis', 'rediss'), CA)).not.toBe('none');
  });

  it('may be a cluster', { timeout: 60_000 }, async () => {
    const tls = { ...forAddress, ca: authority.ca };
    const cluster = forThisTest(await startRedisCluster({ tls }));
    const { store } = forThisTest(await openReadyStore(cluster.url, CA));
    for (let count = 0; count < 20; count += 1) {
      await pairIn(store);
    }
    expect(await firstReason(cluster.url, { REDIS_TLS_CA_FILE: stranger.ca })).toMatch(
      /certificate/,
    );
  });

  it(
    'may be watched by sentinels, which are queried over TLS as well',
    { timeout: 60_000 },
    async () => {
      const tls = { ...forAddress, ca: authority.ca };
      const tlsPort = async (): Promise<string> => String(await closedPort(createServer()));
      const [primary, replica] = [await tlsPort(), await tlsPort()];
      const args = ['--tls-replication', 'yes', '--repl-diskless-sync-delay', '0', ...tlsArgs(tls)];
      await start(...args, '--tls-port', primary);
      await start(...args, '--tls-port', replica, '--replicaof', `127.0.0.1 ${primary}`);
      const sentinels = forThisTest(
        await startRedisSentinels(Number(primary), {
          tls: { ...tls, ports: await sentinelPorts() },
        }),
      );
      const { store, reports } = forThisTest(await openReadyStore(sentinels.url, CA));
      await pairIn(store);
      await sentinels.failOver();
      await reports.count(3, 15_000);
      expect(await sentinels.primaryPort()).toBe(Number(replica));
      await pairIn(store);
      expect(await firstReason(sentinels.url, { REDIS_TLS_CA_FILE: stranger.ca })).toMatch(
        /certificate/,
      );
    },
  );
});
