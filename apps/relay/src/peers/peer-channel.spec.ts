import type { AddressInfo } from 'node:net';

import { InboundChannel, WaitingOctets } from '@relay/channel';
import { Deferred } from '@relay/http';
import { deriveRequestKey, deriveResponseKey } from '@relay/protocol';
import { afterEach, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

import { FakePairingClient } from '../../../../test/support/relays/fake-pairing-client.js';
import { createPeer } from '../../../../test/support/relays/peer.js';
import { HandMovedClock } from '../../../../test/support/time/hand-moved-clock.js';
import { WebSocketTransport } from '../channels/web-socket-transport.js';
import { PeerChannel } from './peer-channel.js';

const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
const LAST_RECORD_BIT = 2 ** 31;
const ENTRY = { relayHeader: 'request', responseHeader: 'response' };

afterEach(() => {
  server.close();
});

it('a channel that the peer does not end is given up 10 s after this side has ended it', async () => {
  const clock = new HandMovedClock();
  const reservation = await createPeer(new FakePairingClient(clock), clock).reserve();
  const { keys } = reservation.session;
  const waiting = new WaitingOctets(1);
  const peerEnd = {
    sealingKey: deriveResponseKey(keys, ENTRY.relayHeader, ENTRY.responseHeader),
    openingKey: deriveRequestKey(keys, ENTRY.relayHeader),
    isConnection: false,
    initialWindowBytes: 65_536,
    maxConcurrentStreams: 1,
    stallTimeoutMs: 0,
    waiting,
  };
  const ignore = () => undefined;
  const lastRecord = new Deferred<void>();
  server.on('connection', (socket) => {
    socket.on('message', (record: Buffer) => {
      if (record.readUInt32BE() >= LAST_RECORD_BIT) {
        lastRecord.resolve();
      }
    });
    // It sends its first record, and acts on nothing.
    new InboundChannel(peerEnd, new WebSocketTransport(socket, ignore, ignore), {
      onOpen: ignore,
      onDraining: ignore,
      onReset: ignore,
      onEnd: ignore,
      onBroken: ignore,
      onStream: () => {
        throw new Error('no stream was opened');
      },
    });
  });
  const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  let nowMs = 0;
  const ends: (Error | undefined)[] = [];
  const channel = await new Promise<PeerChannel>((resolve) => {
    const listener = {
      onOpen: () => {
        resolve(made);
      },
      onDraining: ignore,
      onReset: ignore,
      onEnd: (cause: Error | undefined) => ends.push(cause),
    };
    let made: PeerChannel;
    // In this turn, so that no record is missed.
    socket.once('open', () => {
      made = new PeerChannel(
        { type: 'chan', ordinal: 1, dueAtMs: 1_000_000 },
        { ...ENTRY, socket },
        reservation,
        waiting,
        listener,
        { monotonicMs: () => nowMs },
      );
    });
  });
  channel.finish();
  await lastRecord.promise;
  channel.check();
  nowMs = 9_999;
  channel.check();
  expect(ends).toEqual([]);
  nowMs = 10_000;
  channel.check();
  expect(ends).toMatchObject([{ message: 'the peer did not end its direction in time' }]);
});
