import { createServer } from 'node:http';
import { join } from 'node:path';

import { request, type ClientRequestSpec, type ClientResponse } from '../clients/client.js';
import type { Closable } from '../lifecycle/resources.js';
import { temporaryFolder } from '../lifecycle/temporary-folder.js';
import { closedPort } from '../network/listen.js';
import {
  clientWith,
  createDirectoryFile,
  type DirectoryContent,
  type DirectoryFile,
} from '../relays/mounted-directory.js';
import type { RelayEnvironment, TestRelay } from '../relays/relay.js';
import { newSecret, tokenOf } from './directory-tunnel.js';

/** What clients of the forward proxy call the API, besides every name below `below.example`, there at port 8080. */
export const HOST = 'api.example';
/** The client that may call the API; its token is `billing-token`. */
export const CLIENT = 'billing';

/** Two relays for clients that know nothing of relays: a forward proxy, and a listener of the peer. */
export interface PlainClientTunnel<Relay extends Started = TestRelay> {
  readonly outbound: Relay;
  readonly inbound: Relay;
  /** What relay A knows, and its file. */
  readonly content: Required<Pick<DirectoryContent, 'peers' | 'clients'>>;
  readonly file: DirectoryFile;
  /** Where the listener of the peer is: an address of loopback. */
  readonly listener: string;
  /** An empty folder for sockets. */
  readonly folder: string;
  /** What a client sends to its proxy. */
  readonly credentials: Readonly<Record<'proxy-authorization', string>>;
  /** Sends a request through the forward proxy. @param url - in absolute form */
  proxied(url: string, spec?: ClientRequestSpec): Promise<ClientResponse>;
  /** Sends a request to the listener. */
  listened(spec?: ClientRequestSpec): Promise<ClientResponse>;
  close(): Promise<void>;
}

type Started = Closable & { readonly url: string };

interface Options<Relay> {
  readonly upstream: string;
  /** Where the listener of the peer is: a free address by default. */
  readonly address?: string;
  readonly outbound?: RelayEnvironment;
  readonly inbound?: RelayEnvironment;
  /** Further keys of the peer. */
  readonly peer?: Readonly<Record<string, unknown>>;
  /** Further clients. */
  readonly clients?: Readonly<Record<string, object>>;
  /** Further keys of the tenant. */
  readonly tenant?: Readonly<Record<string, unknown>>;
  readonly start: (environment: RelayEnvironment) => Promise<Relay>;
}

const NO_VARIABLES = { UPSTREAM: '', CLIENT_ID_SECRET: '', OUTBOUND_TOKEN: '' };

/** Basic credentials. RFC 7617. */
export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** An address of loopback that nothing listens at. */
export async function freeAddress(): Promise<string> {
  return `127.0.0.1:${await closedPort(createServer())}`;
}

/** Starts a tunnel whose relay A is a forward proxy and has a listener for relay B. */
export async function startPlainClientTunnel<Relay extends Started>(
  options: Options<Relay>,
): Promise<PlainClientTunnel<Relay>> {
  const folder = await temporaryFolder();
  const port = await closedPort(createServer());
  const origin = `http://127.0.0.1:${port}`;
  const secrets = { secret: newSecret() };
  const { address = await freeAddress() } = options;
  const content = {
    peers: {
      api: {
        origins: [origin],
        secret: { file: 'secret' },
        hosts: [HOST, '*.below.example:8080'],
        listen: { address, client: CLIENT },
        ...options.peer,
      },
    },
    clients: { [CLIENT]: clientWith(tokenOf(CLIENT), 'api'), ...options.clients },
  };
  const tenants = { [origin]: { upstream: options.upstream, ...options.tenant } };
  const [file, inboundFile] = await Promise.all([
    createDirectoryFile(content, secrets),
    createDirectoryFile({ peers: { caller: { secret: { file: 'secret' } } }, tenants }, secrets),
  ]);
  const [outbound, inbound] = await Promise.all([
    options.start({ ...NO_VARIABLES, ...options.outbound, RELAY_CONFIG_FILE: file.path }),
    options.start({
      ...NO_VARIABLES,
      ...options.inbound,
      RELAY_CONFIG_FILE: inboundFile.path,
      PORT: String(port),
    }),
  ]);
  const credentials = { 'proxy-authorization': basic(CLIENT, tokenOf(CLIENT)) };
  const listener = `http://${address}`;
  return {
    outbound,
    inbound,
    content,
    file,
    listener,
    folder: join(folder.path),
    credentials,
    proxied: (url, { headers, ...spec } = {}) =>
      request(outbound.url, { ...spec, path: url, headers: { ...credentials, ...headers } }),
    listened: (spec) => request(listener, spec),
    close: async () => {
      await Promise.all([outbound.close(), inbound.close()]);
      await Promise.all([file.close(), inboundFile.close(), folder.close()]);
    },
  };
}
