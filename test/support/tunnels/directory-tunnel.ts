import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import type { Closable } from '../lifecycle/resources.js';
import { closedPort } from '../network/listen.js';
import {
  clientWith,
  createDirectoryFile,
  type DirectoryContent,
  type DirectoryFile,
} from '../relays/mounted-directory.js';
import type { RelayEnvironment } from '../relays/relay.js';

/** What a relay in this process and one in a process of its own have in common. */
type Started = Closable & { readonly url: string };

/** Names of the two tenants of relay B, and of the peers by which relay A knows them. */
export const TENANTS = ['one', 'two'] as const;
export type TenantName = (typeof TENANTS)[number];

/** Without what a directory file has instead. */
const NO_VARIABLES = { UPSTREAM: '', CLIENT_ID_SECRET: '', OUTBOUND_TOKEN: '' };

/** Relay A with peers and clients, and relay B with tenants, each with a directory file. */
export interface DirectoryTunnel<Relay extends Started> {
  readonly outbound: Relay;
  readonly inbound: Relay;
  readonly outboundFile: DirectoryFile;
  readonly inboundFile: DirectoryFile;
  /** What the files said at the start. */
  readonly outboundContent: Required<Pick<DirectoryContent, 'peers' | 'clients'>>;
  readonly inboundContent: Required<Pick<DirectoryContent, 'peers' | 'tenants'>>;
  /** The secrets at the start, by the name of their file: one for each tenant. */
  readonly secrets: Readonly<Record<TenantName, string>>;
  /** The audiences of the tenants: keys of `tenants`. */
  readonly audiences: Readonly<Record<TenantName, string>>;
  close(): Promise<void>;
}

interface Options<Relay> {
  /** The APIs of the two tenants. */
  readonly apis: Readonly<Record<TenantName, string>>;
  /** Clients by name; each token is called as its client, with `-token` after it. */
  readonly clients: Readonly<Record<string, readonly TenantName[]>>;
  readonly environment?: RelayEnvironment;
  readonly start: (environment: RelayEnvironment) => Promise<Relay>;
}

/** A secret as `npm run secret` prints it. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** The token of a client of a directory tunnel. */
export function tokenOf(client: string): string {
  return `${client}-token`;
}

/** What a client of a directory tunnel sends to reach a tenant. */
export function headersOf(client: string, tenant: TenantName): Readonly<Record<string, string>> {
  return { 'x-mte-outbound-token': tokenOf(client), 'x-mte-upstream': tenant };
}

/** Starts two relays with directory files. Tenant `one` is reached by messages, and `two` over channels where these open. */
export async function startDirectoryTunnel<Relay extends Started>({
  apis,
  clients,
  environment = {},
  start,
}: Options<Relay>): Promise<DirectoryTunnel<Relay>> {
  const port = await closedPort(createServer());
  const audiences = { one: `http://127.0.0.1:${port}`, two: `http://localhost:${port}` };
  const secrets = { one: newSecret(), two: newSecret() };
  const outboundContent = {
    peers: {
      one: { origins: [audiences.one], secret: { file: 'one' }, transport: 'message' },
      two: { origins: [audiences.two], secret: { file: 'two' }, transport: 'auto' },
    },
    clients: Object.fromEntries(
      Object.entries(clients).map(([name, peers]) => [name, clientWith(tokenOf(name), ...peers)]),
    ),
  };
  const inboundContent = {
    peers: { 'caller-one': { secret: { file: 'one' } }, 'caller-two': { secret: { file: 'two' } } },
    tenants: {
      [audiences.one]: { upstream: apis.one, peers: ['caller-one'] },
      [audiences.two]: { upstream: apis.two, peers: ['caller-two'] },
    },
  };
  const [outboundFile, inboundFile] = await Promise.all([
    createDirectoryFile(outboundContent, secrets),
    createDirectoryFile(inboundContent, secrets),
  ]);
  const [outbound, inbound] = await Promise.all([
    start({ ...NO_VARIABLES, ...environment, RELAY_CONFIG_FILE: outboundFile.path }),
    start({
      ...NO_VARIABLES,
      ...environment,
      RELAY_CONFIG_FILE: inboundFile.path,
      PORT: String(port),
    }),
  ]);
  return {
    outbound,
    inbound,
    outboundFile,
    inboundFile,
    outboundContent,
    inboundContent,
    secrets,
    audiences,
    close: async () => {
      await Promise.all([outbound.close(), inbound.close()]);
      await Promise.all([outboundFile.close(), inboundFile.close()]);
    },
  };
}
