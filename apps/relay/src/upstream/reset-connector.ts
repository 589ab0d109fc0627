import { buildConnector } from 'undici';

/** What a reset by the upstream is called here. */
const RESET_CODE = 'UPSTREAM_RESET';

/**
 * undici takes ECONNRESET for the end of an answer that has no length and ends with its connection. Under another name
 * it is what it is: a part that must not pass for the whole.
 *
 * @param timeout - for a connection, in ms
 */
export function connectorThatTellsResets(timeout: number): buildConnector.connector {
  const connect = buildConnector({ timeout });
  return (options, callback) => {
    connect(options, (...[error, socket]) => {
      if (error !== null) {
        callback(error, null);
        return;
      }
      // Before undici listens, so that it finds the other name.
      socket.on('error', (reset: Error & { code?: string }) => {
        if (reset.code === 'ECONNRESET') {
          reset.code = RESET_CODE;
        }
      });
      callback(null, socket);
    });
  };
}
