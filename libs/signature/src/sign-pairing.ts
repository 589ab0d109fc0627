import { CLIENT_ID_HEADER, PROTOCOL_VERSION, RELAY_HEADER } from '@relay/protocol';
import type { AxiosInstance, InternalAxiosRequestConfig } from 'axios';

import type { SenderSigner } from './sender-signer.js';

declare module 'axios' {
  interface AxiosRequestConfig {
    /** Signs a pairing request: that of the peer which it is for. */
    signer?: SenderSigner;
  }
}

/**
 * Makes an axios client sign every POST request as a pairing request with the `signer` of its config, including its body, which
 * must be bytes. Relay headers that are already set are replaced, and requests of other methods are sent unchanged. protocol.md
 * sections 2 and 4.
 */
export function signPairingRequests(client: AxiosInstance): void {
  client.interceptors.request.use((config) => {
    if (config.method !== 'post') {
      return config;
    }
    const { signer } = config;
    if (signer === undefined) {
      throw new Error('a pairing request has no signer, which is a programming error');
    }
    const body = config.data as Uint8Array;
    config.headers.set(RELAY_HEADER, PROTOCOL_VERSION);
    config.headers.set(CLIENT_ID_HEADER, signer.sign(PROTOCOL_VERSION, { purpose: 'pair', body }));
    return config;
  });
}

/**
 * Returns the `x-mte-client-id` of a request that such a client has sent; the pairing transcript is bound to it.
 *
 * @param config - the `config` of the response, or of the error, to a POST request
 */
export function sentClientIdHeader(config: InternalAxiosRequestConfig): string {
  return config.headers.get(CLIENT_ID_HEADER) as string;
}
