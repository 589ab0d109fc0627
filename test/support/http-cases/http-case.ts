import { LAST_CHUNK, chunkBytes, headBytes, type Field } from '../network/raw-http.js';

/** A body, and how the end of it is marked on the wire. */
export interface CaseBody {
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  /** Each is written separately; in a chunked body, each is one chunk. */
  readonly pieces: readonly Buffer[];
  /** The value of content-length, if it is not the actual length. */
  readonly stated?: number;
  /** The trailer fields of a chunked body. */
  readonly trailers?: readonly Field[];
  /** Follows the size of every chunk. */
  readonly chunkExtension?: string;
}

export interface CaseRequest {
  readonly method: string;
  readonly target: string;
  readonly version: '1.0' | '1.1';
  readonly fields: readonly Field[];
  readonly body: CaseBody;
}

export interface CaseResponse {
  /** The heads of informational responses before this one. */
  readonly before: readonly string[];
  readonly version: '1.0' | '1.1';
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly Field[];
  readonly body: CaseBody;
  /** Whether the upstream responds after the head of the request or after its end. */
  readonly after: 'head' | 'request';
  /** How the upstream's connection ends: with the client's, or before the end of the response. */
  readonly end: 'whole' | 'close' | 'reset';
}

/** One request and its response, as a client and an upstream write them. */
export interface HttpCase {
  readonly title: string;
  readonly request: CaseRequest;
  readonly response: CaseResponse;
}

const NO_BODY: CaseBody = { framing: 'none', pieces: [] };

/** A body with content-length. */
export function sized(...pieces: readonly (string | Buffer)[]): CaseBody {
  return { framing: 'length', pieces: pieces.map(bytesOf) };
}

/** A chunked body. */
export function chunked(...pieces: readonly (string | Buffer)[]): CaseBody {
  return { framing: 'chunked', pieces: pieces.map(bytesOf) };
}

/** A body that ends when the connection is closed. */
export function untilClose(...pieces: readonly (string | Buffer)[]): CaseBody {
  return { framing: 'close', pieces: pieces.map(bytesOf) };
}

export function httpCase(
  title: string,
  request: Partial<CaseRequest> = {},
  response: Partial<CaseResponse> = {},
): HttpCase {
  return {
    title,
    request: {
      method: 'GET',
      target: '/api/things?of=the+case',
      version: '1.1',
      fields: [],
      body: NO_BODY,
      ...request,
    },
    response: {
      before: [],
      version: '1.1',
      status: 200,
      reason: 'OK',
      fields: [['Content-Type', 'text/plain']],
      body: sized('answer of the upstream'),
      after: 'request',
      end: 'whole',
      ...response,
    },
  };
}

/** @param own - fields that the client sends besides those of the case */
export function requestBytes({ request }: HttpCase, own: readonly Field[]): Buffer[] {
  const { method, target, version, fields, body } = request;
  const head = headBytes(`${method} ${target} HTTP/${version}`, [
    ...own,
    ...fields,
    ...framingFields(body),
  ]);
  return [head, ...bodyBytes(body, false)];
}

/** The response, in the chunks that the upstream writes. */
export function responseBytes({ response }: HttpCase): Buffer[] {
  const { before, version, status, reason, fields, body, end } = response;
  const head = headBytes(`HTTP/${version} ${status} ${reason}`, [
    ...fields,
    ...framingFields(body),
  ]);
  return [
    ...before.map((text) => Buffer.from(text, 'latin1')),
    head,
    ...bodyBytes(body, end !== 'whole'),
  ];
}

function framingFields({ framing, pieces, stated }: CaseBody): Field[] {
  switch (framing) {
    case 'length':
      return [['Content-Length', String(stated ?? Buffer.concat(pieces).length)]];
    case 'chunked':
      return [['Transfer-Encoding', 'chunked']];
    case 'none':
    case 'close':
      return [];
  }
}

function bodyBytes(body: CaseBody, isCut: boolean): Buffer[] {
  if (body.framing !== 'chunked') {
    return [...body.pieces];
  }
  const chunks = body.pieces.map((piece) => chunkBytes(piece, body.chunkExtension));
  return isCut ? chunks : [...chunks, endOfChunks(body.trailers)];
}

function endOfChunks(trailers: readonly Field[] = []): Buffer {
  return trailers.length === 0 ? LAST_CHUNK : headBytes('0', trailers);
}

function bytesOf(text: string | Buffer): Buffer {
  return typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
}
