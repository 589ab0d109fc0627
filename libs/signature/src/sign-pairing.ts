import { CLIENT_ID_HEADER, PROTOCOL_VERSION, RELAY_HEADER } from '@relay/protocol';
import type { AxiosInstance, InternalAxiosRequestConfig } from 'axios';

import type { SenderSigner } from './sender-signer.js';

/** Makes an axios client sign every POST that it sends as a pairing request, over its body. */
export function signPairingRequests(client: AxiosInstance, signer: SenderSigner): void {
  client.interceptors.request.use((config) => {
    if (config.method !== 'post') {
      return config;
    }
    const body = config.data as Uint8Array;
    config.headers.set(RELAY_HEADER, PROTOCOL_VERSION);
    config.headers.set(CLIENT_ID_HEADER, signer.sign(PROTOCOL_VERSION, { purpose: 'pair', body }));
    return config;
  });
}

/** The signature that went with a request of such a client: the key exchange is bound to it. */
export function sentClientIdHeader(config: InternalAxiosRequestConfig): string {
  return config.headers.get(CLIENT_ID_HEADER) as string;
}
