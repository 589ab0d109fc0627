import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

import axios from 'axios';
import { Agent, fetch, request } from 'undici';

export interface LibraryRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer | Readable;
  readonly signal?: AbortSignal;
}

export interface LibraryResponse {
  readonly status: number;
  readonly cookies: readonly string[];
  readonly header: (name: string) => string | undefined;
  /** Emits chunks as they arrive, and an error if the response is cut off. */
  readonly body: Readable;
}

/** A widely used HTTP client, configured to follow no redirects and to accept every status. */
export interface LibraryClient {
  readonly name: string;
  /** Whether the client decodes gzip. */
  readonly decodes: boolean;
  readonly send: (url: string, request: LibraryRequest) => Promise<LibraryResponse>;
  readonly close: () => Promise<void>;
}

type Values = Readonly<Record<string, string | string[] | undefined>>;

const headerIn = (headers: Values) => (name: string) => {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
};

const cookiesIn = (headers: Values): string[] => [headers['set-cookie'] ?? []].flat();

function nodeHttp(): LibraryClient {
  const agent = new HttpAgent({ keepAlive: true });
  return {
    name: 'node:http',
    decodes: false,
    send: (url, { body, ...options }) =>
      new Promise((resolve, reject) => {
        // Node.js adds framing fields on its own only for some methods.
        const framing = Buffer.isBuffer(body) ? { 'content-length': String(body.length) } : {};
        const headers = { ...options.headers, ...framing };
        const spec = { agent, ...options, headers };
        const client = httpRequest(url, spec, (message: IncomingMessage) => {
          resolve({
            status: message.statusCode ?? 0,
            cookies: cookiesIn(message.headers),
            header: headerIn(message.headers),
            body: message,
          });
        });
        client.on('error', reject);
        if (body instanceof Readable) {
          body.pipe(client);
        } else {
          client.end(body);
        }
      }),
    close: () => {
      agent.destroy();
      return Promise.resolve();
    },
  };
}

function undiciRequest(): LibraryClient {
  const dispatcher = new Agent();
  return {
    name: 'undici request',
    decodes: false,
    send: async (url, options) => {
      const response = await request(url, {
        dispatcher,
        ...options,
        method: options.method as 'GET',
        body: options.body ?? null,
      });
      return {
        status: response.statusCode,
        cookies: cookiesIn(response.headers),
        header: headerIn(response.headers),
        body: response.body,
      };
    },
    close: () => dispatcher.close(),
  };
}

function undiciFetch(): LibraryClient {
  const dispatcher = new Agent();
  return {
    name: 'fetch',
    decodes: true,
    send: async (url, { body, ...options }) => {
      const response = await fetch(url, {
        dispatcher,
        redirect: 'manual',
        duplex: 'half',
        ...options,
        ...(body === undefined ? {} : { body }),
      });
      return {
        status: response.status,
        cookies: response.headers.getSetCookie(),
        header: (name) => response.headers.get(name) ?? undefined,
        body: response.body === null ? Readable.from([]) : Readable.fromWeb(response.body),
      };
    },
    close: () => dispatcher.close(),
  };
}

function axiosClient(): LibraryClient {
  const httpAgent = new HttpAgent({ keepAlive: true });
  const client = axios.create({
    httpAgent,
    proxy: false,
    maxRedirects: 0,
    responseType: 'stream',
    validateStatus: () => true,
    transformRequest: (body: unknown) => body,
  });
  return {
    name: 'axios',
    decodes: true,
    send: async (url, { body, signal, ...options }) => {
      const response = await client.request<Readable>({
        url,
        ...options,
        ...(body === undefined ? {} : { data: body }),
        ...(signal === undefined ? {} : { signal }),
      });
      const headers = response.headers as Values;
      return {
        status: response.status,
        cookies: cookiesIn(headers),
        header: headerIn(headers),
        body: response.data,
      };
    },
    close: () => {
      httpAgent.destroy();
      return Promise.resolve();
    },
  };
}

/** Every client that the conformance tests run with. */
export const LIBRARY_CLIENTS: readonly (() => LibraryClient)[] = [
  nodeHttp,
  undiciRequest,
  undiciFetch,
  axiosClient,
];

/** The whole body of a response; rejects if it is cut off. */
export function bodyOf({ body }: LibraryResponse): Promise<Buffer> {
  return buffer(body);
}
