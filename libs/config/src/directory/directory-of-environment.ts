import { createHash } from 'node:crypto';

import type { RelayConfig } from '../relay-config.js';
import { OF_ENVIRONMENT, type ClientEntry, type PeerEntry, type TenantEntry } from './directory.js';

/** The peer that CLIENT_ID_SECRET makes, or none. */
export function peersOfEnvironment(config: RelayConfig): readonly PeerEntry[] {
  const { clientIdSecret, clientIdSecretAlt, tunnelTransport } = config;
  return clientIdSecret === undefined
    ? []
    : [
        {
          name: OF_ENVIRONMENT,
          reach: { kind: 'named', allowed: config.outboundAllowedUpstreams },
          secret: clientIdSecret,
          secretAlt: clientIdSecretAlt,
          transport: tunnelTransport,
        },
      ];
}

/** The client that OUTBOUND_TOKEN makes, or none. */
export function clientsOfEnvironment(config: RelayConfig): readonly ClientEntry[] {
  const { outboundToken, outboundTokenAlt } = config;
  return outboundToken === undefined
    ? []
    : [
        {
          name: OF_ENVIRONMENT,
          tokens: [outboundToken, outboundTokenAlt]
            .filter((token) => token !== undefined)
            .map((token) => ({ sha256: createHash('sha256').update(token).digest('hex') })),
          limits: {},
        },
      ];
}

/** A tenant with the options of the variables. */
export function tenantOf(config: RelayConfig, upstream: string): TenantEntry {
  return {
    name: OF_ENVIRONMENT,
    audiences: config.relayAudience,
    upstream,
    upstreamTls: {
      caFile: config.upstreamTlsCaFile,
      certFile: config.upstreamTlsCertFile,
      keyFile: config.upstreamTlsKeyFile,
      serverName: config.upstreamTlsServerName,
    },
    upstreamHost: config.upstreamHost,
    routes: config.mteRoutes,
    passThroughRoutes: config.passThroughRoutes,
    corsOrigins: config.corsOrigins,
    corsMethods: config.corsMethods,
    headers: config.headers,
    requestHeaders: config.requestHeaders,
    responseHeaders: config.responseHeaders,
  };
}

/** The tenant that UPSTREAM makes, or none. */
export function tenantsOfEnvironment(config: RelayConfig): readonly TenantEntry[] {
  return config.upstream === undefined ? [] : [tenantOf(config, config.upstream)];
}
