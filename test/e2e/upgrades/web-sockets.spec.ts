import { once } from 'node:events';

import { beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

import { sharedResources } from '../../support/lifecycle/resources.js';
import { startUpgradeTunnel, type UpgradeTunnel } from '../../support/tunnels/upgrade-tunnel.js';

const shared = sharedResources();
let tunnel: UpgradeTunnel;

beforeAll(async () => {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: true });
  server.on('connection', (socket) => {
    socket.on('message', (message: Buffer, isBinary) => {
      if (message.toString() === 'close') {
        socket.close(4000, 'as asked');
      } else {
        socket.send(message, { binary: isBinary });
      }
    });
  });
  tunnel = shared(
    await startUpgradeTunnel(({ message, socket, head }) => {
      server.handleUpgrade(message, socket, head, (accepted) => {
        server.emit('connection', accepted);
      });
    }),
  );
});

const open = async (path = '/', options = {}): Promise<WebSocket> => {
  const { outbound, clientHeaders } = tunnel;
  const socket = new WebSocket(outbound.url.replace('http', 'ws') + path, ['chat'], {
    headers: clientHeaders,
    ...options,
  });
  await once(socket, 'open');
  return socket;
};

describe('a WebSocket through the tunnel', () => {
  it('carries messages both ways, and its end', async () => {
    const socket = await open('/echo?x=1');
    for (const message of ['hello', 'x'.repeat(16_777_216)]) {
      const received = once(socket, 'message');
      socket.send(message);
      const [echoed] = (await received) as [Buffer];
      expect(echoed.toString() === message).toBe(true);
    }
    expect(socket.extensions).toContain('permessage-deflate');
    const closed = once(socket, 'close');
    socket.send('close');
    expect(await closed).toEqual([4000, Buffer.from('as asked')]);
    const { message } = await tunnel.upgrades.find(({ message }) => message.url === '/echo?x=1');
    expect(message.headers).not.toHaveProperty('x-mte-outbound-token');
    for (const { log } of [tunnel.outbound, tunnel.inbound]) {
      const ended = await log.find(({ msg }) => msg === 'upgraded connection ended');
      expect(ended).not.toHaveProperty('code');
    }
  });
});
