import type { IncomingMessage } from 'node:http';

import { PAIR_PATH, PROBE_PATH, RELAY_HEADER } from '@relay/protocol';

import type { Role } from './observability/relay-metrics.js';

/** A client's bearer token: its presence alone decides that a request is for the outbound role. */
export const TOKEN_HEADER = 'x-mte-outbound-token';

/**
 * Routes that no client can name: the door leads there, whatever path a request asks for. The router thus never reads
 * the path of a forwarded request.
 */
export const OUTBOUND_DOOR = '/-/outbound';
export const TUNNEL_DOOR = '/-/tunnel';
export const PASS_THROUGH_DOOR = '/-/pass-through';

/** What the relay answers itself, to anybody. */
const OWN_PATH = /^\/(?:api\/mte-echo(?:\/[^/]+)?|health\/(?:live|ready))$/;

/**
 * Decides once, in the order of protocol.md section 3, which controller a request goes to.
 *
 * @returns the route to look up instead of the request's own path
 */
export function doorOf(request: IncomingMessage): string {
  const { headers, method, url = '' } = request;
  if (headers[TOKEN_HEADER] !== undefined) {
    return OUTBOUND_DOOR;
  }
  const path = pathOf(url);
  const isRead = method === 'GET' || method === 'HEAD';
  if ((path === PROBE_PATH && isRead) || (path === PAIR_PATH && method === 'POST')) {
    return path;
  }
  if (method === 'POST' && headers[RELAY_HEADER] !== undefined) {
    return TUNNEL_DOOR;
  }
  return isRead && OWN_PATH.test(path) ? path : PASS_THROUGH_DOOR;
}

/** The role behind a door or path that `doorOf` gave. */
export function roleOf(door: string): Role {
  switch (door) {
    case OUTBOUND_DOOR:
      return 'outbound';
    case TUNNEL_DOOR:
      return 'inbound';
    case PASS_THROUGH_DOOR:
      return 'pass-through';
    case PAIR_PATH:
      return 'pairing';
    default:
      return 'own';
  }
}

function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}
