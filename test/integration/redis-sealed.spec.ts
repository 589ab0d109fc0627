import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import {
  BLOB_BYTES,
  SessionBlobInvalidError,
  audienceHash,
  deriveSecretKeys,
  sealSessionBlob,
  type SecretKeys,
  type TunnelHeader,
} from '@relay/protocol';
import { SessionUnknownError, type SessionService } from '@relay/session';
import type { Redis } from 'ioredis';
import { beforeAll, beforeEach, expect, it } from 'vitest';

import { startRedisServer } from '../support/redis/redis-server.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { connectRedis, openReadyStore } from '../support/redis/session-store.js';

/** An attacker who reads or writes Redis learns no key and no identity, and cannot move a session (threats 19 and 20). */
const SECRET = 'canary-secret-that-both-relays-hold';
const CLIENT = 'canary-client';
const AUDIENCE = 'https://canary-audience.example';

const share = sharedResources();
let redis: Redis;
let dumpFile: string;
let sessions: SessionService;
let secretKeys: SecretKeys;
let otherSecretKeys: SecretKeys;

beforeAll(async () => {
  const server = await startRedisServer({ args: ['--rdbcompression', 'no'] });
  share({ close: () => server.stop() });
  ({ sessions } = share(await openReadyStore(server.url)));
  redis = share(connectRedis(server.url));
  dumpFile = join(server.dir, 'dump.rdb');
  secretKeys = await deriveSecretKeys(SECRET);
  otherSecretKeys = await deriveSecretKeys(`${SECRET}-2`);
});

beforeEach(async () => {
  await redis.flushall();
});

const ownerNamed = (clientId: string, keys = secretKeys) => ({
  identity: `${keys.kid}.${clientId}`,
  secretKeys: keys,
});

/** The header of a session's first message. */
const firstOf = (sid: string): TunnelHeader => ({
  raw: '',
  sid,
  sequence: 1,
  ageSeconds: 0,
  type: 'mke',
});

const save = async (owner = ownerNamed(CLIENT)) => {
  const sid = randomBytes(16).toString('base64url');
  const keys = { clientToServer: randomBytes(32), serverToClient: randomBytes(32) };
  const paired = { keys, audience: AUDIENCE };
  await sessions.save(sid, owner, paired, await sessions.reserve(sid));
  return { sid, key: `mte:s:${sid}`, keys, owner };
};

it('a dump of Redis contains no key, no secret and no identity of a session', async () => {
  const saved = await Promise.all(Array.from({ length: 20 }, () => save()));
  for (const { sid, owner } of saved) {
    const header = firstOf(sid);
    await sessions.mark(await sessions.open(header, owner), header);
  }
  await redis.save();
  const dump = readFileSync(dumpFile);
  expect(saved.every(({ key }) => dump.includes(key))).toBe(true);

  const canaries = [
    ...saved.flatMap(({ keys }) => [keys.clientToServer, keys.serverToClient]),
    ...[Buffer.from(SECRET), secretKeys.store, Buffer.from('canary')],
  ];
  for (const canary of canaries) {
    for (const form of [canary, canary.toString('hex'), canary.toString('base64url')]) {
      expect(dump.includes(form)).toBe(false);
    }
  }
});

it('a session that is moved to another id does not open there', async () => {
  const [one, other] = [await save(), await save()];
  await redis.rename(one.key, other.key);
  await expect(sessions.open(firstOf(other.sid), other.owner)).rejects.toBeInstanceOf(
    SessionBlobInvalidError,
  );
});

it('a session does not open for another client', async () => {
  const { sid } = await save();
  await expect(sessions.open(firstOf(sid), ownerNamed('another-client'))).rejects.toBeInstanceOf(
    SessionBlobInvalidError,
  );
});

it('a session does not open under another secret, even if its kid is overwritten', async () => {
  const { sid, key } = await save();
  const other = ownerNamed(CLIENT, otherSecretKeys);
  await expect(sessions.open(firstOf(sid), other)).rejects.toBeInstanceOf(SessionBlobInvalidError);
  await redis.setrange(key, 40, Buffer.from(otherSecretKeys.kid, 'hex'));
  await expect(sessions.open(firstOf(sid), other)).rejects.toBeInstanceOf(SessionBlobInvalidError);
});

it('a session that is altered anywhere does not open or is not found', async () => {
  const { sid, key, owner } = await save();
  const whole = await redis.getBuffer(key);
  for (let at = 0; at < BLOB_BYTES; at += 1) {
    const altered = Buffer.from(whole ?? []);
    // The kid names the key to try, and only that key authenticates it.
    if (at >= 40 && at < 44) {
      continue;
    }
    altered.writeUInt8(altered.readUInt8(at) ^ 1, at);
    await redis.set(key, altered);
    await expect(sessions.open(firstOf(sid), owner)).rejects.toSatisfy(
      (error) => error instanceof (at < 40 ? SessionUnknownError : SessionBlobInvalidError),
    );
  }
});

it('a session of another epoch does not open, even if its epoch is overwritten', async () => {
  const { sid, key, keys, owner } = await save();
  const epoch = await redis.getrange(key, 0, 39);
  const session = {
    keys,
    expiresAtMs: Date.now() + 60_000,
    lifetimeSeconds: 3600,
    audienceHash: audienceHash(AUDIENCE),
  };
  const older = sealSessionBlob(session, secretKeys, sid, owner.identity, 'f'.repeat(40));
  await redis.set(key, older);
  await redis.setrange(key, 0, epoch);
  await expect(sessions.open(firstOf(sid), owner)).rejects.toBeInstanceOf(SessionBlobInvalidError);
  await redis.set(key, older);
  await expect(sessions.open(firstOf(sid), owner)).rejects.toBeInstanceOf(SessionUnknownError);
});
