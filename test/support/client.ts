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

import { Recorder } from './recorder.js';

/** Every request has a connection of its own, so that none inherits another's fate. */
const agent = new Agent({ keepAlive: false });

export interface ClientRequestSpec {
  readonly method?: string;
  /** Request target, sent as it is. */
  readonly path?: string;
  readonly headers?: OutgoingHttpHeaders;
  /** A Buffer or text goes out with its length, a stream chunked. */
  readonly body?: Buffer | string | Readable;
  /** PEM of the authority that an https origin is verified against. */
  readonly ca?: string;
}

export interface ClientResponse {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** As they stood on the wire. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** What an error answer of a relay says. */
export interface RelayErrorBody {
  readonly code: string;
  readonly message: string;
  readonly forwarded: 'no' | 'maybe';
  readonly requestId: string;
}

/** Sends one request and collects its answer. Rejects where the answer breaks off. */
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

/** Sends one request and hands out its answer as soon as the head is there. */
export function openRequest(
  origin: string,
  { method = 'GET', path = '/', headers = {}, body, ca }: ClientRequestSpec = {},
): Promise<{ readonly message: IncomingMessage; readonly client: ClientRequest }> {
  return new Promise((resolve, reject) => {
    const options = { method, path, headers: { ...framing(body), ...headers } };
    const client = origin.startsWith('https:')
      ? httpsRequest(origin, { ...options, agent: false, ...(ca !== undefined && { ca }) })
      : httpRequest(origin, { ...options, agent });
    client.once('response', (message: IncomingMessage) => {
      resolve({ message, client });
    });
    client.on('error', reject);
    if (body instanceof Readable) {
      // An answer may come before the body has left; then its fate says nothing.
      pipeline(body, client).catch(reject);
    } else {
      client.end(body);
    }
  });
}

/** An answer as it arrives. */
export interface StreamedAnswer {
  readonly message: IncomingMessage;
  readonly client: ClientRequest;
  readonly chunks: Recorder<Buffer>;
  /** Whether it came to its end, or broke off. */
  readonly ended: Promise<'complete' | 'aborted'>;
  /** Resolves once what has arrived holds `text`. */
  until(text: string): Promise<void>;
}

/** Sends one request and reads its answer as it arrives. */
export async function streamRequest(
  origin: string,
  spec: ClientRequestSpec = {},
): Promise<StreamedAnswer> {
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

/** Node.js frames bodies by itself only for some methods. */
function framing(body: ClientRequestSpec['body']): OutgoingHttpHeaders {
  if (body === undefined) {
    return {};
  }
  return body instanceof Readable
    ? { 'transfer-encoding': 'chunked' }
    : { 'content-length': Buffer.byteLength(body) };
}

/** The error that a relay answered with. */
export function errorOf({ body }: ClientResponse): RelayErrorBody {
  return (JSON.parse(body.toString()) as { readonly error: RelayErrorBody }).error;
}

/** Every value of a field, in the order of the wire. */
export function fieldValues(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
}
