import { beforeAll, describe, expect, it } from 'vitest';

import { openingBy, type ChannelAttacker } from '../support/attackers/channel-attacker.js';
import { sharedResources } from '../support/lifecycle/resources.js';
import { exchangeRaw } from '../support/network/raw-socket.js';
import {
  Type,
  dataFrame,
  frameOf,
  headersFrame,
  pingFrame,
  settingsOf,
  windowFrame,
} from '../support/protocol/channel-frames.js';
import {
  Opcode,
  encodeWebSocketFrame,
  webSocketHeader,
} from '../support/protocol/web-socket-frames.js';
import { channelHoldings } from '../support/relays/channel-metrics.js';
import {
  CHANNELS,
  startFloodedTunnel,
  type FloodedTunnel,
} from '../support/tunnels/flooded-tunnel.js';

/** A channel whose peer falls silent ends after 30 s in any case. */
const BEFORE_SILENCE_MS = 20_000;

const shared = sharedResources();
let flooded: FloodedTunnel;

beforeAll(async () => {
  flooded = shared(await startFloodedTunnel());
});

describe('#79 frames and messages that no relay sends end the channel, and have no effect', () => {
  const get = headersFrame(1, { path: '/silent' });

  it.each<readonly [string, number, (attacker: ChannelAttacker) => void]>([
    [
      'a text message',
      1002,
      (a) => {
        a.sendMessage(Buffer.from('{}'), Opcode.TEXT);
      },
    ],
    [
      'an oversized message',
      1009,
      (a) => {
        a.socket.write(webSocketHeader(69_663, true));
      },
    ],
    [
      'a message of 2^62 octets',
      1009,
      (a) => {
        a.socket.write(webSocketHeader(2 ** 62, true));
      },
    ],
    [
      'an empty message',
      1002,
      (a) => {
        a.sendMessage(Buffer.alloc(0));
      },
    ],
    [
      'a second opening record',
      1002,
      (a) => {
        a.sendMessage(a.seal(settingsOf([4, 65_536]), 1));
      },
    ],
    [
      'an empty record',
      1002,
      (a) => {
        a.send(dataFrame(1, ''));
      },
    ],
    [
      'two PINGs at once',
      1002,
      (a) => {
        a.send(pingFrame(), pingFrame());
      },
    ],
    [
      'an increment of 1 octet',
      1002,
      (a) => {
        a.send(headersFrame(1, { path: '/silent' }), windowFrame(1, 1));
      },
    ],
    [
      'an increment of nothing',
      1002,
      (a) => {
        a.send(get, windowFrame(1, 0));
      },
    ],
    [
      'a window above 2^31',
      1002,
      (a) => {
        a.send(get, windowFrame(1, 2 ** 31 - 1));
      },
    ],
    [
      'a skipped stream',
      1002,
      (a) => {
        a.send(headersFrame(3));
      },
    ],
    [
      'an even stream',
      1002,
      (a) => {
        a.send(headersFrame(2));
      },
    ],
    [
      'a stream of an upgraded connection',
      1002,
      (a) => {
        a.send(headersFrame(1, {}, 0x40));
      },
    ],
    [
      'GOAWAY',
      1002,
      (a) => {
        a.send(frameOf(Type.GOAWAY, 0, 0, Buffer.alloc(8)));
      },
    ],
    [
      'an unknown frame',
      1002,
      (a) => {
        a.send(frameOf(9, 0, 1, Buffer.alloc(4)));
      },
    ],
    [
      'DATA behind the end',
      1002,
      (a) => {
        a.send(get, dataFrame(1, 'x'));
      },
    ],
    [
      'more fragments than a record has',
      1008,
      (a) => {
        a.socket.write(encodeWebSocketFrame(Buffer.of(0), true, { isFinal: false }));
        for (let count = 0; count < 70; count += 1) {
          a.socket.write(
            encodeWebSocketFrame(Buffer.alloc(0), true, {
              opcode: Opcode.CONTINUATION,
              isFinal: false,
            }),
          );
        }
      },
    ],
    [
      'a flood of WebSocket pings',
      1008,
      (a) => {
        for (let count = 0; count < 1_000; count += 1) {
          a.sendMessage(Buffer.alloc(100), Opcode.PING);
        }
      },
    ],
  ])('%s', async (_what, code, attack) => {
    const attacker = await flooded.open();
    attack(attacker);
    expect((await attacker.closeCodes.count(1, BEFORE_SILENCE_MS))[0]).toBe(code);
    await flooded.expectUnharmed(attacker);
  });
});

describe('#81 channels beyond the limit of a peer', () => {
  it('are refused and signed, and other peers have theirs', async () => {
    const attackers = await Promise.all(Array.from({ length: CHANNELS }, () => flooded.open()));
    const { bytes } = openingBy(flooded.peer);
    const answer = (await exchangeRaw(flooded.tunnel.inbound.port, bytes)).toString();
    expect(answer).toMatch(/^HTTP\/1.1 564 [^]*\r\nx-mte-relay: /i);
    expect((await channelHoldings(flooded.tunnel.inbound)).channels).toBe(CHANNELS);
    await flooded.expectUnharmed(...attackers);
  });
});
