import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { certificateAt, makeAuthority } from '../support/certificates/certificates.js';
import { request } from '../support/clients/client.js';
import { mountCertificate } from '../support/certificates/mounted-certificate.js';
import { startRedisServer } from '../support/redis/redis-server.js';
import { startRelayProcess } from '../support/processes/relay-process.js';
import { forThisTest } from '../support/lifecycle/resources.js';
import { workersUp } from '../support/processes/workers.js';

const LOOPBACK = 'IP:127.0.0.1';
const CONNECTIONS = 10;
/** The files are read every second, and a change counts once it has been read twice. */
const CHANGE_LIMIT_MS = 10_000;

it('each worker starts using a new certificate', async () => {
  const authority = forThisTest(makeAuthority());
  const ca = readFileSync(authority.ca, 'utf8');
  const mount = forThisTest(mountCertificate(authority.issue('old', LOOPBACK)));
  const redis = await startRedisServer();
  forThisTest({ close: () => redis.stop() });
  const relay = forThisTest(
    await startRelayProcess({
      WORKERS: '2',
      REDIS_URL: redis.url,
      TLS_CERT_FILE: mount.cert,
      TLS_KEY_FILE: mount.key,
    }),
  );
  const workers = await workersUp(relay);
  const shown = async (): Promise<Set<string>> => {
    const connections = Array.from({ length: CONNECTIONS }, () => certificateAt(relay.port, ca));
    return new Set(await Promise.all(connections));
  };
  expect(await shown()).toEqual(new Set(['old']));

  mount.swap(authority.issue('new', LOOPBACK));

  const taken = () => relay.log.items.filter(({ msg }) => msg === 'a new certificate is in use');
  await expect.poll(() => taken().length, { timeout: CHANGE_LIMIT_MS }).toBe(workers.length);
  expect(
    taken()
      .map(({ pid }) => pid)
      .sort(),
  ).toEqual([...workers].sort());
  expect(await shown()).toEqual(new Set(['new']));
  expect(await request(relay.url, { path: '/health/ready', ca })).toMatchObject({ status: 200 });
});
