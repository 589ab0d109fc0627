import { readFileSync } from 'node:fs';

import type { Authority } from '../certificates/certificates.js';
import { startRelayProcess, type RelayProcess } from '../processes/relay-process.js';
import { samplesOf } from '../relays/admin.js';
import type { RelayEnvironment } from '../relays/relay.js';
import {
  startUpgradeUpstream,
  type UpgradeBehaviour,
  type UpgradeUpstream,
} from '../upstreams/upgrade-upstream.js';
import { tunnelClient, type TunnelClient } from './tunnel-client.js';

/** A server on the path of a request. */
export type Server = 'outbound' | 'inbound' | 'upstream';

/** Two built relays in front of an API, in this process, that grants upgrades. */
export interface UpgradeProcesses extends TunnelClient {
  readonly upstream: UpgradeUpstream;
  readonly inbound: RelayProcess;
  readonly outbound: RelayProcess;
  close(): Promise<void>;
}

export interface UpgradeProcessOptions {
  readonly behaviour?: UpgradeBehaviour;
  readonly both?: RelayEnvironment;
  readonly outbound?: RelayEnvironment;
  readonly inbound?: RelayEnvironment;
  /** The base path of UPSTREAM. */
  readonly basePath?: string;
  /** Who speaks TLS, with certificates of which authority. */
  readonly tls?: { readonly authority: Authority; readonly at: readonly Server[] };
}

/** What relays need for raw connections beside WebSockets. */
export const UPGRADES = {
  TUNNEL_TRANSPORT: 'auto',
  ADMIN_PORT: '0',
  UPGRADE_PROTOCOLS: 'websocket,tcp',
};

export async function startUpgradeProcesses({
  behaviour,
  both,
  outbound: outboundOnly,
  inbound: inboundOnly,
  basePath = '',
  tls,
}: UpgradeProcessOptions = {}): Promise<UpgradeProcesses> {
  const pair = tls?.authority.issue('relay', 'IP:127.0.0.1');
  const isTls = (server: Server): boolean => tls?.at.includes(server) === true;
  const files = { TLS_CERT_FILE: pair?.cert ?? '', TLS_KEY_FILE: pair?.key ?? '' };
  const upstream = await startUpgradeUpstream({
    ...behaviour,
    ...(pair !== undefined &&
      isTls('upstream') && {
        tls: { cert: readFileSync(pair.cert), key: readFileSync(pair.key) },
      }),
  });
  const environment = {
    ...UPGRADES,
    ...(tls !== undefined && { NODE_EXTRA_CA_CERTS: tls.authority.ca }),
    ...both,
  };
  const [inbound, outbound] = await Promise.all([
    startRelayProcess({
      ...environment,
      ...(isTls('inbound') && files),
      UPSTREAM: upstream.url + basePath,
      ...inboundOnly,
    }),
    startRelayProcess({ ...environment, ...(isTls('outbound') && files), ...outboundOnly }),
  ]);
  return {
    upstream,
    inbound,
    outbound,
    ...tunnelClient(outbound.url, inbound.url),
    close: async () => {
      await Promise.all([outbound.close(), inbound.close()]);
      await upstream.close();
    },
  };
}

/** How many upgraded connections a relay has in one role. */
export async function upgradedIn(
  relay: Pick<RelayProcess, 'log'>,
  role: 'outbound' | 'inbound' | 'pass-through',
): Promise<number | undefined> {
  return (await samplesOf(relay)).get(`mte_relay_upgraded_connections{role="${role}"}`);
}
