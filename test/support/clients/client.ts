import {
  Agent,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

import { Recorder } from '../lifecycle/recorder.js';

/** Every request uses its own connection, so that one request cannot affect another. */
const agent = new Agent({ keepAlive: false });

export interface ClientRequestSpec {
  readonly method?: string;
  /** The request target, sent unchanged. */
  readonly path?: string;
  readonly headers?: OutgoingHttpHeaders;
  /** A buffer or a string is sent with `content-length`, a stream in chunks. */
  readonly body?: Buffer | string | Readable;
  /** PEM certificate of the authority that an https origin is verified against. */
  readonly ca?: string;
  /** The Unix domain socket to connect to, instead of the host of the origin. */
  readonly socketPath?: string;
}

export interface ClientResponse {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** Names and values as they were on the wire. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** The `error` object in the body of a relay's error response. */
export interface RelayErrorBody {
  readonly code: string;
  readonly message: string;
  readonly forwarded: 'no' | 'maybe';
  readonly requestId: string;
}

/** Sends one request and collects the response. Rejects if the response is cut off. */
export async function request(
  origin: string,
  spec: ClientRequestSpec = {},
): Promise<ClientResponse> {
  const { message } = await openRequest(origin, spec);
  return {
    status: message.statusCode ?? 0,
    headers: message.headers,
    rawHeaders: message.rawHeaders,
    body: await buffer(message),
  };
}

/** Sends one request and resolves as soon as the head of the response has arrived. */
export function openRequest(
  origin: string,
  { method = 'GET', path = '/', headers = {}, body, ca, socketPath }: ClientRequestSpec = {},
): Promise<{ readonly message: IncomingMessage; readonly client: ClientRequest }> {
  return new Promise((resolve, reject) => {
    const options = {
      method,
      path,
      headers: { ...framing(body), ...headers },
      ...(socketPath !== undefined && { socketPath }),
    };
    const client = origin.startsWith('https:')
      ? httpsRequest(origin, { ...options, agent: false, ...(ca !== undefined && { ca }) })
      : httpRequest(origin, { ...options, agent });
    client.once('response', (message: IncomingMessage) => {
      resolve({ message, client });
    });
    client.on('error', reject);
    if (body instanceof Readable) {
      // A response may arrive before the body is sent; whether sending it fails does not matter then.
      pipeline(body, client).catch(reject);
    } else {
      client.end(body);
    }
  });
}

/** A response as it arrives. */
export interface StreamedResponse {
  readonly message: IncomingMessage;
  readonly client: ClientRequest;
  readonly chunks: Recorder<Buffer>;
  /** Whether the response was complete or was cut off. */
  readonly ended: Promise<'complete' | 'aborted'>;
  /** Resolves once the part that has arrived contains `text`. */
  until(text: string): Promise<void>;
}

/** Sends one request and reads the response as it arrives. */
export async function streamRequest(
  origin: string,
  spec: ClientRequestSpec = {},
): Promise<StreamedResponse> {
  const { message, client } = await openRequest(origin, spec);
  const chunks = new Recorder<Buffer>();
  const ended = new Promise<'complete' | 'aborted'>((resolve) => {
    message.on('error', () => undefined);
    message.once('close', () => {
      resolve(message.complete ? 'complete' : 'aborted');
    });
  });
  message.on('data', (chunk: Buffer) => {
    chunks.add(chunk);
  });
  const until = async (text: string): Promise<void> => {
    await chunks.find(() => Buffer.concat(chunks.items).includes(text));
  };
  return { message, client, chunks, ended, until };
}

/** Node.js adds framing fields on its own only for some methods. */
function framing(body: ClientRequestSpec['body']): OutgoingHttpHeaders {
  if (body === undefined) {
    return {};
  }
  return body instanceof Readable
    ? { 'transfer-encoding': 'chunked' }
    : { 'content-length': Buffer.byteLength(body) };
}

/** The error in a relay's error response. */
export function errorOf({ body }: ClientResponse): RelayErrorBody {
  return (JSON.parse(body.toString()) as { readonly error: RelayErrorBody }).error;
}

/** Every value of a field, in wire order. */
export function fieldValues(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
}
