import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

import { listen, type Listening } from '../network/listen.js';
import { Recorder } from '../lifecycle/recorder.js';

/** A request as the upstream received it. */
export interface UpstreamRequest {
  readonly method: string;
  /** The request target as it was on the wire. */
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingMessage['headers'];
  readonly message: IncomingMessage;
  /** Reads the whole body; rejects if it is cut off. */
  readonly body: () => Promise<Buffer>;
  /** How the request's body ended: completely, or with the connection. */
  readonly outcome: Promise<'complete' | 'aborted'>;
}

export type UpstreamHandler = (
  request: UpstreamRequest,
  response: ServerResponse,
) => void | Promise<void>;

/** A real HTTP server that records its requests. By default it echoes bodies. */
export interface Upstream extends Listening {
  /** Every request, available from its head on. */
  readonly requests: Recorder<UpstreamRequest>;
  /** The number of requests received. */
  readonly hits: number;
  /** Sets the handler of requests from now on. */
  handle(handler: UpstreamHandler): void;
  /** Discards the recorded requests. */
  forget(): void;
}

/** Responds with 200 and the body of the request, once that is complete. */
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
    const respond = async (): Promise<void> => {
      await current(request, response);
    };
    // A body that is cut off ends the connection; `outcome` records it.
    respond().catch(() => response.destroy());
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
