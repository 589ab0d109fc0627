import type { LookupFunction } from 'node:net';

import { buildConnector, errors } from 'undici';

import type { ProxyRoute } from './proxy-route.js';

/**
 * undici's connector, by way of a proxy: one time limit for the connection to the proxy, its response to CONNECT, and TLS with
 * the peer.
 *
 * @param lookup - resolves the names of peers here; undefined: the proxy resolves them
 */
export function proxiedConnector(
  route: ProxyRoute,
  timeoutMs: number,
  lookup: LookupFunction | undefined,
): buildConnector.connector {
  const secure = buildConnector({ timeout: timeoutMs });
  return (options, callback) => {
    const isSecure = options.protocol === 'https:';
    const { hostname: host } = options;
    const port = Number(options.port || (isSecure ? 443 : 80));
    const limit = AbortSignal.timeout(timeoutMs);
    route.connect({ host, port, lookup }, limit).then(
      (tunnel) => {
        if (!isSecure) {
          callback(null, tunnel);
          return;
        }
        // A tunnel that closes does not always end in an error of the TLS on it.
        const fail = (error: Error): void => {
          release();
          tunnel.destroy();
          callback(error, null);
        };
        const onLimit = (): void => {
          fail(new errors.ConnectTimeoutError());
        };
        const onClose = (): void => {
          fail(new errors.SocketError('the proxy closed the connection'));
        };
        const release = (): void => {
          limit.removeEventListener('abort', onLimit);
          tunnel.off('close', onClose);
          isSettled = true;
        };
        let isSettled = false;
        limit.addEventListener('abort', onLimit, { once: true });
        tunnel.once('close', onClose);
        secure({ ...options, httpSocket: tunnel }, (...[error, socket]) => {
          if (isSettled) {
            return;
          }
          if (error === null) {
            release();
            callback(null, socket);
          } else {
            fail(error);
          }
        });
      },
      (error: unknown) => {
        callback(error as Error, null);
      },
    );
  };
}
