import { createHash } from 'node:crypto';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { gunzipSync } from 'node:zlib';

import { listen, type Listening } from '../network/listen.js';

/** One request of a program and the response to it, as the program sent and received them. */
export interface ForwardedExchange {
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** Names and values of the response as they were on the wire. */
  readonly rawHeaders: readonly string[];
  readonly requestHeaders: IncomingMessage['headers'];
  readonly requestBody: Buffer;
  readonly body: Buffer;
}

/** What a program that cannot add fields calls instead of a relay. */
export interface Forward extends Listening {
  /** The complete exchanges, in the order in which they ended. */
  readonly exchanges: readonly ForwardedExchange[];
}

/** Fields of one connection; both connections of the forward are used for one request only. */
const OF_CONNECTION = new Set(['connection', 'keep-alive', 'proxy-connection']);

/** Node.js announces no body for these. */
const WITHOUT_BODY = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS']);

const isFramed = ({ headers }: IncomingMessage): boolean =>
  headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;

const LONGEST_SHOWN = 2_000;

const pairsOf = (rawHeaders: readonly string[]): [string, string][] =>
  rawHeaders
    .map((name, at): [string, string] => [name, rawHeaders[at + 1] ?? ''])
    .filter(([name], at) => at % 2 === 0 && !OF_CONNECTION.has(name.toLowerCase()));

/** Collects what passes; programs send and receive a few megabytes at most. */
function collect(message: IncomingMessage): () => Buffer {
  const chunks: Buffer[] = [];
  message.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks);
}

/**
 * Forwards every request unchanged, with its Host, and adds fields that its program cannot add. Without such fields,
 * and to a server instead of a relay, it is the direct way that the tunnel is compared with.
 */
export async function startForward(
  to: string,
  added: Readonly<Record<string, string>> = {},
): Promise<Forward> {
  const exchanges: ForwardedExchange[] = [];
  const server = createServer({ requestTimeout: 0 }, (incoming, outgoing) => {
    forward(to, added, incoming, outgoing, (exchange) => exchanges.push(exchange));
  });
  return { ...(await listen(server)), exchanges };
}

function forward(
  to: string,
  added: Readonly<Record<string, string>>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  done: (exchange: ForwardedExchange) => void,
): void {
  const method = incoming.method ?? '';
  const target = incoming.url ?? '';
  const requestBody = collect(incoming);
  const headers = [...pairsOf(incoming.rawHeaders), ...Object.entries(added)].flat();
  if (!isFramed(incoming) && !WITHOUT_BODY.has(method)) {
    // Otherwise Node.js would announce chunks, which WebDAV servers take for a body.
    headers.push('content-length', '0');
  }
  const onward = request(to, { agent: false, method, path: target, headers });
  onward.once('response', (response) => {
    if (outgoing.destroyed) {
      onward.destroy();
      return;
    }
    const body = collect(response);
    const status = response.statusCode ?? 0;
    outgoing.sendDate = false;
    outgoing.writeHead(status, response.statusMessage, pairsOf(response.rawHeaders).flat());
    response.once('end', () => {
      const { rawHeaders } = response;
      const fields = { headers: response.headers, rawHeaders };
      const sent = { requestHeaders: incoming.headers, requestBody: requestBody() };
      done({ method, target, status, ...fields, ...sent, body: body() });
    });
    pipeline(response, outgoing, (error) => {
      // Whoever cut the response off, the other side must learn of it.
      if (error) {
        outgoing.destroy();
        onward.destroy();
      }
    });
  });
  onward.once('error', () => {
    outgoing.destroy();
  });
  pipeline(incoming, onward, () => undefined);
}

/** The body of a response as its program reads it. */
const decodedBody = ({ headers, body }: ForwardedExchange): Buffer =>
  headers['content-encoding'] === 'gzip' && body.length > 0 ? gunzipSync(body) : body;

/** Replaces an origin and a host in text; bodies that are not text are compared as they are. */
const replacing =
  ({ url, port }: Listening) =>
  (bytes: Buffer | string): string =>
    (Buffer.isBuffer(bytes) ? bytes.toString('latin1') : bytes)
      .replaceAll(url, '<origin>')
      .replaceAll(`127.0.0.1:${port}`, '<host>')
      .replaceAll(`localhost:${port}`, '<host>');

const lineOf = ({ method, target, status }: ForwardedExchange): string =>
  `${method} ${target} ${status}`;

/** The method, target and status of every exchange, sorted. */
export const linesOf = ({ exchanges }: Forward): string[] => exchanges.map(lineOf).sort();

/** What to compare of two runs of one program. */
export interface Comparison {
  /** Fields of the response, beside its status and its body. */
  readonly fields?: readonly string[];
  /** What differs in every run, such as random names; it is compared as `*`. */
  readonly varying?: readonly RegExp[];
}

/**
 * What two runs of one program must have in common: each request with its body, and the status, the named fields and
 * the body of its response. Sorted, because programs send several requests at a time.
 */
export function comparableExchanges(
  forward: Forward,
  { fields = ['content-type', 'location'], varying = [] }: Comparison = {},
): string[][] {
  const origin = replacing(forward);
  const plain = (bytes: Buffer | string): string =>
    varying.reduce((text, each) => text.replaceAll(each, '*'), origin(bytes));
  return forward.exchanges
    .map((exchange) => [
      plain(lineOf(exchange)),
      ...fields.map((name) => `${name}: ${plain(String(exchange.headers[name]))}`),
      shown(plain(exchange.requestBody)),
      shown(plain(decodedBody(exchange))),
    ])
    .sort();
}

/** Short bodies as they are, and the others so that a difference is reported in one line. */
export const shown = (body: string): string =>
  body.length <= LONGEST_SHOWN
    ? body
    : `${body.length} octets, SHA-256 ${createHash('sha256').update(body, 'latin1').digest('hex')}`;
