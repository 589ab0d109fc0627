/** A peer of a relay that only pairs with it and opens channels: as many of them as no relay of our own would open. */
import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';

import { fetch } from 'undici';
import { WebSocket } from 'ws';

import { ChannelConnection } from '#dist/apps/relay/src/channels/channel-connection.js';
import { WEB_SOCKET_OPTIONS } from '#dist/apps/relay/src/channels/web-socket-options.js';
import {
  DEFAULT_WINDOW_BYTES,
  OutboundChannel,
  WaitingOctets,
} from '#dist/libs/channel/src/index.js';
import {
  CHANNEL_PATH,
  CHANNEL_SUBPROTOCOL,
  CLIENT_ID_HEADER,
  PAIR_PATH,
  PROTOCOL_VERSION,
  PairingInitiator,
  RELAY_HEADER,
  SALT_BYTES,
  deriveRequestKey,
  deriveResponseKey,
  deriveSecretKeys,
  formatChannelHeader,
} from '#dist/libs/protocol/src/index.js';
import { SenderSigner } from '#dist/libs/signature/src/index.js';

/** @import { PairedSession } from '#dist/libs/protocol/src/index.js' */

const waiting = new WaitingOctets(2 ** 28);

/** A channel that is open. */
/** @typedef {{ check: () => void, close: () => void }} OpenChannel */

/**
 * Opens channels as that many peers of the relay at this origin.
 *
 * @param {string} origin
 * @param {string} secret
 * @param {{ peers: number, channelsEach: number }} count
 * @returns {Promise<OpenChannel[]>}
 */
export async function openChannels(origin, secret, { peers, channelsEach }) {
  const keys = await deriveSecretKeys(secret);
  const channels = [];
  for (let peer = 0; peer < peers; peer += 1) {
    const signer = new SenderSigner(keys, `bench-${peer}`);
    const session = await pair(origin, signer);
    for (let sequence = 1; sequence <= channelsEach; sequence += 1) {
      channels.push(await openChannel(origin, signer, session, sequence));
    }
  }
  return channels;
}

/**
 * @param {string} origin
 * @param {SenderSigner} signer
 */
async function pair(origin, signer) {
  const initiator = await PairingInitiator.begin(origin, Date.now());
  const clientIdHeader = signer.sign(PROTOCOL_VERSION, {
    purpose: 'pair',
    body: initiator.requestBody,
  });
  const response = await fetch(origin + PAIR_PATH, {
    method: 'POST',
    headers: { [RELAY_HEADER]: PROTOCOL_VERSION, [CLIENT_ID_HEADER]: clientIdHeader },
    body: initiator.requestBody,
  });
  const body = Buffer.from(await response.arrayBuffer());
  return initiator.complete(clientIdHeader, body, signer.secretKeys);
}

/**
 * @param {string} origin
 * @param {SenderSigner} signer
 * @param {PairedSession} session
 * @param {number} sequence
 * @returns {Promise<OpenChannel>}
 */
function openChannel(origin, signer, { sid, keys }, sequence) {
  const fields = { sid, sequence, ageSeconds: 0, type: /** @type {const} */ ('chan') };
  const relayHeader = formatChannelHeader(fields, randomBytes(SALT_BYTES));
  const socket = new WebSocket(origin.replace(/^http/, 'ws') + CHANNEL_PATH, CHANNEL_SUBPROTOCOL, {
    ...WEB_SOCKET_OPTIONS,
    generateMask: (mask) => mask.fill(0),
    headers: {
      [RELAY_HEADER]: relayHeader,
      [CLIENT_ID_HEADER]: signer.sign(relayHeader, { purpose: 'tunnel' }),
    },
  });
  let responseHeader = '';
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('upgrade', ({ headers }) => {
      responseHeader = String(headers[RELAY_HEADER]);
    });
    socket.once('open', () => {
      const options = {
        sealingKey: deriveRequestKey(keys, relayHeader),
        openingKey: deriveResponseKey(keys, relayHeader, responseHeader),
        isConnection: false,
        initialWindowBytes: DEFAULT_WINDOW_BYTES,
        waiting,
      };
      const connection = new ChannelConnection(
        socket,
        { monotonicMs: () => performance.now() },
        (transport, events) => new OutboundChannel(options, transport, events),
        {
          onOpen: () =>
            resolve({
              check: () => connection.check(),
              close: () => connection.terminate(new Error('the measurement is over')),
            }),
          onDraining: () => undefined,
          onReset: () => undefined,
          onEnd: (cause) => reject(cause ?? new Error('the relay has ended a channel')),
        },
      );
    });
  });
}
