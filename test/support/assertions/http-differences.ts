import type { HttpCase } from '../http-cases/http-case.js';
import type { ReceivedResponse } from '../clients/raw-client.js';
import { requestLineOf, statusOf, valueOf, type Field } from '../network/raw-http.js';
import type { SeenRequest } from '../upstreams/scripted-upstream.js';

/**
 * The only differences between a request that a client sends directly to an upstream and one that it sends through the
 * tunnel. All that these rules do not remove is compared octet by octet. docs/http.md lists them under the same names.
 */

/** Field names: in lower case. They are case-insensitive (RFC 9110 section 5.1). */
const inLowerCase = (fields: readonly Field[]): Field[] =>
  fields.map(([name, value]): Field => [name.toLowerCase(), value]);

/** Hop-by-hop fields: each connection has its own. RFC 9110 section 7.6.1, and historic ones. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Fields of the tunnel: they belong to the relays. */
const RELAY_PREFIX = 'x-mte-';

/** Host and Expect: the relay sends the upstream's own host, and honours 100-continue itself. */
const ONE_CONNECTION = new Set(['host', 'expect']);

/** Lengths: compared separately, because their position among the fields may change. */
const LENGTH = 'content-length';

function endToEnd(fields: readonly Field[], ownOfConnection: ReadonlySet<string>): Field[] {
  const lower = inLowerCase(fields);
  const named = new Set(
    lower
      .filter(([name]) => name === 'connection')
      .flatMap(([, value]) => value.split(',').map((option) => option.trim().toLowerCase())),
  );
  return lower.filter(
    ([name]) =>
      !HOP_BY_HOP.has(name) &&
      !named.has(name) &&
      !name.startsWith(RELAY_PREFIX) &&
      !ownOfConnection.has(name) &&
      name !== LENGTH,
  );
}

/** The parts of a request that an upstream can rely on. */
export interface ComparableRequest {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly Field[];
  /** `length …` or `chunked`; `empty` for every empty body, which may be framed in any way. */
  readonly framing: string;
  readonly body: string;
  readonly isComplete: boolean;
}

export function comparableRequest(seen: SeenRequest): ComparableRequest {
  return {
    ...requestLineOf(seen.head),
    fields: endToEnd(seen.head.fields, ONE_CONNECTION),
    framing: seen.body.length === 0 ? 'empty' : framingOf(seen.framing, seen.body.length),
    body: shown(seen.body),
    isComplete: seen.isComplete,
  };
}

/** The parts of a response that a client can rely on. */
export interface ComparableResponse {
  readonly status: number;
  readonly fields: readonly Field[];
  /** The value of content-length; a 204 never has one (RFC 9110 section 8.6). */
  readonly length: string | undefined;
  readonly body: string;
  readonly isComplete: boolean;
}

/** Leaves out reason phrases, versions, trailers, chunk sizes and informational responses: none is end-to-end. */
export function comparableResponse({
  head,
  body,
  isComplete,
}: ReceivedResponse): ComparableResponse {
  const { fields = [] } = head ?? {};
  const status = head === undefined ? 0 : statusOf(head);
  return {
    status,
    fields: endToEnd(fields, new Set()),
    length: status === 204 ? undefined : valueOf(fields, LENGTH),
    body: shown(body),
    isComplete,
  };
}

/** Whether the request must arrive as it was sent: an upload may be cut off once its response is complete. */
export function comparesRequest({ response }: HttpCase): boolean {
  return response.after === 'request';
}

/** An MTE response is released as a whole or not at all: if it is cut off, the client receives a 502 and no part. */
export function isRefusedWhole({ response }: HttpCase, type: string): boolean {
  return type === 'MTE' && response.end !== 'whole';
}

function framingOf(framing: string, bytes: number): string {
  return framing === 'length' ? `length ${bytes}` : framing;
}

/** Octets as a string, which a failed comparison can print. */
function shown(body: Buffer): string {
  return body.toString('latin1');
}
