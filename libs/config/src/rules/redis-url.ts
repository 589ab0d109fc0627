import { isIPv6 } from 'node:net';
import { Refused } from './rule.js';

/** The only value of `REDIS_URL` that does not name a Redis: sessions are kept in the process. */
export const MEMORY_URL = 'memory://';

/** A host to connect to. */
export interface RedisHost {
  /** A host name, or an IP address without brackets. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

/** How to reach Redis, and with which credentials. */
export interface RedisAddress {
  readonly topology: 'single' | 'sentinel' | 'cluster';
  /** Whether the connections use TLS. */
  readonly isTls: boolean;
  /** The server, the sentinels, or the nodes of a cluster through which its other nodes are found. */
  readonly hosts: readonly [RedisHost, ...RedisHost[]];
  /** The sentinels' name for the primary; empty without sentinels. */
  readonly primaryName: string;
  /** The user name on the Redis servers, decoded; if undefined, Redis's default user. */
  readonly username?: string;
  /** The password on the Redis servers, decoded; it is not that of the sentinels. */
  readonly password?: string;
  /** The number of the database; 0 in a cluster. */
  readonly database: number;
}

const URL_PARTS =
  /^redis(?<tls>s?)(?:\+(?<topology>sentinel|cluster))?:\/\/(?:(?<user>[^@/?#\s]*)@)?(?<hosts>[^@/?#\s]+)(?<path>\/[^?#\s]*)?$/;
const HOST = /^(?:\[(?<ipv6>[^\]]+)\]|(?<name>[A-Za-z0-9._-]+))(?::(?<port>[1-9]\d{0,4}))?$/;
const DATABASE = /^(?:0|[1-9]\d{0,4})$/;
/** The names that Sentinel itself accepts. */
const PRIMARY_NAME = /^[A-Za-z0-9._-]+$/;
const REDIS_PORT = 6379;
const SENTINEL_PORT = 26_379;

/** Reads the address that a Redis URL names: one server, several sentinels, or a cluster. */
export function redisAddress(text: string): RedisAddress | Refused {
  const parts = URL_PARTS.exec(text)?.groups;
  if (parts === undefined) {
    return new Refused(
      'must be memory://, or a redis://, redis+sentinel:// or redis+cluster:// URL (rediss for TLS) without a query',
    );
  }
  const topology = (parts['topology'] ?? 'single') as RedisAddress['topology'];
  const hosts = readHosts(parts['hosts'] ?? '', topology);
  const account = readAccount(parts['user']);
  const path = readPath((parts['path'] ?? '').replace(/^\//, ''), topology);
  const problems = [hosts, account, path].flatMap((part) =>
    part instanceof Refused ? part.problems : [],
  );
  if (hosts instanceof Refused || account instanceof Refused || path instanceof Refused) {
    return new Refused(...problems);
  }
  return { topology, isTls: parts['tls'] === 's', hosts, ...path, ...account };
}

/** Accepts `memory://` or a Redis URL, and returns the text unchanged. */
export function redisUrl(text: string): string | Refused {
  if (text === MEMORY_URL) {
    return text;
  }
  const address = redisAddress(text);
  return address instanceof Refused ? address : text;
}

function readHosts(
  text: string,
  topology: RedisAddress['topology'],
): RedisAddress['hosts'] | Refused {
  const defaultPort = topology === 'sentinel' ? SENTINEL_PORT : REDIS_PORT;
  const [first, ...more] = text.split(',').map((entry): RedisHost | undefined => {
    const { ipv6, name, port } = HOST.exec(entry)?.groups ?? {};
    const host = ipv6 !== undefined && isIPv6(ipv6) ? ipv6 : name;
    const number = port === undefined ? defaultPort : Number(port);
    return host === undefined || number > 65_535 ? undefined : { host, port: number };
  });
  const others = more.filter((host) => host !== undefined);
  if (first === undefined || others.length < more.length) {
    return new Refused('must name its hosts as host or host:port');
  }
  if (topology === 'single' && others.length > 0) {
    return new Refused('must name one host, unless it is redis+sentinel:// or redis+cluster://');
  }
  return [first, ...others];
}

function readAccount(
  text: string | undefined,
): Pick<RedisAddress, 'username' | 'password'> | Refused {
  if (text === undefined) {
    return {};
  }
  const colon = text.indexOf(':');
  if (colon === -1 || colon === text.length - 1) {
    return new Refused('must have a password, as in user:password@ or :password@');
  }
  try {
    const username = decodeURIComponent(text.slice(0, colon));
    const password = decodeURIComponent(text.slice(colon + 1));
    return username === '' ? { password } : { username, password };
  } catch {
    // The message of the error might quote the password.
    return new Refused('must have its user name and password percent-encoded');
  }
}

function readPath(
  path: string,
  topology: RedisAddress['topology'],
): Pick<RedisAddress, 'primaryName' | 'database'> | Refused {
  if (topology === 'cluster') {
    return path === ''
      ? { primaryName: '', database: 0 }
      : new Refused('must not have a path: a cluster has one database');
  }
  if (topology === 'single') {
    return path === '' || DATABASE.test(path)
      ? { primaryName: '', database: Number(path) }
      : new Refused('must have nothing but a database number as its path');
  }
  const [primaryName = '', database = '0', ...rest] = path.split('/');
  return PRIMARY_NAME.test(primaryName) && DATABASE.test(database) && rest.length === 0
    ? { primaryName, database: Number(database) }
    : new Refused("must have the primary's name as its path, which a database number may follow");
}
