import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

import { listen, type Listening } from './listen.js';
import { Recorder } from './recorder.js';

/** A request as the upstream received it. */
export interface UpstreamRequest {
  readonly method: string;
  /** Request target as it stood on the wire. */
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingMessage['headers'];
  readonly message: IncomingMessage;
  /** Reads the whole body; rejects where it breaks off. */
  readonly body: () => Promise<Buffer>;
  /** How the request's body ended: with its end, or with the connection. */
  readonly outcome: Promise<'complete' | 'aborted'>;
}

export type UpstreamHandler = (
  request: UpstreamRequest,
  response: ServerResponse,
) => void | Promise<void>;

/** A real HTTP server that records what it gets. By default it echoes bodies. */
export interface Upstream extends Listening {
  /** Every request, from its head on. */
  readonly requests: Recorder<UpstreamRequest>;
  /** How often it was called. */
  readonly hits: number;
  /** What answers from now on. */
  handle(handler: UpstreamHandler): void;
  /** Forgets the requests so far. */
  forget(): void;
}

/** Answers 200 with the body that it got, once that is whole. */
export const echoBody: UpstreamHandler = async (request, response) => {
  const body = await request.body();
  response.writeHead(200, {
    'content-type': request.headers['content-type'] ?? 'application/octet-stream',
    'content-length': body.length,
  });
  response.end(body);
};

export async function startUpstream(handler: UpstreamHandler = echoBody): Promise<Upstream> {
  const requests = new Recorder<UpstreamRequest>();
  let current = handler;
  const server = createServer({ requestTimeout: 0 }, (message, response) => {
    response.on('error', () => undefined);
    const request = recorded(message);
    requests.add(request);
    const answer = async (): Promise<void> => {
      await current(request, response);
    };
    // A body that breaks off ends the connection; the outcome tells of it.
    answer().catch(() => response.destroy());
  });
  const listening = await listen(server);
  return {
    ...listening,
    requests,
    get hits() {
      return requests.items.length;
    },
    handle: (next) => {
      current = next;
    },
    forget: () => {
      requests.items.length = 0;
    },
  };
}

function recorded(message: IncomingMessage): UpstreamRequest {
  const outcome = new Promise<'complete' | 'aborted'>((resolve) => {
    message.once('end', () => {
      resolve('complete');
    });
    message.once('close', () => {
      resolve(message.complete ? 'complete' : 'aborted');
    });
    message.on('error', () => undefined);
  });
  return {
    method: message.method ?? '',
    url: message.url ?? '',
    rawHeaders: message.rawHeaders,
    headers: message.headers,
    message,
    body: () => buffer(message),
    outcome,
  };
}
