import { exchangeBytes, type ReceivedResponse } from '../clients/raw-client.js';
import { headBytes, type Field } from '../network/raw-http.js';
import type { RawTunnel } from './raw-tunnel.js';

/** The ways of a request to the upstream: sealed, or on a pass-through route of relay B. */
export const WAYS = ['tunnel', 'pass-through'] as const;
export type Way = (typeof WAYS)[number];

/** Sends a request on a connection of its own. On `pass-through`, relay B must have a route for it. */
export function sendOn(
  way: Way,
  tunnel: RawTunnel,
  startLine: string,
  fields: readonly Field[] = [],
  body = '',
): Promise<ReceivedResponse> {
  const [method = ''] = startLine.split(' ');
  const all: readonly Field[] = [...fields, ['Connection', 'close']];
  if (way === 'tunnel') {
    return tunnel.exchange(method, tunnel.head(`${startLine} HTTP/1.1`, ...all), body);
  }
  return exchangeBytes({
    port: tunnel.inbound.port,
    method,
    bytes: [headBytes(`${startLine} HTTP/1.1`, [['Host', 'a'], ...all]), Buffer.from(body)],
  });
}
