import { readingFirst } from '@relay/http';
import { buildConnector } from 'undici';

/** The code that replaces ECONNRESET in the error of a connection that the upstream has reset. */
const RESET_CODE = 'UPSTREAM_RESET';

/**
 * A connector whose connections report a reset under another code. undici takes ECONNRESET for the regular end of a response
 * that has no length and ends with its connection. Under another code the reset stays an error, so that a truncated response is
 * never taken for a complete one.
 *
 * @param timeout - longest time until a connection is established, in ms
 * @param tls - of TLS connections; the name in it is the one that is verified
 */
export function connectorThatReportsResets(
  timeout: number,
  tls: buildConnector.BuildOptions = {},
): buildConnector.connector {
  const connect = readingFirst(buildConnector({ ...tls, timeout }));
  return (options, callback) => {
    // Without a name, that of the options or of the URL is used; see server-name.ts.
    connect({ ...options, servername: '' }, (...[error, socket]) => {
      if (error !== null) {
        callback(error, null);
        return;
      }
      let first: Error | undefined;
      // Added before undici's own listener, so that undici sees the replaced code.
      socket.on('error', (error: Error & { code?: string }) => {
        if (error.code === 'ECONNRESET') {
          error.code = RESET_CODE;
        }
        first ??= error;
        if (error !== first) {
          // TLS 1.3 tells of a refused certificate when the connection is in use; undici then only says that it was closed.
          error.cause ??= first;
        }
      });
      callback(null, socket);
    });
  };
}
