import { LAST_CHUNK, chunkBytes, headBytes, type Field } from '../raw-http.js';

/** A body and how the wire says where it ends. */
export interface CaseBody {
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  /** Each is written by itself, and is a chunk of a chunked body. */
  readonly pieces: readonly Buffer[];
  /** The length that is stated, where it is not the true one. */
  readonly stated?: number;
  /** Behind a chunked body. */
  readonly trailers?: readonly Field[];
  /** Behind the size of every chunk. */
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
  /** Heads of informational answers before it. */
  readonly before: readonly string[];
  readonly version: '1.0' | '1.1';
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly Field[];
  readonly body: CaseBody;
  /** Whether it waits for the end of the request. */
  readonly after: 'head' | 'request';
  /** How the upstream's connection ends: with the client's, or before the answer's end. */
  readonly end: 'whole' | 'close' | 'reset';
}

/** One request and its answer, as a client and an upstream write them. */
export interface HttpCase {
  readonly title: string;
  readonly request: CaseRequest;
  readonly answer: CaseResponse;
}

const NO_BODY: CaseBody = { framing: 'none', pieces: [] };

/** A body with its length stated. */
export function sized(...pieces: readonly (string | Buffer)[]): CaseBody {
  return { framing: 'length', pieces: pieces.map(bytesOf) };
}

/** A body in chunks. */
export function chunked(...pieces: readonly (string | Buffer)[]): CaseBody {
  return { framing: 'chunked', pieces: pieces.map(bytesOf) };
}

/** A body that lasts until its connection is closed. */
export function untilClose(...pieces: readonly (string | Buffer)[]): CaseBody {
  return { framing: 'close', pieces: pieces.map(bytesOf) };
}

export function httpCase(
  title: string,
  request: Partial<CaseRequest> = {},
  answer: Partial<CaseResponse> = {},
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
    answer: {
      before: [],
      version: '1.1',
      status: 200,
      reason: 'OK',
      fields: [['Content-Type', 'text/plain']],
      body: sized('answer of the upstream'),
      after: 'request',
      end: 'whole',
      ...answer,
    },
  };
}

/** @param own - fields of the client beside those of the case */
export function requestBytes({ request }: HttpCase, own: readonly Field[]): Buffer[] {
  const { method, target, version, fields, body } = request;
  const head = headBytes(`${method} ${target} HTTP/${version}`, [
    ...own,
    ...fields,
    ...framingFields(body),
  ]);
  return [head, ...bodyBytes(body, false)];
}

/** The answer in the pieces that the upstream writes. */
export function responseBytes({ answer }: HttpCase): Buffer[] {
  const { before, version, status, reason, fields, body, end } = answer;
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
