import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';

import { listen } from '../network/listen.js';
import { Recorder } from '../lifecycle/recorder.js';
import { startRelay, type RelayEnvironment, type TestRelay } from '../relays/relay.js';
import { tunnelClient, type TunnelClient } from './tunnel-client.js';

/** An upgrade as the API received it. */
export interface UpstreamUpgrade {
  readonly message: IncomingMessage;
  readonly socket: Socket;
  /** What came behind the request in the same read. */
  readonly head: Buffer;
}

/** A tunnel in front of an API that is asked for upgrades. */
export interface UpgradeTunnel extends TunnelClient {
  readonly inbound: TestRelay;
  readonly outbound: TestRelay;
  /** The API itself. */
  readonly server: Server;
  readonly upstream: { readonly url: string; readonly port: number };
  /** Every upgrade that the API was asked for. */
  readonly upgrades: Recorder<UpstreamUpgrade>;
  close(): Promise<void>;
}

export interface UpgradeTunnelOptions {
  readonly both?: RelayEnvironment;
  readonly outbound?: RelayEnvironment;
  readonly inbound?: RelayEnvironment;
}

/**
 * @param onUpgrade - grants or refuses an upgrade
 * @param server - answers all other requests
 */
export async function startUpgradeTunnel(
  onUpgrade: (upgrade: UpstreamUpgrade) => void,
  options: UpgradeTunnelOptions = {},
  server: Server = createServer((_request, response) => response.end('no upgrade')),
): Promise<UpgradeTunnel> {
  const upgrades = new Recorder<UpstreamUpgrade>();
  server.on('upgrade', (message: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => undefined);
    const upgrade = { message, socket, head };
    upgrades.add(upgrade);
    onUpgrade(upgrade);
  });
  const upstream = await listen(server);
  const both = { TUNNEL_TRANSPORT: 'auto', ADMIN_PORT: '0', ...options.both };
  const [inbound, outbound] = await Promise.all([
    startRelay({ ...both, UPSTREAM: upstream.url, ...options.inbound }),
    startRelay({ ...both, ...options.outbound }),
  ]);
  return {
    inbound,
    outbound,
    server,
    upstream,
    upgrades,
    ...tunnelClient(outbound.url, inbound.url),
    close: async () => {
      await Promise.all([outbound.close(), inbound.close(), upstream.close()]);
    },
  };
}
