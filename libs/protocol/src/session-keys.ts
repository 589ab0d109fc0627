import { hkdfExpand } from './hkdf-expand.js';

/** What pairing agrees on: one key a direction, 32 bytes each. protocol.md section 4. */
export interface SessionKeys {
  readonly clientToServer: Buffer;
  readonly serverToClient: Buffer;
}

/** K_req of protocol.md section 6: seals one request, and only with exactly this header. */
export function deriveRequestKey(keys: SessionKeys, requestHeader: string): Buffer {
  return hkdfExpand(keys.clientToServer, `mte-relay/1 request\0${requestHeader}`);
}

/** K_res of protocol.md section 6: seals the one answer that goes with both headers. */
export function deriveResponseKey(
  keys: SessionKeys,
  requestHeader: string,
  responseHeader: string,
): Buffer {
  return hkdfExpand(
    keys.serverToClient,
    `mte-relay/1 response\0${requestHeader}\0${responseHeader}`,
  );
}
