import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';

import { OutboundChannel, WaitingOctets } from '@relay/channel';
import { onBytesReceived } from '@relay/http';
import { expect, it } from 'vitest';
import type { WebSocket } from 'ws';

import { ChannelConnection } from './channel-connection.js';

it('reports what a channel receives, so that its buffers are collected', () => {
  let received = 0;
  onBytesReceived((bytes) => {
    received += bytes;
  });
  const socket = Object.assign(new EventEmitter(), {
    bufferedAmount: 0,
    send: () => undefined,
    close: () => undefined,
    terminate: () => undefined,
  });
  const keys = {
    sealingKey: randomBytes(32),
    openingKey: randomBytes(32),
    isConnection: false,
    initialWindowBytes: 65_536,
    waiting: new WaitingOctets(1),
  };
  new ChannelConnection(
    socket as unknown as WebSocket,
    { monotonicMs: () => 0 },
    (transport, events) => new OutboundChannel(keys, transport, events),
    {
      onOpen: () => undefined,
      onDraining: () => undefined,
      onReset: () => undefined,
      onEnd: () => undefined,
    },
  );
  socket.emit('message', Buffer.alloc(100_000), true);
  expect(received).toBe(100_000);
});
