import { startRelay } from '../relays/relay.js';
import { tokenOf } from '../tunnels/directory-tunnel.js';
import { CLIENT, HOST, startPlainClientTunnel } from '../tunnels/plain-client-tunnel.js';
import type { Way } from './both-ways.js';
import { shown, startForward, type ForwardedExchange } from './forward.js';

/** The ways through two relays of a program that knows nothing of them. */
export const CLIENT_WAYS = ['the forward proxy', 'a listener'] as const;
export type ClientWayName = (typeof CLIENT_WAYS)[number];

/** How such a program reaches an API. What the API received is in `exchanges`. */
export interface ClientWay extends Way {
  /** The URL of the forward proxy with the credentials of a client; undefined where none is needed. */
  readonly proxy: string | undefined;
  /** `http_proxy`, or nothing. */
  readonly env: Readonly<Record<string, string>>;
}

/** How programs reach two relays. */
export interface ClientRelays {
  /** The URL of the forward proxy with the credentials of a client. */
  readonly proxy: string;
  readonly listener: string;
  close(): Promise<void>;
}

/** A program and an API without relays. */
export async function directClient(server: { readonly url: string }): Promise<ClientWay> {
  return { ...(await startForward(server.url)), proxy: undefined, env: {} };
}

/** Two relays before an API. Relay B tells it the host that the program named. */
export async function startClientRelays(api: string): Promise<ClientRelays> {
  // Messages until a channel is open, as where an operator has set nothing.
  const environment = { TUNNEL_TRANSPORT: 'auto' };
  const tunnel = await startPlainClientTunnel({
    upstream: api,
    tenant: { upstreamHost: 'client' },
    outbound: environment,
    inbound: environment,
    start: startRelay,
  });
  const { listener, outbound } = tunnel;
  return {
    proxy: `http://${CLIENT}:${tokenOf(CLIENT)}@127.0.0.1:${outbound.port}`,
    listener,
    close: () => tunnel.close(),
  };
}

/** A program and an API with two relays between them. */
export async function relayedClient(
  name: ClientWayName,
  server: { readonly url: string },
): Promise<ClientWay> {
  const api = await startForward(server.url);
  const { proxy, listener, ...relays } = await startClientRelays(api.url);
  const reached =
    name === 'a listener'
      ? { url: listener, proxy: undefined, env: {} }
      : {
          // No name service knows it: a program that passes the forward proxy by fails.
          url: `http://${HOST}`,
          proxy,
          env: { http_proxy: proxy, no_proxy: '', NO_PROXY: '' },
        };
  return {
    ...api,
    ...reached,
    close: async () => {
      await relays.close();
      await api.close();
    },
  };
}

/** Fields of one connection or recipient, and those in which the ways differ by what they are. */
const NOT_COMPARED = new Set([
  ...['connection', 'expect', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding'],
  ...['host', 'via'],
  // fetch of Node.js sends it only to loopback.
  'sec-fetch-mode',
]);

/** One request as the API received it: its line, its fields apart from those of a connection, and its body. */
function requestOf({ method, target, requestHeaders, requestBody }: ForwardedExchange): string[] {
  const fields = Object.entries(requestHeaders)
    .filter(([name]) => !NOT_COMPARED.has(name))
    .map(([name, value]) => `${name}: ${String(value)}`)
    // An empty body may be framed in several ways.
    .filter((field) => field !== 'content-length: 0');
  return [`${method} ${target}`, ...fields.sort(), shown(requestBody.toString('latin1'))];
}

/** What the API received, in an order of its own: the same directly and through relays. */
export const apiRequests = ({ exchanges, url }: ClientWay): string[][] =>
  exchanges
    .map((exchange) => requestOf(exchange).map((text) => text.replaceAll(url, '<origin>')))
    .sort();

/** The hosts that the API was told. */
export const apiHosts = ({ exchanges }: ClientWay): string[] => [
  ...new Set(exchanges.map(({ requestHeaders }) => requestHeaders.host ?? '')),
];
