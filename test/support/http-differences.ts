import type { HttpCase } from './http-cases/http-case.js';
import type { GotAnswer } from './raw-client.js';
import { requestLineOf, statusOf, valueOf, type Field } from './raw-http.js';
import type { SeenRequest } from './scripted-upstream.js';

/**
 * The only differences between a request that a client sends to an upstream itself and one that goes through the tunnel.
 * What these rules do not take away is compared octet by octet. docs/http.md lists them for users under the same names.
 */

/** Field names: in lower case. RFC 9110 section 5.1: their case means nothing. */
const inLowerCase = (fields: readonly Field[]): Field[] =>
  fields.map(([name, value]): Field => [name.toLowerCase(), value]);

/** Hop-by-hop fields: each connection has its own. RFC 9110 section 7.6.1, with the historic ones. */
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

/** Fields of the tunnel: they are the relays' own. */
const RELAY_PREFIX = 'x-mte-';

/** Host and Expect: the upstream's host is its own, and 100-continue is honoured by the relay that the client talks to. */
const ONE_CONNECTION = new Set(['host', 'expect']);

/** Lengths: compared by themselves, since they may stand elsewhere among the fields. */
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

/** A request as an upstream may count on it. */
export interface ComparableRequest {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly Field[];
  /** A stated length; chunks; or nothing, where the body is empty: an empty body may be framed in any way. */
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

/** An answer as a client may count on it. */
export interface ComparableAnswer {
  readonly status: number;
  readonly fields: readonly Field[];
  /** As it was stated; a 204 never has one (RFC 9110 section 8.6). */
  readonly length: string | undefined;
  readonly body: string;
  readonly isComplete: boolean;
}

/** Reason phrases, versions, trailers, chunk sizes and informational answers are hop-by-hop or mean nothing. */
export function comparableAnswer({ head, body, isComplete }: GotAnswer): ComparableAnswer {
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

/** An upload may be cut once its answer is whole; before that the request arrives as it was sent. */
export function comparesRequest({ answer }: HttpCase): boolean {
  return answer.after === 'request';
}

/** An MTE answer is released whole or not at all: where it breaks off, the client gets a 502 instead of a part. */
export function isRefusedWhole({ answer }: HttpCase, type: string): boolean {
  return type === 'MTE' && answer.end !== 'whole';
}

function framingOf(framing: string, bytes: number): string {
  return framing === 'length' ? `length ${bytes}` : framing;
}

/** Octets as a text that a failed comparison can show. */
function shown(body: Buffer): string {
  return body.toString('latin1');
}
