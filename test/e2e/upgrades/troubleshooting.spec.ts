import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { expectQuoted } from '../../support/assertions/troubleshooting.js';
import { request, type RelayErrorBody } from '../../support/clients/client.js';
import { forThisTest } from '../../support/lifecycle/resources.js';
import { startStrippingProxy } from '../../support/network/stripping-proxy.js';
import {
  startUpgradeTunnel,
  type UpgradeTunnel,
  type UpgradeTunnelOptions,
  type UpstreamUpgrade,
} from '../../support/tunnels/upgrade-tunnel.js';

const WEB_SOCKETS = 'WebSockets';

const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n';
const grant = ({ socket }: UpstreamUpgrade): void => {
  socket.write(SWITCHING);
};

const start = async (options: UpgradeTunnelOptions, onUpgrade = grant): Promise<UpgradeTunnel> =>
  forThisTest(await startUpgradeTunnel(onUpgrade, options));

interface Upgraded {
  readonly socket: Socket;
  readonly error?: undefined;
}
interface Refused {
  readonly socket?: undefined;
  readonly status: number;
  readonly error: RelayErrorBody;
}

/** Asks for a WebSocket. */
async function ask(
  { outbound, clientHeaders }: UpgradeTunnel,
  headers: Record<string, string> = {},
): Promise<Upgraded | Refused> {
  const asked = httpRequest(outbound.url, {
    headers: { ...clientHeaders, connection: 'upgrade', upgrade: 'websocket', ...headers },
    agent: false,
  }).end();
  return new Promise((resolve, reject) => {
    asked.once('error', reject);
    asked.once('upgrade', (_response, socket: Socket) => {
      socket.on('error', () => undefined);
      resolve({ socket });
    });
    asked.once('response', (response: IncomingMessage) => {
      void response.toArray().then((chunks: Buffer[]) => {
        const { error } = JSON.parse(Buffer.concat(chunks).toString()) as { error: RelayErrorBody };
        resolve({ status: response.statusCode ?? 0, error });
      }, reject);
    });
  });
}

describe('docs/troubleshooting.md says what the log has if a WebSocket does not open, because', () => {
  it('this relay has no channels', async () => {
    const tunnel = await start({ outbound: { TUNNEL_TRANSPORT: 'message' } });
    expect(await ask(tunnel)).toMatchObject({
      status: 501,
      error: { code: 'RELAY_UPGRADE_UNSUPPORTED', forwarded: 'no' },
    });
    await expectQuoted(tunnel.outbound, WEB_SOCKETS, ['TUNNEL_TRANSPORT is message']);
  });

  it('the path strips upgrades', async () => {
    const tunnel = await start({});
    const proxy = forThisTest(await startStrippingProxy(tunnel.inbound.port));
    expect(await ask(tunnel, { 'x-mte-upstream': proxy.url })).toMatchObject({
      status: 501,
      error: { code: 'RELAY_UPGRADE_UNSUPPORTED', forwarded: 'no' },
    });
    await expectQuoted(tunnel.outbound, WEB_SOCKETS, [
      'something between the relays carries no WebSocket upgrade on /api/mte-channel',
    ]);
  });

  it('the other relay does not list the protocol', async () => {
    const tunnel = await start({ inbound: { UPGRADE_PROTOCOLS: 'tcp' } });
    expect(await ask(tunnel)).toMatchObject({
      status: 501,
      error: { code: 'RELAY_UPGRADE_UNSUPPORTED', forwarded: 'no' },
    });
    await expectQuoted(tunnel.inbound, WEB_SOCKETS, [
      'UPGRADE_PROTOCOLS of the inbound relay does not list it',
    ]);
  });

  it('the request has a long body', async () => {
    const tunnel = await start({});
    expect(await ask(tunnel, { 'content-length': '32769' })).toMatchObject({
      status: 400,
      error: { code: 'RELAY_HEAD_INVALID', forwarded: 'no' },
    });
    await expectQuoted(tunnel.outbound, WEB_SOCKETS, [
      'the body of a request for an upgrade is too long, or of unknown length',
    ]);
  });

  it.each(['outbound', 'inbound'] as const)('the %s relay has no place left', async (side) => {
    const tunnel = await start({ [side]: { MAX_UPGRADED_CONNECTIONS: '1' } });
    const { socket } = await ask(tunnel);
    expect(await ask(tunnel)).toMatchObject({
      status: 503,
      error: { code: 'RELAY_BUSY', forwarded: 'no' },
    });
    await expectQuoted(
      tunnel[side],
      WEB_SOCKETS,
      side === 'outbound'
        ? ['the relay is already forwarding 1', ' upgraded connections']
        : ['RELAY_OVERLOADED', 'as many upgraded connections as MAX_UPGRADED_CONNECTIONS are open'],
    );
    socket?.destroy();
  });

  it('the other relay has no channels', async () => {
    const tunnel = await start({ inbound: { TUNNEL_TRANSPORT: 'message' } });
    expect(await ask(tunnel)).toMatchObject({
      status: 503,
      error: { code: 'RELAY_BUSY', forwarded: 'no' },
    });
    await expectQuoted(tunnel.inbound, WEB_SOCKETS, [
      'TUNNEL_TRANSPORT is message: this relay has no channels',
    ]);
  });

  it('the API switches to another protocol', async () => {
    const tunnel = await start({}, ({ socket }) => {
      socket.write(SWITCHING.replace('websocket', 'another'));
    });
    expect(await ask(tunnel)).toMatchObject({
      status: 502,
      error: { code: 'RELAY_UPSTREAM_FAILED', forwarded: 'maybe' },
    });
    await expectQuoted(tunnel.inbound, WEB_SOCKETS, [
      'the upstream switched to another protocol than it was asked for',
    ]);
  });

  it('the offer is ignored, which the API answers', async () => {
    const tunnel = await start({ outbound: { UPGRADE_PROTOCOLS: 'none' } });
    const socket = new WebSocket(tunnel.outbound.url.replace('http', 'ws'), {
      headers: tunnel.clientHeaders,
    });
    socket.on('error', () => undefined);
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(200);
    response.resume();
    await tunnel.outbound.log.find(
      ({ msg, status }) => msg === 'request completed' && status === 200,
    );
    expect(tunnel.upgrades.items).toEqual([]);
  });

  it('the client has no token', async () => {
    const tunnel = await start({});
    const { status } = await request(tunnel.outbound.url, {
      headers: { connection: 'upgrade', upgrade: 'websocket' },
    });
    expect(status).toBe(401);
    await expectQuoted(tunnel.outbound, WEB_SOCKETS, [
      'RELAY_TOKEN_MISSING',
      'x-mte-outbound-token is missing',
    ]);
  });
});

describe('docs/troubleshooting.md says what the log has if a WebSocket ends, because', () => {
  it('a receiver takes nothing', async () => {
    const tunnel = await start({ inbound: { IDLE_TIMEOUT_MS: '500' } }, ({ socket }) => {
      // It reads nothing, and the relay in front of it notices.
      socket.pause();
      socket.write(SWITCHING);
    });
    const { socket } = await ask(tunnel);
    const closed = new Promise((resolve) => socket!.once('close', resolve));
    // More than the relays and the sockets take by themselves.
    socket!.write(Buffer.alloc(67_108_864));
    await closed;
    await expectQuoted(tunnel.inbound, WEB_SOCKETS, [
      'upgraded connection ended',
      'a receiver took nothing for ',
    ]);
  });
});
