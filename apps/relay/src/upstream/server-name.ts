import type { Dispatcher } from 'undici';

/**
 * Keeps the name of the upstream in TLS whatever a request has in its host field. undici would take it from there: it would then
 * verify the certificate against a name that a client chose, and open a new connection whenever that name changes.
 *
 * @param origin - of the upstream
 */
export function withServerName(origin: string): Dispatcher.DispatcherComposeInterceptor {
  // Which name it is does not matter: the connector takes the one of the upstream. It only has to be always the same.
  const servername = new URL(origin).hostname;
  return (dispatch) => (options, handler) =>
    dispatch({ ...options, servername } as Dispatcher.DispatchOptions, handler);
}
