import { once } from 'node:events';
import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';

import { NotConnectedError, UpstreamRefusedError } from '../peers/peers.errors.js';
import { overTls } from '../peers/proxied-socket.js';
import type { ProxyRoute } from '../peers/proxy-route.js';
import { certificateOf, isOfCertificate, judgedTls } from './certificate.js';
import type { FindingCode } from './findings.js';
import { isOwn, type Listener } from './own-listener.js';
import { StepFailedError, within, type Steps } from './steps.js';

/** Where and how relay B is connected to, as relay A itself would. */
export interface Destination {
  readonly origin: string;
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
  /** undefined: directly. */
  readonly route: ProxyRoute | undefined;
  /** Where this relay itself listens. */
  readonly listener: Listener;
  /** Refuses names with refused addresses; undefined: the system's. */
  readonly lookup: LookupFunction | undefined;
}

/** How long TLS may take to notice that its connection has ended. */
const GRACE_MS = 200;
const DEFAULT_PORTS = { 'http:': 80, 'https:': 443 } as const;

export function destinationOf(
  origin: string,
  route: ProxyRoute | undefined,
  lookup: LookupFunction | undefined,
  listener: Listener,
): Destination {
  const { protocol, hostname, port } = new URL(origin);
  const isSecure = protocol === 'https:';
  return {
    origin,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? DEFAULT_PORTS[isSecure ? 'https:' : 'http:'] : Number(port),
    isSecure,
    route,
    listener,
    lookup,
  };
}

/** The steps resolve, connect and tls. @returns a connection to relay B, or undefined if there is none */
export async function reach(
  steps: Steps,
  destination: Destination,
  limitMs: number,
): Promise<Socket | undefined> {
  if (!(await resolve(steps, destination, limitMs))) {
    return undefined;
  }
  const socket = await steps.run('connect', 'CHECK_CONNECTION_FAILED', async () => {
    const value = await connected(destination, limitMs);
    const { route, host, port, listener } = destination;
    if (route === undefined && isOwn(value.remoteAddress ?? '', port, listener)) {
      value.destroy();
      const text = `this relay itself listens there: its PORT is ${port}`;
      throw new StepFailedError('CHECK_SENDER_SELF', text);
    }
    const way = route === undefined ? '' : `, through the proxy ${route.name}`;
    const shown = value.remoteAddress ?? host;
    const at = route === undefined ? shown : host;
    return { detail: `to ${isIP(at) === 6 ? `[${at}]` : at}:${port}${way}`, value };
  });
  if (socket === undefined || !destination.isSecure) {
    if (socket !== undefined) {
      steps.skip('tls', 'the origin is http; what the relays exchange is sealed all the same');
    }
    return socket;
  }
  return steps.run('tls', 'CHECK_TLS_FAILED', async () => {
    const secure = await secured(socket, destination, limitMs);
    return { detail: certificateOf(secure), value: secure };
  });
}

async function resolve(
  steps: Steps,
  { host, route, lookup }: Destination,
  limitMs: number,
): Promise<boolean> {
  if (isIP(host) !== 0) {
    steps.skip('resolve', `${host} is an address`);
    return true;
  }
  if (route !== undefined && lookup === undefined) {
    steps.skip('resolve', 'the proxy resolves the name');
    return true;
  }
  const addresses = await steps.run('resolve', 'CHECK_RESOLVER_FAILED', async () => {
    const found = await within(limitMs, addressesOf(host, lookup ?? systemLookup));
    if (found === undefined) {
      throw new StepFailedError(
        'CHECK_RESOLVER_FAILED',
        `${host} was not resolved within ${limitMs} ms`,
      );
    }
    return { detail: `${host} has ${found.join(', ')}`, value: found };
  });
  return addresses !== undefined;
}

const UNKNOWN_NAME: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_NONAME', 'EAI_NODATA']);

function addressesOf(host: string, lookup: LookupFunction): Promise<string[]> {
  return new Promise((fulfil, reject) => {
    lookup(host, { all: true }, (error, found) => {
      if (error === null) {
        fulfil((found as LookupAddress[]).map(({ address }) => address));
      } else if (error instanceof UpstreamRefusedError) {
        reject(new StepFailedError('CHECK_ADDRESS_REFUSED', `${host}: ${error.message}`));
      } else {
        const { code = '' } = error;
        reject(
          UNKNOWN_NAME.has(code)
            ? new StepFailedError('CHECK_NAME_UNKNOWN', `no address is known for ${host} (${code})`)
            : new StepFailedError('CHECK_RESOLVER_FAILED', `${host} cannot be looked up (${code})`),
        );
      }
    });
  });
}

/** Connects to relay B, before TLS. @throws StepFailedError */
export async function connected(destination: Destination, limitMs: number): Promise<Socket> {
  const { host, port, route, lookup } = destination;
  const signal = AbortSignal.timeout(limitMs);
  if (route !== undefined) {
    try {
      return await route.connect({ host, port, lookup }, signal);
    } catch (error) {
      throw proxyFailure(error);
    }
  }
  const socket = connect({ host, port, noDelay: true, ...(lookup && { lookup }) });
  // Whoever uses it sees its end.
  socket.on('error', () => undefined);
  try {
    await once(socket, 'connect', { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw connectFailure(error, signal.aborted, limitMs);
  }
}

const PROXY_CODES: Readonly<Record<string, FindingCode>> = {
  RELAY_PEER_PROXY_AUTH_FAILED: 'CHECK_PROXY_AUTH_FAILED',
  RELAY_PEER_PROXY_REFUSED: 'CHECK_PROXY_REFUSED',
  RELAY_PEER_PROXY_TIMEOUT: 'CHECK_PROXY_TIMEOUT',
};

function proxyFailure(error: unknown): Error {
  if (!(error instanceof NotConnectedError)) {
    return error as Error;
  }
  const { cause } = error;
  const reason = cause instanceof Error ? ` (${cause.message})` : '';
  return new StepFailedError(
    PROXY_CODES[error.code] ?? 'CHECK_PROXY_UNREACHABLE',
    error.message + reason,
  );
}

function connectFailure(error: unknown, isLate: boolean, limitMs: number): StepFailedError {
  // Of a name with several addresses, each has failed in its own way.
  const errors = (error instanceof AggregateError ? error.errors : [error]) as Error[];
  const codes = new Set(errors.map(({ code = '' }: NodeJS.ErrnoException) => code));
  const [code = ''] = codes;
  if (codes.size > 1) {
    const causes = errors.map(({ message }) => message).join('; ');
    return new StepFailedError('CHECK_CONNECTION_FAILED', `no address connects: ${causes}`);
  }
  if (isLate || code === 'ETIMEDOUT') {
    return new StepFailedError('CHECK_CONNECTION_TIMEOUT', `no connection within ${limitMs} ms`);
  }
  return code === 'ECONNREFUSED'
    ? new StepFailedError('CHECK_CONNECTION_REFUSED', 'nothing listens at this address and port')
    : new StepFailedError('CHECK_CONNECTION_FAILED', `the connection failed (${code})`);
}

/** @throws StepFailedError */
export async function secured(
  socket: Socket,
  destination: Destination,
  limitMs: number,
): Promise<TLSSocket> {
  const startedAtMs = performance.now();
  const secure = overTls(socket, destination.host);
  const signal = AbortSignal.timeout(limitMs);
  secure.on('error', () => undefined);
  // The end of the connection beneath does not always end the TLS on it; where it does, the error of TLS says more.
  const closed = once(socket, 'close', { signal })
    .then(() => within(GRACE_MS, once(secure, 'close')))
    .then(() => {
      throw Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });
    });
  closed.catch(() => undefined);
  try {
    await Promise.race([once(secure, 'secureConnect', { signal }), closed]);
    return secure;
  } catch (error) {
    secure.destroy();
    if (signal.aborted) {
      throw new StepFailedError('CHECK_TLS_TIMEOUT', `no TLS within ${limitMs} ms`);
    }
    const failure = error as NodeJS.ErrnoException;
    const leftMs = Math.max(1, Math.ceil(limitMs - (performance.now() - startedAtMs)));
    const shown = isOfCertificate(failure) ? await presented(destination, leftMs) : undefined;
    throw judgedTls(failure, shown, destination.host);
  }
}

/** A second connection shows the certificate that was refused. Nothing is sent on it. */
async function presented(
  destination: Destination,
  limitMs: number,
): Promise<DetailedPeerCertificate | undefined> {
  const signal = AbortSignal.timeout(limitMs);
  let socket: Socket | undefined;
  try {
    const { host } = destination;
    socket = await connected(destination, limitMs);
    const secure = connectTls({
      socket,
      servername: isIP(host) === 0 ? host : '',
      rejectUnauthorized: false,
    });
    secure.on('error', () => undefined);
    await once(secure, 'secureConnect', { signal });
    return secure.getPeerCertificate(true);
  } catch {
    // What is not shown cannot be judged.
    return undefined;
  } finally {
    socket?.destroy();
  }
}
