import { CLIENT_ID_HEADER } from '@relay/protocol';
import type { Dispatcher } from 'undici';

import type { SenderSigner } from './sender-signer.js';

/**
 * An undici interceptor that signs tunnel requests. It expects the headers as a flat array that begins with
 * `x-mte-relay` and its value, and appends `x-mte-client-id` to that very array.
 */
export function signTunnelRequests(signer: SenderSigner): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const headers = options.headers as string[];
    headers.push(CLIENT_ID_HEADER, signer.sign(headers[1] ?? '', { purpose: 'tunnel' }));
    return dispatch(options, handler);
  };
}

/** The signature that the interceptor appended: errors are signed over it. */
export function signedClientIdHeader(headers: readonly string[]): string {
  return headers.at(-1) ?? '';
}
