import { createHash } from 'node:crypto';

import type { RelayConfig } from '../relay-config.js';
import { clientsOfEnvironment, peersOfEnvironment, tenantOf } from './directory-of-environment.js';
import { EVERY_OTHER_HOST, originsOf, type Domain } from './domain-map.js';
import {
  OF_ENVIRONMENT,
  type ClientEntry,
  type Directory,
  type PeerEntry,
  type TenantEntry,
} from './directory.js';

/** The peer of each secret: a secret identifies its peer, so that domains with the same one share it. */
const peerNames = (
  config: RelayConfig,
  domains: readonly Domain[],
): ReadonlyMap<string, string> => {
  const names = new Map<string, string>();
  if (config.clientIdSecret !== undefined) {
    names.set(config.clientIdSecret, OF_ENVIRONMENT);
  }
  for (const { host, clientIdSecret } of domains) {
    if (clientIdSecret !== undefined && !names.has(clientIdSecret)) {
      names.set(clientIdSecret, host);
    }
  }
  return names;
};

const MAX_NAME_LENGTH = 64;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The name of a host's client. It is sent to the other relay, which takes letters, digits, `_` and `-` only. */
const clientName = (host: string, taken: ReadonlySet<string>): string => {
  const name = host === EVERY_OTHER_HOST ? 'other-hosts' : host.replace(/[^a-z0-9_-]+/g, '-');
  if (name.length <= MAX_NAME_LENGTH && !taken.has(name)) {
    return name;
  }
  const digits = sha256(host).slice(0, 8);
  return `${name.slice(0, MAX_NAME_LENGTH - digits.length - 1)}-${digits}`;
};

/**
 * The directory that `DOMAIN_MAP` makes: for each host a tenant, which its own peer may enter; and a client for each token, which
 * reaches other relays as that peer. What an entry lacks comes from the variables.
 */
export function directoryOfDomainMap(config: RelayConfig, domains: readonly Domain[]): Directory {
  const names = peerNames(config, domains);
  const peerOf = ({ clientIdSecret }: Domain): string =>
    clientIdSecret === undefined ? OF_ENVIRONMENT : (names.get(clientIdSecret) ?? OF_ENVIRONMENT);
  const peers = [...names]
    .filter(([, name]) => name !== OF_ENVIRONMENT)
    .map(([secret, name]): PeerEntry => ({
      name,
      reach: { kind: 'named', allowed: config.outboundAllowedUpstreams },
      secret,
      transport: config.tunnelTransport,
    }));
  const clients = new Map<string, ClientEntry>();
  const taken = new Set<string>();
  for (const domain of domains) {
    const { host, outboundToken } = domain;
    if (outboundToken !== undefined && !clients.has(outboundToken)) {
      const name = clientName(host, taken);
      const tokens = [{ sha256: sha256(outboundToken) }];
      taken.add(name);
      clients.set(outboundToken, { name, tokens, peers: [peerOf(domain)], limits: {} });
    }
  }
  const tenants = domains.map((domain): TenantEntry => {
    const audiences = domain.host === EVERY_OTHER_HOST ? undefined : originsOf(domain.host);
    return {
      ...tenantOf(config, domain.upstream),
      name: audiences?.[0] ?? OF_ENVIRONMENT,
      audiences,
      peers: [peerOf(domain)],
      corsOrigins: domain.corsOrigins ?? config.corsOrigins,
      passThroughRoutes: domain.passThroughRoutes ?? config.passThroughRoutes,
    };
  });
  const ofToken = clientsOfEnvironment(config).map((client) => ({
    ...client,
    peers: [OF_ENVIRONMENT],
  }));
  return {
    peers: [...peersOfEnvironment(config), ...peers],
    clients: [...ofToken, ...clients.values()],
    tenants,
  };
}
