import { EPOCH_BYTES } from '@relay/protocol';
import { Cluster, type Redis } from 'ioredis';

import type { StoreDescription } from './store-health.js';

const OLDEST_VERSION = [6, 2] as const;
const REPLICATION_ID = new RegExp(`^[0-9a-f]{${EPOCH_BYTES}}$`);

/** The fields of one server's reply to INFO. */
type Info = ReadonlyMap<string, string>;

/** Describes the servers behind a client, and warns about settings that weaken what the relay promises. */
export async function describeRedis(client: Redis | Cluster): Promise<StoreDescription> {
  const isCluster = client instanceof Cluster;
  const servers = isCluster ? client.nodes('master') : [client];
  const found = await Promise.all(servers.map(describeServer));
  const all = (property: 'version' | 'role' | 'persistence' | 'evictionPolicy'): string =>
    [...new Set(found.map((server) => server[property]))].join(', ');
  const warnings = new Set(found.flatMap((server) => server.warnings));
  if (isCluster) {
    warnings.add('redis is a cluster: a slot that is moved or fails over ends the sessions in it');
  }
  return {
    version: all('version'),
    role: all('role'),
    persistence: all('persistence'),
    evictionPolicy: all('evictionPolicy'),
    warnings: [...warnings],
  };
}

async function describeServer(server: Redis): Promise<StoreDescription> {
  const info = readInfo(await server.info());
  const snapshots = await server.config('GET', 'save').then(
    (reply) => (Array.isArray(reply) ? String(reply[1]) : undefined),
    // Many managed Redis services forbid CONFIG.
    () => undefined,
  );
  const description = {
    version: versionOf(info),
    role: info.get('role') === 'slave' ? 'replica' : 'primary',
    persistence: persistenceOf(info, snapshots),
    evictionPolicy: info.get('maxmemory_policy') ?? 'unknown',
  };
  return { ...description, warnings: warningsOf(info, description) };
}

function warningsOf(info: Info, found: Omit<StoreDescription, 'warnings'>): string[] {
  const { version, role, persistence, evictionPolicy } = found;
  const warnings: string[] = [];
  if (isTooOld(version)) {
    warnings.push(`${version} is older than ${OLDEST_VERSION.join('.')}`);
  }
  if (role === 'replica') {
    warnings.push('redis is a replica, which can keep no sessions');
  }
  if (persistence === 'unknown') {
    warnings.push('redis does not tell whether it writes sessions to disk (CONFIG GET save)');
  } else if (persistence !== 'off') {
    warnings.push(
      `redis writes sessions to disk (${persistence}): their forward secrecy begins when its files and backups are gone`,
    );
  }
  if (evictionPolicy !== 'noeviction') {
    warnings.push(
      `redis may evict sessions (maxmemory-policy ${evictionPolicy}): their relays then pair again`,
    );
  }
  if (!REPLICATION_ID.test(info.get('master_replid') ?? '')) {
    warnings.push(
      'redis has no master_replid: marks that it loses by a restart or failover are not noticed',
    );
  }
  return warnings;
}

function versionOf(info: Info): string {
  const valkey = info.get('valkey_version');
  return valkey === undefined
    ? `redis ${info.get('redis_version') ?? 'unknown'}`
    : `valkey ${valkey}`;
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^\D+/, '').split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_VERSION;
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
}

function persistenceOf(info: Info, snapshots: string | undefined): string {
  const isAppending = info.get('aof_enabled') === '1';
  if (snapshots === undefined) {
    return isAppending ? 'aof' : 'unknown';
  }
  const kinds = [...(snapshots === '' ? [] : ['rdb']), ...(isAppending ? ['aof'] : [])];
  return kinds.length === 0 ? 'off' : kinds.join(' and ');
}

function readInfo(text: string): Info {
  return new Map(
    text.split('\r\n').flatMap((line): [string, string][] => {
      const colon = line.indexOf(':');
      return colon === -1 ? [] : [[line.slice(0, colon), line.slice(colon + 1)]];
    }),
  );
}
