import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';

import { WebSocket, type ClientOptions } from 'ws';

import type { UpgradeWay } from '../tunnels/upgrade-ways.js';
import {
  recordWebSocket,
  type AcceptedWebSocket,
  type RecordedWebSocket,
  type TestWebSocketServer,
} from '../upstreams/web-socket-server.js';

/** Tells the ends of different WebSockets apart. */
export const PAIR_FIELD = 'x-pair';

export interface WebSocketClientOptions extends ClientOptions {
  readonly path?: string;
  readonly protocols?: string[];
}

const connect = (
  { webSocketUrl, headers }: UpgradeWay,
  { path = '/', protocols = [], ...options }: WebSocketClientOptions,
): WebSocket =>
  new WebSocket(webSocketUrl + path, protocols, {
    ...options,
    headers: { ...headers, ...options.headers },
  });

/** A client's end of a WebSocket, and the 101 that opened it. */
export interface OpenedWebSocket extends RecordedWebSocket {
  readonly response: IncomingMessage;
}

/** Opens a WebSocket of `ws`. Rejects if it is not granted. */
export async function openWebSocket(
  way: UpgradeWay,
  options: WebSocketClientOptions = {},
): Promise<OpenedWebSocket> {
  const socket = connect(way, options);
  // Recorded from the start: a message may follow the 101 in the same read.
  const recorded = recordWebSocket(socket);
  const [[response]] = (await Promise.all([once(socket, 'upgrade'), once(socket, 'open')])) as [
    [IncomingMessage],
    unknown,
  ];
  return { ...recorded, response };
}

/** A response other than 101, as a client of `ws` receives it. */
export interface RefusedHandshake {
  readonly status: number | undefined;
  readonly statusMessage: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Asks for a WebSocket that is to be refused. */
export async function refusedWebSocket(
  way: UpgradeWay,
  options: WebSocketClientOptions = {},
): Promise<RefusedHandshake> {
  const socket = connect(way, options);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  const { statusCode: status, statusMessage, headers } = response;
  return { status, statusMessage, headers, body: (await buffer(response)).toString() };
}

/** What a client of `ws` says of a handshake that it does not accept. */
export async function failedWebSocket(
  way: UpgradeWay,
  options: WebSocketClientOptions = {},
): Promise<string> {
  const socket = connect(way, options);
  const [error] = (await once(socket, 'error')) as [Error];
  return error.message;
}

/** Both ends of one WebSocket. */
export interface WebSocketPair {
  readonly client: OpenedWebSocket;
  readonly api: AcceptedWebSocket;
}

let pairs = 0;

/** Opens a WebSocket, and finds its end at the server. */
export async function openPair(
  server: TestWebSocketServer,
  way: UpgradeWay,
  { headers, ...options }: WebSocketClientOptions = {},
): Promise<WebSocketPair> {
  pairs += 1;
  const name = String(pairs);
  const [client, api] = await Promise.all([
    openWebSocket(way, { ...options, headers: { ...headers, [PAIR_FIELD]: name } }),
    server.accepted.find(({ request }) => request.headers[PAIR_FIELD] === name),
  ]);
  return { client, api };
}
