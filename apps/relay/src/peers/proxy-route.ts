import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction, type Socket } from 'node:net';

import { addressesOf } from './refused-addresses.js';
import { NotConnectedError, type TunnelFailureCode } from './peers.errors.js';

/** The head of a response to CONNECT is small. */
const MAX_RESPONSE_HEAD_BYTES = 16_384;
/** As undici does for its own connections. */
const KEEP_ALIVE_DELAY_MS = 60_000;
/** 407 is that of RFC 9110; some proxies, such as tinyproxy, refuse wrong credentials with a 401. */
const UNAUTHENTICATED: ReadonlySet<number> = new Set([401, 407]);
const PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** Where a connection is to lead. */
export interface ConnectTarget {
  /** A host name, or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Resolves names here, where the proxy is not to do so: it is then asked for an address. */
  readonly lookup: LookupFunction | undefined;
}

/** The way to peers through one HTTP proxy, by CONNECT. RFC 9110 section 9.3.6. */
export class ProxyRoute {
  /** Host and port of the proxy, for the log. */
  readonly name: string;
  private readonly proxy: URL;
  private readonly fields: Readonly<Record<string, string>>;

  /** @param url - of the proxy, with its credentials, if any: they are shown nowhere, and sent to the proxy only */
  constructor(readonly url: string) {
    this.proxy = new URL(url);
    this.name = `${this.proxy.hostname}:${this.port}`;
    this.fields = { connection: 'keep-alive', ...authorizationOf(this.proxy) };
  }

  /**
   * Has the proxy connect to a target. Whoever receives the connection handles its errors from the same turn on.
   *
   * @param signal - ends the attempt
   * @throws NotConnectedError with a code of a proxy; the error of `target.lookup`
   */
  async connect({ host, port, lookup }: ConnectTarget, signal: AbortSignal): Promise<Socket> {
    const hosts =
      lookup === undefined || isIP(host) !== 0
        ? [host]
        : await this.inTime(addressesOf(host, lookup), signal);
    let refusal: unknown;
    for (const each of hosts) {
      try {
        return await this.tunnelTo(`${isIP(each) === 6 ? `[${each}]` : each}:${port}`, signal);
      } catch (error) {
        // It may reach the other address. Nothing has been sent to either.
        if (!(error instanceof NotConnectedError && error.code === 'RELAY_PEER_PROXY_REFUSED')) {
          throw error;
        }
        refusal = error;
      }
    }
    throw refusal;
  }

  private tunnelTo(authority: string, signal: AbortSignal): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const request = this.request(authority, signal);
      request.once('connect', (response, socket, early) => {
        // Nobody listens to it otherwise until it has been handed over.
        socket.on('error', () => undefined);
        const failure = this.failureOf(response, early);
        if (failure !== undefined) {
          socket.destroy();
          reject(failure);
          return;
        }
        socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
        resolve(socket);
      });
      request.on('error', ({ code = '', message }: NodeJS.ErrnoException) => {
        reject(signal.aborted ? this.timeout() : this.unusable(`${code} ${message}`));
      });
      request.end();
    });
  }

  private request(authority: string, signal: AbortSignal): ClientRequest {
    const isSecure = this.proxy.protocol === 'https:';
    const host = this.proxy.hostname.replace(/^\[|\]$/g, '');
    return (isSecure ? httpsRequest : httpRequest)({
      host,
      port: this.port,
      ...(isSecure && isIP(host) === 0 ? { servername: host } : {}),
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...this.fields },
      agent: false,
      maxHeaderSize: MAX_RESPONSE_HEAD_BYTES,
      signal,
    });
  }

  private failureOf({ statusCode: status = 0 }: IncomingMessage, early: Buffer): Error | undefined {
    if (UNAUTHENTICATED.has(status)) {
      return this.failure(
        'RELAY_PEER_PROXY_AUTH_FAILED',
        'the proxy on the way to the other relay does not accept the credentials of this one',
        `status ${status}`,
      );
    }
    if (status >= 300) {
      return this.failure(
        'RELAY_PEER_PROXY_REFUSED',
        `the proxy on the way to the other relay refused to connect to it, with status ${status}`,
        `status ${status}`,
      );
    }
    if (status < 200) {
      return this.unusable(`status ${status} to CONNECT`);
    }
    // A relay sends nothing before it is asked: these octets would be taken for its response.
    return early.length > 0 ? this.unusable('content in the response to CONNECT') : undefined;
  }

  private async inTime<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        reject(this.timeout());
      };
      signal.addEventListener('abort', giveUp, { once: true });
      promise.then(resolve, reject).finally(() => {
        signal.removeEventListener('abort', giveUp);
      });
    });
  }

  private timeout(): NotConnectedError {
    return this.failure(
      'RELAY_PEER_PROXY_TIMEOUT',
      'the proxy on the way to the other relay did not connect to it in time',
      'no response to CONNECT in time',
    );
  }

  private unusable(reason: string): NotConnectedError {
    return this.failure(
      'RELAY_PEER_PROXY_UNREACHABLE',
      'the proxy on the way to the other relay cannot be reached, or is no HTTP proxy',
      reason,
    );
  }

  /** The cause is for the log only: clients need not know the proxy. */
  private failure(code: TunnelFailureCode, message: string, reason: string): NotConnectedError {
    const cause = new Error(`proxy ${this.name}: ${reason}`);
    return new NotConnectedError(code, 'no', message, { cause });
  }

  private get port(): number {
    const { port, protocol } = this.proxy;
    return port === '' ? (PORTS[protocol] ?? 0) : Number(port);
  }
}

/** RFC 7617. */
function authorizationOf({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '') {
    return {};
  }
  const account = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(account).toString('base64')}` };
}
