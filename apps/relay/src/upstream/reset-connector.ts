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
 */
export function connectorThatReportsResets(timeout: number): buildConnector.connector {
  const connect = readingFirst(buildConnector({ timeout }));
  return (options, callback) => {
    // Without a name, that of the URL is used; see server-name.ts.
    connect({ ...options, servername: '' }, (...[error, socket]) => {
      if (error !== null) {
        callback(error, null);
        return;
      }
      // Added before undici's own listener, so that undici sees the replaced code.
      socket.on('error', (reset: Error & { code?: string }) => {
        if (reset.code === 'ECONNRESET') {
          reset.code = RESET_CODE;
        }
      });
      callback(null, socket);
    });
  };
}
