import type { IncomingMessage } from 'node:http';

import { hasRequestBody } from '@relay/http';
import {
  CHANNEL_PATH,
  MAX_UPGRADE_BODY_BYTES,
  PAIR_PATH,
  PROBE_PATH,
  RELAY_HEADER,
} from '@relay/protocol';

import type { Role } from '../telemetry/request-record.js';
import { entranceOf } from './entrance.js';

/** The field with a client's bearer token. Its presence alone decides that a request is for the outbound role. */
export const TOKEN_HEADER = 'x-mte-outbound-token';
/** The field with the credentials of a client of the forward proxy. RFC 9110 section 11.7.2. */
export const PROXY_CREDENTIALS_HEADER = 'proxy-authorization';

/** How a client says which peer its request is for: by fields, as for a proxy, or by the listener that it has called. */
export type Way = 'fields' | 'proxy' | 'listener';

/**
 * Routes that no client can name: requests are routed there whatever path they ask for, so the router never reads the path of a
 * forwarded request.
 */
export const OUTBOUND_ROUTE = '/-/outbound';
export const TUNNEL_ROUTE = '/-/tunnel';
export const CHANNEL_ROUTE = '/-/channel';
export const PASS_THROUGH_ROUTE = '/-/pass-through';

/** The paths of the relay's own endpoints, which are open to everybody. */
const OWN_PATH = /^\/(?:api\/mte-echo(?:\/[^/]+)?|health\/(?:live|ready))$/;

const ABSOLUTE_FORM = /^[A-Za-z][A-Za-z0-9+.-]*:/;

/** Where a request goes. */
interface Routing {
  /** The role in which this relay serves the request. */
  readonly role: Role;
  /** The route to look up instead of the request's own path. */
  readonly route: string;
}

const OUTBOUND: Routing = { role: 'outbound', route: OUTBOUND_ROUTE };
const TUNNEL: Routing = { role: 'inbound', route: TUNNEL_ROUTE };
const CHANNEL: Routing = { role: 'inbound', route: CHANNEL_ROUTE };
const PASS_THROUGH: Routing = { role: 'pass-through', route: PASS_THROUGH_ROUTE };
const PAIRING: Routing = { role: 'pairing', route: PAIR_PATH };

/** Decides, once for each request and in the order of protocol.md section 3, which role serves it. */
export function routingOf(request: IncomingMessage): Routing {
  const { headers, method, url = '' } = request;
  if (wayOf(request) !== undefined) {
    return OUTBOUND;
  }
  const path = pathOf(url);
  const isRead = method === 'GET' || method === 'HEAD';
  if (path === PAIR_PATH && method === 'POST') {
    return PAIRING;
  }
  if (path === PROBE_PATH && isRead) {
    return { role: 'own', route: path };
  }
  if (method === 'POST' && headers[RELAY_HEADER] !== undefined) {
    return TUNNEL;
  }
  if (method === 'GET' && path === CHANNEL_PATH && headers[RELAY_HEADER] !== undefined) {
    return CHANNEL;
  }
  return isRead && OWN_PATH.test(path) ? { role: 'own', route: path } : PASS_THROUGH;
}

/** How a request says which peer it is for; undefined if it is not one for the outbound role. */
export function wayOf(request: IncomingMessage): Way | undefined {
  const { listener, isProxy } = entranceOf(request);
  if (listener !== undefined) {
    return 'listener';
  }
  const { headers } = request;
  // These are of the client itself, while a token may be that of others, whose fields it passes on.
  if (headers[PROXY_CREDENTIALS_HEADER] !== undefined && isInAbsoluteForm(request)) {
    return 'proxy';
  }
  if (headers[TOKEN_HEADER] !== undefined) {
    return 'fields';
  }
  return isProxy && isInAbsoluteForm(request) ? 'proxy' : undefined;
}

/** Whether the target names a scheme, and so a server that need not be this relay. RFC 9112 section 3.2.2. */
export function isInAbsoluteForm(request: IncomingMessage): boolean {
  return ABSOLUTE_FORM.test(rawTargetOf(request));
}

/** The target of a request as its client has sent it, also once the request was given another route. */
export function rawTargetOf(request: IncomingMessage & { readonly originalUrl?: string }): string {
  return request.originalUrl ?? request.url ?? '';
}

/**
 * Whether the upgrade that a request offers may be taken up: it opens a channel, or a client asks for a protocol that this relay
 * carries. What is for this relay itself, or for its inbound role, offers nothing else. HTTP/1.0 knows no upgrades.
 *
 * @param protocols - that clients may ask for, in lower case
 */
export function isUpgrade(request: IncomingMessage, protocols: readonly string[]): boolean {
  const routing = routingOf(request);
  if (request.httpVersion !== '1.1') {
    return false;
  }
  if (routing === CHANNEL) {
    return !hasRequestBody(request);
  }
  const isOfClient = routing === OUTBOUND || routing === PASS_THROUGH;
  return isOfClient && isOfferOf(request, protocols) && hasShortBody(request);
}

/** Whether the body of a request for an upgrade can be read before anything is forwarded: it is short, and its length is stated. */
export function hasShortBody({ headers }: IncomingMessage): boolean {
  const isShort = Number(headers['content-length'] ?? 0) <= MAX_UPGRADE_BODY_BYTES;
  return isShort && headers['transfer-encoding'] === undefined;
}

/** Whether a request names exactly one protocol in `upgrade`, and one of these. @param protocols - in lower case */
export function isOfferOf({ headers }: IncomingMessage, protocols: readonly string[]): boolean {
  return protocols.includes(headers.upgrade?.trim().toLowerCase() ?? '');
}

function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}
