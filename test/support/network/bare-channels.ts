import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';

import { WebSocket, WebSocketServer } from 'ws';

import { listen, type Listening } from './listen.js';

/** What the handshake of a channel looks like on the path, without relays: docs/protocol.md section 11.1. */
export const CHANNEL_PATH = '/api/mte-channel';
export const SUBPROTOCOL = 'mte-relay.1';
/** The largest WebSocket message of a channel: docs/protocol.md section 11.2. */
export const LARGEST_MESSAGE_BYTES = 69_662;

const RESPONSE_FIELD = `1.${'b'.repeat(22)}`;
export const REQUEST_FIELDS = {
  'x-mte-relay': `1.${'a'.repeat(22)}.1.0.chan.${'c'.repeat(22)}`,
  'x-mte-client-id': 'MEFBQUFBQUFBQUFBQUFBQUFBQUFBQQ',
};

/** A server in the place of relay B. */
export interface ChannelServer extends Listening {
  /** The fields of every handshake that arrived. */
  readonly handshakes: readonly IncomingHttpHeaders[];
  /** The channels that are open. */
  readonly channels: ReadonlySet<WebSocket>;
}

/** Accepts channels and echoes their messages; other requests get back what they said, after `HTTP`. */
export async function startChannelServer(): Promise<ChannelServer> {
  const handshakes: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    void echo(request).then((text) => response.end(text));
  });
  const sockets = new WebSocketServer({
    server,
    path: CHANNEL_PATH,
    perMessageDeflate: false,
    maxPayload: LARGEST_MESSAGE_BYTES,
  });
  sockets.on('headers', (headers) => headers.push(`x-mte-relay: ${RESPONSE_FIELD}`));
  sockets.on('connection', (channel, { headers }) => {
    handshakes.push(headers);
    channel.on('error', () => undefined);
    channel.on('message', (message: Buffer, isBinary) => {
      channel.send(message, { binary: isBinary });
    });
  });
  return { ...(await listen(server)), handshakes, channels: sockets.clients };
}

async function echo(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  return `HTTP ${request.method} ${Buffer.concat(chunks).toString()}`;
}

/** An attempt to open a channel: the channel, or the status of the response that was given instead. */
export async function openChannel(origin: string): Promise<WebSocket | number | undefined> {
  const channel = new WebSocket(origin.replace('http', 'ws') + CHANNEL_PATH, SUBPROTOCOL, {
    perMessageDeflate: false,
    headers: REQUEST_FIELDS,
  });
  const refused = new Promise<number | undefined>((resolve) => {
    channel.once('unexpected-response', (request, response) => {
      request.destroy();
      resolve(response.statusCode);
    });
  });
  const upgraded = once(channel, 'upgrade') as Promise<[IncomingMessage]>;
  const opened = (async () => {
    const [[response]] = await Promise.all([upgraded, once(channel, 'open')]);
    return response.headers['x-mte-relay'] === RESPONSE_FIELD ? channel : response.statusCode;
  })();
  return Promise.race([opened, refused]);
}
